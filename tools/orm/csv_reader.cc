// CSV as RFC 4180 has it.

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/utf8_internal.h"
#include "tools/orm/row_reader.h"

namespace strata::orm_tool {
namespace {

class CsvReader final : public RowReader {
 public:
  explicit CsvReader(Input* input) : RowReader(input) {}

  absl::StatusOr<bool> Next() override {
    if (names_.empty()) {
      if (absl::Status status = ReadNames(); !status.ok()) return status;
    }
    const absl::StatusOr<bool> more = ReadRecord();
    if (!more.ok() || !*more) return more;
    if (values_.size() == names_.size()) return true;
    return absl::InvalidArgumentError(absl::StrCat(
        "there are ", values_.size(), " fields, and the first line has ", names_.size()));
  }

 private:
  absl::Status ReadNames() {
    for (const int byte : {0xEF, 0xBB, 0xBF}) {  // A byte order mark of UTF-8.
      if (input_->Peek() != byte) break;
      input_->Get();
    }
    const absl::StatusOr<bool> more = ReadRecord();
    if (!more.ok()) return more.status();
    if (!*more) return absl::InvalidArgumentError("there is no line with the names of columns");
    for (Value& value : values_) {
      if (value.text.empty()) return absl::InvalidArgumentError("a column without a name");
      names_.push_back(std::move(value.text));
    }
    return absl::OkStatus();
  }

  // Into `values_`.
  absl::StatusOr<bool> ReadRecord() {
    values_.clear();
    row_bytes_ = 0;
    // An empty line is a row only where that has one column.
    while (names_.size() > 1 && (input_->Peek() == '\n' || input_->Peek() == '\r')) {
      if (absl::Status status = TakeNewline(); !status.ok()) return status;
    }
    line_ = input_->line();
    if (input_->Peek() < 0)
      return input_->status().ok() ? absl::StatusOr<bool>(false) : input_->status();
    for (;;) {
      Value& value = values_.emplace_back();
      absl::Status status = input_->Peek() == '"' ? ReadQuoted(value) : ReadBare(value);
      if (!status.ok()) return status;
      if (!orm::internal::IsUtf8(value.text)) {
        return absl::InvalidArgumentError(absl::StrCat("field ", values_.size(), " is not UTF-8"));
      }
      const int byte = input_->Peek();
      if (byte == ',') {
        input_->Get();
        continue;
      }
      if (byte < 0) return input_->status().ok() ? absl::StatusOr<bool>(true) : input_->status();
      status = TakeNewline();
      if (!status.ok()) return status;
      return true;
    }
  }

  absl::Status ReadBare(Value& value) {
    for (int byte = input_->Peek(); byte >= 0 && byte != ',' && byte != '\n' && byte != '\r';
         byte = input_->Peek()) {
      if (byte == '"') return Wrong("a quote within a field that does not begin with one");
      if (absl::Status status = Append(value); !status.ok()) return status;
    }
    value.kind = value.text.empty() ? Value::Kind::kNull : Value::Kind::kPlain;
    return absl::OkStatus();
  }

  absl::Status ReadQuoted(Value& value) {
    input_->Get();
    value.kind = Value::Kind::kPlain;
    for (;;) {
      if (input_->Peek() < 0) {
        return input_->status().ok() ? Wrong("a quote without its end") : input_->status();
      }
      if (input_->Peek() == '"') {
        input_->Get();
        const int byte = input_->Peek();
        if (byte < 0 || byte == ',' || byte == '\n' || byte == '\r') return absl::OkStatus();
        if (byte != '"') return Wrong("something follows the quote that ends a field");
      }
      if (absl::Status status = Append(value); !status.ok()) return status;
    }
  }

  absl::Status Append(Value& value) {
    if (++row_bytes_ > kMaxRowBytes) return absl::ResourceExhaustedError("a row above 64 MiB");
    value.text += static_cast<char>(input_->Get());
    return absl::OkStatus();
  }

  absl::Status TakeNewline() {
    if (input_->Get() == '\r' && input_->Get() != '\n') return Wrong("a CR without LF");
    return absl::OkStatus();
  }

  static absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(what); }

  std::size_t row_bytes_ = 0;
};

}  // namespace

std::unique_ptr<RowReader> ReadCsv(Input* input) { return std::make_unique<CsvReader>(input); }

}  // namespace strata::orm_tool
