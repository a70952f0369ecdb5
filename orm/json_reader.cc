// JSON into fields.

#include <array>
#include <bitset>
#include <charconv>
#include <system_error>

#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/base64_internal.h"
#include "strata/orm/json.h"
#include "strata/orm/json_scanner_internal.h"
#include "strata/orm/scalar_internal.h"

namespace strata::orm {
namespace {

using internal::JsonScanner;
using internal::Load;
using internal::Store;

// As the scanner itself calls functions in each other, whoever asks for more gets an error.
constexpr std::size_t kMaxDepth = 1024;

class Reader {
 public:
  Reader(std::string_view text, const JsonReadOptions& options)
      : options_(options),
        scanner_(text, options.max_depth < kMaxDepth ? options.max_depth : kMaxDepth) {}

  absl::Status Read(const TypeInfo& type, void* value);

 private:
  // The field's own number does not hold it.
  bool FailRange(const char* reason) {
    out_of_range_ = out_of_range_ || scanner_.reason() == nullptr;
    return scanner_.Fail(reason);
  }

  bool Value(const TypeInfo& type, void* value);
  bool Integer(const TypeInfo& type, void* value);
  bool NamedOrInteger(const TypeInfo& type, void* value);
  template <typename T>
  bool Real(void* value);
  bool Bool(void* value);
  bool Text(std::string* value);
  bool Bytes(Blob* value);
  bool Amount(Currency* value);
  bool Identifier(Uuid* value);
  bool Time(const TypeInfo& type, void* value);
  bool List(const TypeInfo& type, void* value);
  bool Struct(const TableInfo& table, void* row);
  bool Member(const TableInfo& table, void* row, std::size_t* expected,
              std::bitset<kMaxColumns>* seen);
  bool Missing(const TableInfo& table, const std::bitset<kMaxColumns>& seen);

