// A table's columns are as wide as in its first rows; what is wider later goes over. Control
// characters in it are shown as \x1b: what is in a database does not get to talk to the terminal.

#include "tools/orm/row_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/base64_internal.h"
#include "strata/orm/json.h"
#include "strata/orm/utf8_internal.h"

namespace strata::orm_tool {
namespace {

constexpr std::size_t kMeasuredRows = 1000;
constexpr std::size_t kMaxWidth = 60;

std::string_view TextOf(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  if (text == nullptr) return "";
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

std::string Base64Of(sqlite3_stmt* statement, int column) {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  std::string text(orm::internal::Base64Size(size), '\0');
  orm::internal::EncodeBase64({bytes, size}, text.data());
  return text;
}

class Writer {
 public:
  Writer(sqlite3_stmt* statement, const WriteOptions& options, Output& output)
      : statement_(statement), options_(options), output_(output) {
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      names_.emplace_back(sqlite3_column_name(statement, i));
      is_blob_.push_back(TypeHas(sqlite3_column_decltype(statement, i), "blob"));
    }
  }
  virtual ~Writer() = default;

  virtual absl::Status Begin() = 0;
  virtual absl::Status Row() = 0;
  virtual absl::Status End() = 0;

 protected:
  int columns() const { return static_cast<int>(names_.size()); }
  const std::string& name(int column) const { return names_[static_cast<std::size_t>(column)]; }

  // Of what would come back as something else.
  absl::Status CheckExact(int column) const {
    const int type = sqlite3_column_type(statement_, column);
    if (type == SQLITE_FLOAT && !std::isfinite(sqlite3_column_double(statement_, column))) {
      return absl::InvalidArgumentError(
          absl::StrCat(name(column), ": a number that is not finite has no text"));
    }
    const bool is_blob = is_blob_[static_cast<std::size_t>(column)];
    if (!options_.exact || type == SQLITE_NULL || (type == SQLITE_BLOB) == is_blob) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat(name(column), is_blob ? ": a value that is no BLOB in a column of that type"
                                           : ": a BLOB in a column of another type"));
  }

  sqlite3_stmt* const statement_;
  const WriteOptions& options_;
  Output& output_;
  std::vector<std::string> names_;
  std::vector<bool> is_blob_;
};

class CsvWriter final : public Writer {
 public:
  using Writer::Writer;

  absl::Status Begin() override {
    for (int i = 0; i < columns(); ++i) {
      if (i > 0) output_.Write(",");
      WriteText(name(i));
    }
    output_.Write("\r\n");
    return absl::OkStatus();
  }

  absl::Status Row() override {
    for (int i = 0; i < columns(); ++i) {
      if (absl::Status status = CheckExact(i); !status.ok()) return status;
      if (i > 0) output_.Write(",");
      switch (sqlite3_column_type(statement_, i)) {
        case SQLITE_NULL:
          break;
        case SQLITE_INTEGER:
          output_.Write(absl::StrCat(sqlite3_column_int64(statement_, i)));
          break;
        case SQLITE_FLOAT:
          output_.Write(RealText(sqlite3_column_double(statement_, i)));
          break;
        case SQLITE_BLOB:
          WriteText(Base64Of(statement_, i));
          break;
        default:
          WriteText(TextOf(statement_, i));
      }
    }
    output_.Write("\r\n");
    return absl::OkStatus();
  }

  absl::Status End() override { return absl::OkStatus(); }

 private:
  void WriteText(std::string_view text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      return output_.Write(text);
    }
    output_.Write("\"");
    for (std::size_t quote; (quote = text.find('"')) != std::string_view::npos;) {
      output_.Write(text.substr(0, quote));
      output_.Write("\"\"");
      text.remove_prefix(quote + 1);
    }
    output_.Write(text);
    output_.Write("\"");
  }
};

class JsonWriter final : public Writer {
 public:
  using Writer::Writer;

  absl::Status Begin() override {
    std::set<std::string> seen;
    for (int i = 0; i < columns(); ++i) {
      if (!seen.insert(name(i)).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("two columns are called ", name(i), ": give one of them another name"));
      }
      absl::StatusOr<std::string> key = orm::ToJson(name(i));
      if (!key.ok()) return key.status();
      keys_.push_back(absl::StrCat(i == 0 ? "{" : ",", *key, ":"));
    }
    output_.Write("[");
    return absl::OkStatus();
  }

  absl::Status Row() override {
    output_.Write(first_ ? "\n" : ",\n");
    first_ = false;
    for (int i = 0; i < columns(); ++i) {
      if (absl::Status status = CheckExact(i); !status.ok()) return status;
      text_ = keys_[static_cast<std::size_t>(i)];
      if (absl::Status status = AppendValue(i); !status.ok()) {
        return absl::Status(status.code(), absl::StrCat(name(i), ": ", status.message()));
      }
      output_.Write(text_);
    }
    output_.Write("}");
    return absl::OkStatus();
  }

  absl::Status End() override {
    output_.Write(first_ ? "]\n" : "\n]\n");
    return absl::OkStatus();
  }

 private:
  absl::Status AppendValue(int column) {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_NULL:
        text_ += "null";
        return absl::OkStatus();
      case SQLITE_INTEGER:
        absl::StrAppend(&text_, sqlite3_column_int64(statement_, column));
        return absl::OkStatus();
      case SQLITE_FLOAT:
        text_ += RealText(sqlite3_column_double(statement_, column));
        return absl::OkStatus();
      case SQLITE_BLOB:
        absl::StrAppend(&text_, "\"", Base64Of(statement_, column), "\"");
        return absl::OkStatus();
      default:
        return orm::AppendJson(std::string(TextOf(statement_, column)), &text_);
    }
  }

  std::vector<std::string> keys_;
  std::string text_;
  bool first_ = true;
};

