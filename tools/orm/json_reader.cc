// JSON: the text is cut into objects, and each is then read by orm's scanner, which is strict.

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/json_scanner_internal.h"
#include "tools/orm/row_reader.h"

namespace strata::orm_tool {
namespace {

constexpr std::size_t kMaxDepth = 64;

class JsonReader final : public RowReader {
 public:
  explicit JsonReader(Input* input) : RowReader(input) {}

  absl::StatusOr<bool> Next() override {
    absl::StatusOr<bool> more = FindObject();
    if (more.ok() && !*more && !input_->status().ok()) return input_->status();
    if (!more.ok() || !*more) return more;
    if (absl::Status status = CutObject(); !status.ok()) return status;
    if (absl::Status status = ReadObject(); !status.ok()) return status;
    return true;
  }

 private:
  enum class Where : std::uint8_t { kStart, kFirst, kAfter, kLines, kEnd };

  int PeekBeyondBlanks() {
    int byte = input_->Peek();
    for (; byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; byte = input_->Peek()) {
      input_->Get();
    }
    line_ = input_->line();
    return byte;
  }

  // Goes to the beginning of the next object; false if there is none.
  absl::StatusOr<bool> FindObject() {
    int byte = PeekBeyondBlanks();
    if (where_ == Where::kStart) {
      where_ = byte == '[' ? Where::kFirst : Where::kLines;
      if (byte == '[') {
        input_->Get();
        byte = PeekBeyondBlanks();
      }
    }
    if (byte == ']' && (where_ == Where::kFirst || where_ == Where::kAfter)) {
      where_ = Where::kEnd;
      input_->Get();
      byte = PeekBeyondBlanks();
    }
    if (where_ == Where::kAfter) {
      if (byte != ',') return Wrong("no , or ] after an object");
      input_->Get();
      byte = PeekBeyondBlanks();
    }
    if (byte < 0) {
      if (where_ == Where::kEnd || where_ == Where::kLines) return false;
      return Wrong("the list has no end");
    }
    if (where_ == Where::kEnd) return Wrong("something follows the list");
    if (byte != '{') return Wrong("no object where one has to be");
    if (where_ == Where::kFirst) where_ = Where::kAfter;
    return true;
  }

  // To the brace that ends it.
  absl::Status CutObject() {
    object_.clear();
    std::size_t depth = 0;
    bool in_string = false;
    for (;;) {
      const int byte = input_->Get();
      if (byte < 0) return input_->status().ok() ? Wrong("an object has no end") : input_->status();
      if (object_.size() == kMaxRowBytes) {
        return absl::ResourceExhaustedError("a row above 64 MiB");
      }
      object_ += static_cast<char>(byte);
      if (in_string) {
        if (byte == '\\') {
          const int escaped = input_->Get();
          if (escaped >= 0) object_ += static_cast<char>(escaped);
        }
        in_string = byte != '"';
      } else if (byte == '"') {
        in_string = true;
      } else if (byte == '{') {
        ++depth;
      } else if (byte == '}' && --depth == 0) {
        return absl::OkStatus();
      }
    }
  }

  absl::Status ReadObject() {
    names_.clear();
    values_.clear();
    orm::internal::JsonScanner scanner(object_, kMaxDepth);
    if (!ReadMembers(scanner) || !scanner.AtEnd()) {
      // Where the error is, and not where the object began.
      for (const char c : object_.substr(0, scanner.error_byte())) line_ += c == '\n' ? 1 : 0;
      return Wrong(scanner.reason());
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (names_[i] == names_[j]) return Wrong(absl::StrCat("the key ", names_[i], " twice"));
      }
    }
    return absl::OkStatus();
  }

  bool ReadMembers(orm::internal::JsonScanner& scanner) {
    if (!scanner.Expect('{', "no object") || !scanner.Enter()) return false;
    for (bool first = true; scanner.Next('}', &first);) {
      if (names_.size() == kMaxColumns) return scanner.FailBounds("too many keys");
      std::string scratch;
      std::string_view name;
      if (scanner.Peek() != '"' || !scanner.String(&name, &scratch)) {
        return scanner.Fail("no key");
      }
      names_.emplace_back(name);
      if (!scanner.Expect(':', "no :") || !ReadValue(scanner)) return false;
    }
    scanner.Leave();
    return scanner.reason() == nullptr;
  }

  bool ReadValue(orm::internal::JsonScanner& scanner) {
    Value& value = values_.emplace_back();
    std::string_view text;
    std::string scratch;
    switch (scanner.Peek()) {
      case '"':
        if (!scanner.String(&text, &scratch)) return false;
        value.kind = Value::Kind::kText;
        value.text = text;
        return true;
      case '{':
      case '[':
        if (!scanner.Skip(&text)) return false;
        value.kind = Value::Kind::kText;
        value.text = text;
        return true;
      case 'n':
        return scanner.Literal("null");
      case 't':
      case 'f':
        value.kind = Value::Kind::kInteger;
        value.integer = scanner.Peek() == 't' ? 1 : 0;
        return scanner.Literal(value.integer == 1 ? "true" : "false");
      default:
        return ReadNumber(scanner, value);
    }
  }

  static bool ReadNumber(orm::internal::JsonScanner& scanner, Value& value) {
    std::string_view text;
    bool integer = false;
    if (!scanner.Number(&text, &integer)) return false;
    if (integer) {
      value.kind = Value::Kind::kInteger;
      return absl::SimpleAtoi(text, &value.integer) ||
             scanner.Fail("an integer of more than 64 bits");
    }
    value.kind = Value::Kind::kReal;
    return absl::SimpleAtod(text, &value.real) || scanner.Fail("a number that is too large");
  }

  static absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(what); }

  static constexpr std::size_t kMaxColumns = 2000;  // SQLite's own limit.

  Where where_ = Where::kStart;
  std::string object_;
};

}  // namespace

std::unique_ptr<RowReader> ReadJson(Input* input) { return std::make_unique<JsonReader>(input); }

}  // namespace strata::orm_tool