  const JsonReadOptions& options_;
  JsonScanner scanner_;
  std::string scratch_;
  std::string detail_;  // What the error is about: the column, or an unknown key.
  std::size_t elements_ = 0;
  bool out_of_range_ = false;
};

bool Reader::Integer(const TypeInfo& type, void* value) {
  std::int64_t small;
  scanner_.Peek();
  if (scanner_.TakeShortInteger(&small)) [[likely]] {
    return internal::StoreInteger(type, value, small) ||
           FailRange("a number that the field does not hold");
  }
  std::string_view text;
  bool integer;
  if (!scanner_.Number(&text, &integer)) return false;
  if (!integer) return scanner_.Fail("no integer");
  const char* end = text.data() + text.size();
  if (type.kind == Kind::kUint64) {
    std::uint64_t result = 0;
    if (text == "-0") text = "0";
    if (std::from_chars(text.data(), text.data() + text.size(), result).ec != std::errc()) {
      return FailRange("a number that the field does not hold");
    }
    Store(value, result);
    return true;
  }
  std::int64_t result = 0;
  if (std::from_chars(text.data(), end, result).ec != std::errc() ||
      !internal::StoreInteger(type, value, result)) {
    return FailRange("a number that the field does not hold");
  }
  return true;
}

bool Reader::NamedOrInteger(const TypeInfo& type, void* value) {
  if (type.names.empty() || scanner_.Peek() != '"') return Integer(type, value);
  std::string_view text;
  if (!scanner_.String(&text, &scratch_)) return false;
  const EnumName* name = internal::FindEnumName(type, text);
  if (name == nullptr) return scanner_.Fail("no name of a value of the enum");
  if (type.kind == Kind::kUint64) {
    Store(value, name->value);
    return true;
  }
  return internal::StoreInteger(type, value, name->value);
}

template <typename T>
bool Reader::Real(void* value) {
  std::string_view text;
  bool integer;
  if (!scanner_.Number(&text, &integer)) return false;
  const char* end = text.data() + text.size();
  T result = 0;
  if (std::from_chars(text.data(), end, result).ec != std::errc()) {
    // Too small becomes 0; only absl's tells the two apart.
    absl::from_chars(text.data(), end, result);
    if (result > 1 || result < -1) return FailRange("a number that the field does not hold");
  }
  Store(value, result);
  return true;
}

bool Reader::Bool(void* value) {
  const char first = scanner_.Peek();
  if (first != 't' && first != 'f') return scanner_.Fail("neither true nor false");
  Store(value, first == 't');
  return scanner_.Literal(first == 't' ? "true" : "false");
}

bool Reader::Text(std::string* value) {
  std::string_view text;
  if (!scanner_.String(&text, &scratch_)) return false;
  value->assign(text);
  return true;
}

bool Reader::Bytes(Blob* value) {
  std::string_view text;
  if (!scanner_.String(&text, &scratch_)) return false;
  return internal::DecodeBase64(text, value) || scanner_.Fail("no base64");
}

bool Reader::Amount(Currency* value) {
  std::string_view text;
  bool integer;
  if (!scanner_.Number(&text, &integer)) return false;
  absl::StatusOr<Currency> amount = Currency::Parse(text);
  if (!amount.ok()) return FailRange("no amount of at most 4 decimals, or too large");
  *value = *amount;
  return true;
}

bool Reader::Identifier(Uuid* value) {
  std::string_view text;
  if (!scanner_.String(&text, &scratch_)) return false;
  absl::StatusOr<Uuid> uuid = Uuid::Parse(text);
  if (!uuid.ok()) return scanner_.Fail("no UUID");
  *value = *uuid;
  return true;
}

bool Reader::Time(const TypeInfo& type, void* value) {
  // A time without a year of four digits is written as a number.
  if (scanner_.Peek() != '"') return Integer(type, value);
  std::string_view text;
  if (!scanner_.String(&text, &scratch_)) return false;
  absl::StatusOr<std::int64_t> ticks = ParseTicks(text, type.unit);
  if (!ticks.ok() && absl::IsOutOfRange(ticks.status())) {
    return FailRange("a time that the field does not hold");
  }
  if (!ticks.ok()) return scanner_.Fail("no time as RFC 3339 writes it");
  return internal::StoreInteger(type, value, *ticks) ||
         FailRange("a time that the field does not hold");
}

bool Reader::List(const TypeInfo& type, void* value) {
  type.list->clear(value);
  if (!scanner_.Expect('[', "no array") || !scanner_.Enter()) return false;
  bool first = true;
  while (scanner_.Next(']', &first)) {
    if (elements_++ == options_.max_elements) return scanner_.FailBounds("too many elements");
    if (!Value(*type.element, type.list->add(value))) return false;
  }
  scanner_.Leave();
  return scanner_.reason() == nullptr;
}

// Rows are mostly written in the order of the columns: the next one is looked at first.
bool Reader::Member(const TableInfo& table, void* row, std::size_t* expected,
                    std::bitset<kMaxColumns>* seen) {
  const std::span<const Column> columns = table.columns;
  std::size_t index = *expected;
  if (index >= columns.size() || !scanner_.TakeKey(columns[index].name)) {
    std::string_view key;
    if (!scanner_.String(&key, &scratch_)) return false;
    for (index = 0; index < columns.size() && columns[index].name != key;) ++index;
    const bool unknown = index == columns.size();
    if (unknown && options_.unknown_keys == JsonReadOptions::Unknown::kRefuse) {
      detail_ = absl::StrCat(table.name, ".", key.substr(0, internal::kMaxName));
      return scanner_.Fail("unknown key");
    }
    std::string_view skipped;
    if (!scanner_.Expect(':', "no : after a key")) return false;
    if (unknown) return scanner_.Skip(&skipped);
  }

  *expected = index + 1;
  const Column& column = columns[index];
  bool done = !seen->test(index) || scanner_.Fail("the key was there before");
  seen->set(index);
  if (done && scanner_.Peek() == 'n') {
    done = scanner_.Literal("null") &&
           ((column.value->kind == Kind::kJson && !column.nullable()) || column.SetNull(row) ||
            scanner_.Fail("null, but the field has no such value"));
    if (done && !column.nullable()) static_cast<Json*>(column.Emplace(row))->text.clear();
  } else {
    done = done && Value(*column.value, column.Emplace(row));
  }
  if (!done && detail_.empty()) detail_ = absl::StrCat(table.name, ".", column.name);
  return done;
}

bool Reader::Missing(const TableInfo& table, const std::bitset<kMaxColumns>& seen) {
  if (options_.missing_keys == JsonReadOptions::Missing::kKeep) return true;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (seen.test(i) || !table.columns[i].generated.empty()) continue;
    detail_ = absl::StrCat(table.name, ".", table.columns[i].name);
    return scanner_.Fail("the key is missing");
  }
  return true;
}

bool Reader::Struct(const TableInfo& table, void* row) {
  if (!scanner_.Expect('{', "no object") || !scanner_.Enter()) return false;
  std::bitset<kMaxColumns> seen;
  std::size_t expected = 0;
  bool first = true;
  while (scanner_.Next('}', &first)) {
    if (!Member(table, row, &expected, &seen)) return false;
  }
  scanner_.Leave();
  return scanner_.reason() == nullptr && Missing(table, seen);
}

bool Reader::Value(const TypeInfo& type, void* value) {
  switch (type.kind) {
    case Kind::kBool:
      return Bool(value);
    case Kind::kInt8:
    case Kind::kInt16:
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint8:
    case Kind::kUint16:
    case Kind::kUint32:
    case Kind::kUint64:
      return NamedOrInteger(type, value);
    case Kind::kFloat:
      return Real<float>(value);
    case Kind::kDouble:
      return Real<double>(value);
    case Kind::kString:
      return Text(static_cast<std::string*>(value));
    case Kind::kBlob:
      return Bytes(static_cast<Blob*>(value));
    case Kind::kCurrency:
      return Amount(static_cast<Currency*>(value));
    case Kind::kUuid:
      return Identifier(static_cast<Uuid*>(value));
    case Kind::kTime:
      return Time(type, value);
    case Kind::kDuration:
      return Integer(type, value);
    case Kind::kJson: {
      std::string_view text;
      if (!scanner_.Skip(&text)) return false;
      static_cast<Json*>(value)->text.assign(text);
      return true;
    }
    case Kind::kOptional:
      if (scanner_.Peek() == 'n') {
        type.optional->reset(value);
        return scanner_.Literal("null");
      }
      return Value(*type.element, type.optional->emplace(value));
    case Kind::kList:
      return List(type, value);
    case Kind::kStruct:
      return Struct(type.table(), value);
    case Kind::kNone:
      break;
  }
  return scanner_.Fail("a type without JSON");
}

absl::Status Reader::Read(const TypeInfo& type, void* value) {
  if (Value(type, value) && scanner_.AtEnd()) return absl::OkStatus();
  const std::string message =
      absl::StrCat("JSON at byte ", scanner_.error_byte(), detail_.empty() ? "" : ", ", detail_,
                   ": ", scanner_.reason());
  if (scanner_.out_of_bounds()) return absl::ResourceExhaustedError(message);
  if (out_of_range_) return absl::OutOfRangeError(message);
  return absl::InvalidArgumentError(message);
}

absl::Status CheckSize(std::string_view text, const JsonReadOptions& options) {
  if (text.size() <= options.max_bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("JSON of ", text.size(), " bytes, more than ", options.max_bytes));
}

}  // namespace

namespace internal {

absl::Status ReadJson(std::string_view text, const JsonReadOptions& options, const TypeInfo& type,
                      void* value) {
  if (absl::Status status = CheckSize(text, options); !status.ok()) return status;
  return Reader(text, options).Read(type, value);
}

}  // namespace internal

absl::Status CheckJson(std::string_view text, const JsonReadOptions& options) {
  if (absl::Status status = CheckSize(text, options); !status.ok()) return status;
  JsonScanner scanner(text, options.max_depth < kMaxDepth ? options.max_depth : kMaxDepth);
  std::string_view value;
  if (scanner.Skip(&value) && scanner.AtEnd()) return absl::OkStatus();
  const std::string message =
      absl::StrCat("JSON at byte ", scanner.error_byte(), ": ", scanner.reason());
  if (scanner.out_of_bounds()) return absl::ResourceExhaustedError(message);
  return absl::InvalidArgumentError(message);
}

}  // namespace strata::orm