class TableWriter final : public Writer {
 public:
  using Writer::Writer;

  absl::Status Begin() override {
    for (int i = 0; i < columns(); ++i) widths_.push_back(WidthOf(Shown(name(i))));
    return absl::OkStatus();
  }

  absl::Status Row() override {
    std::vector<Cell> cells;
    for (int i = 0; i < columns(); ++i) {
      const int type = sqlite3_column_type(statement_, i);
      const bool is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
      cells.push_back({type == SQLITE_NULL    ? "NULL"
                       : type == SQLITE_BLOB  ? Base64Of(statement_, i)
                       : type == SQLITE_FLOAT ? RealText(sqlite3_column_double(statement_, i))
                                              : Shown(TextOf(statement_, i)),
                       is_number});
    }
    if (has_header_) {
      WriteCells(cells);
      return absl::OkStatus();
    }
    for (int i = 0; i < columns(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      widths_[at] = std::max(widths_[at], std::min(kMaxWidth, WidthOf(cells[at].text)));
    }
    rows_.push_back(std::move(cells));
    if (rows_.size() == kMeasuredRows) WriteMeasured();
    return absl::OkStatus();
  }

  absl::Status End() override {
    if (!has_header_) WriteMeasured();
    return absl::OkStatus();
  }

 private:
  struct Cell {
    std::string text;
    bool is_number = false;
  };

  static std::string Shown(std::string_view text) {
    const bool utf8 = orm::internal::IsUtf8(text);
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      // U+0080 to U+009F are control characters too.
      const bool is_control = byte < 0x20 || byte == 0x7F || (!utf8 && byte >= 0x80) ||
                              (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0);
      if (byte == '\n') {
        shown += "\\n";
      } else if (is_control) {
        absl::StrAppend(&shown, "\\x", absl::Hex(byte, absl::kZeroPad2));
        if (byte == 0xC2 && utf8) {
          absl::StrAppend(&shown, "\\x",
                          absl::Hex(static_cast<unsigned char>(text[++i]), absl::kZeroPad2));
        }
      } else {
        shown += text[i];
      }
    }
    return shown;
  }

  static std::size_t WidthOf(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
  }

  void WriteMeasured() {
    has_header_ = true;
    std::vector<Cell> header;
    std::vector<Cell> rule;
    for (int i = 0; i < columns(); ++i) {
      header.push_back({Shown(name(i))});
      rule.push_back({std::string(widths_[static_cast<std::size_t>(i)], '-')});
    }
    WriteCells(header);
    WriteCells(rule);
    for (const std::vector<Cell>& row : rows_) WriteCells(row);
    rows_.clear();
  }

  void WriteCells(const std::vector<Cell>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      const std::size_t width = WidthOf(cells[i].text);
      const std::string blanks(widths_[i] > width ? widths_[i] - width : 0, ' ');
      if (cells[i].is_number) line += blanks;
      line += cells[i].text;
      if (!cells[i].is_number && i + 1 < cells.size()) line += blanks;
    }
    output_.Write(line);
    output_.Write("\n");
  }

  std::vector<std::size_t> widths_;
  std::vector<std::vector<Cell>> rows_;
  bool has_header_ = false;
};

std::unique_ptr<Writer> MakeWriter(sqlite3_stmt* statement, const WriteOptions& options,
                                   Output& output) {
  switch (options.format) {
    case Format::kCsv:
      return std::make_unique<CsvWriter>(statement, options, output);
    case Format::kJson:
      return std::make_unique<JsonWriter>(statement, options, output);
    case Format::kTable:
      break;
  }
  return std::make_unique<TableWriter>(statement, options, output);
}

}  // namespace

std::string RealText(double value) {
  char text[32];
  std::string shortest(text, std::to_chars(text, text + sizeof(text), value).ptr);
  if (shortest.find_first_not_of("-0123456789") == std::string::npos) shortest += ".0";
  return shortest;
}

bool TypeHas(const char* declared, std::string_view word) {
  return declared != nullptr && absl::StrContains(absl::AsciiStrToLower(declared), word);
}

absl::Status WriteRows(orm::internal::Connection& connection, sqlite3_stmt* statement,
                       const WriteOptions& options, Output& output, Progress& progress) {
  if (sqlite3_column_count(statement) == 0) {
    const int result = sqlite3_step(statement);
    return result == SQLITE_DONE ? absl::OkStatus() : connection.Error();
  }
  const std::unique_ptr<Writer> writer = MakeWriter(statement, options, output);
  if (absl::Status status = writer->Begin(); !status.ok()) return status;
  int result = SQLITE_ROW;
  for (std::uint64_t rows = 0; (result = sqlite3_step(statement)) == SQLITE_ROW;) {
    if (absl::Status status = writer->Row(); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("row ", rows + 1, ": ", status.message()));
    }
    if (!output.status().ok()) return output.status();
    if (absl::Status status = progress.Show(++rows); !status.ok()) return status;
  }
  if (result != SQLITE_DONE) return connection.Error();
  return writer->End();
}

}  // namespace strata::orm_tool
