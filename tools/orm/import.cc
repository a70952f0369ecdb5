// One savepoint for all, so that it may also be part of a transaction of the shell.

#include "tools/orm/import.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/orm/base64_internal.h"
#include "tools/orm/row_writer.h"
#include "tools/orm/session.h"

namespace strata::orm_tool {
namespace {

using orm::internal::Connection;

// What a column takes of a text, by the words in its type (https://sqlite.org/datatype3.html).
enum class Takes : std::uint8_t { kAnything, kInteger, kReal, kBlob };

Takes TakesOf(const std::string& type) {
  if (TypeHas(type.c_str(), "int")) return Takes::kInteger;
  if (TypeHas(type.c_str(), "blob")) return Takes::kBlob;
  for (const std::string_view word : {"real", "floa", "doub"}) {
    if (TypeHas(type.c_str(), word)) return Takes::kReal;
  }
  return Takes::kAnything;
}

class Importer {
 public:
  Importer(Connection& connection, const std::string& table)
      : connection_(connection), table_(table) {}

  // Learns which columns there are; also if there are others than before.
  absl::Status Start() {
    statement_.reset();
    takes_.clear();
    // Generated columns take no values.
    auto names =
        Texts(connection_, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", table_);
    if (!names.ok()) return names.status();
    const auto types =
        Texts(connection_, "SELECT type FROM pragma_table_xinfo(?) WHERE hidden = 0", table_);
    if (!types.ok()) return types.status();
    if (names->empty()) return absl::NotFoundError(absl::StrCat("there is no table ", table_));
    columns_ = *std::move(names);
    for (const std::string& type : *types) takes_.push_back(TakesOf(type));
    return absl::OkStatus();
  }

  absl::Status Insert(const RowReader& reader) {
    if (statement_ == nullptr || reader.names() != names_) {
      if (absl::Status status = Prepare(reader.names()); !status.ok()) return status;
    }
    for (std::size_t i = 0; i < reader.values().size(); ++i) {
      if (absl::Status status = Bind(i, reader.values()[i]); !status.ok()) {
        return absl::Status(status.code(),
                            absl::StrCat(table_, ".", names_[i], ": ", status.message()));
      }
    }
    const int result = sqlite3_step(statement_.get());
    const absl::Status status = result == SQLITE_DONE ? absl::OkStatus() : connection_.Error();
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
    return status;
  }

 private:
  absl::Status Prepare(const std::vector<std::string>& names) {
    std::vector<Takes> takes;
    for (const std::string& name : names) {
      std::size_t at = 0;
      while (at < columns_.size() && !absl::EqualsIgnoreCase(columns_[at], name)) ++at;
      if (at == columns_.size()) {
        return absl::NotFoundError(absl::StrCat(table_, " has no column ", name,
                                                "; there are: ", absl::StrJoin(columns_, ", ")));
      }
      takes.push_back(takes_[at]);
    }
    std::string sql = absl::StrCat("INSERT INTO ", Quoted(table_));
    if (names.empty()) {
      sql += " DEFAULT VALUES";
    } else {
      absl::StrAppend(&sql, " (",
                      absl::StrJoin(names, ", ", [](std::string* out, const auto& name) {
                        *out += Quoted(name);
                      }));
      sql += ") VALUES (?";
      for (std::size_t i = 1; i < names.size(); ++i) sql += ", ?";
      sql += ")";
    }
    absl::StatusOr<orm::internal::Statement> statement = connection_.Prepare(sql, true);
    if (!statement.ok()) return statement.status();
    statement_ = *std::move(statement);
    names_ = names;
    row_takes_ = std::move(takes);
    return absl::OkStatus();
  }

  // The value stays where it is until the row is written.
  absl::Status Bind(std::size_t at, const Value& value) {
    const int parameter = static_cast<int>(at) + 1;
    sqlite3_stmt* statement = statement_.get();
    int result = SQLITE_OK;
    switch (value.kind) {
      case Value::Kind::kNull:
        result = sqlite3_bind_null(statement, parameter);
        break;
      case Value::Kind::kInteger:
        if (row_takes_[at] == Takes::kBlob) return NoBlob();
        result = sqlite3_bind_int64(statement, parameter, value.integer);
        break;
      case Value::Kind::kReal:
        if (row_takes_[at] == Takes::kBlob) return NoBlob();
        result = sqlite3_bind_double(statement, parameter, value.real);
        break;
      case Value::Kind::kText:
      case Value::Kind::kPlain:
        return BindText(at, value);
    }
    return result == SQLITE_OK ? absl::OkStatus() : connection_.Error();
  }

  absl::Status BindText(std::size_t at, const Value& value) {
    const int parameter = static_cast<int>(at) + 1;
    sqlite3_stmt* statement = statement_.get();
    int result = SQLITE_OK;
    if (row_takes_[at] == Takes::kBlob) {
      orm::Blob blob;
      if (!orm::internal::DecodeBase64(value.text, &blob)) return NoBlob();
      // An empty one is no NULL.
      result = sqlite3_bind_blob64(statement, parameter, blob.empty() ? "" : (void*)blob.data(),
                                   blob.size(), SQLITE_TRANSIENT);
    } else if (row_takes_[at] == Takes::kInteger && value.kind == Value::Kind::kPlain) {
      std::int64_t integer = 0;
      if (!absl::SimpleAtoi(value.text, &integer)) return Not(value, "integer of 64 bits");
      result = sqlite3_bind_int64(statement, parameter, integer);
    } else if (row_takes_[at] == Takes::kReal && value.kind == Value::Kind::kPlain) {
      double real = 0;
      if (!absl::SimpleAtod(value.text, &real) || !std::isfinite(real)) {
        return Not(value, "number");
      }
      result = sqlite3_bind_double(statement, parameter, real);
    } else {
      result = sqlite3_bind_text64(statement, parameter, value.text.data(), value.text.size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
    return result == SQLITE_OK ? absl::OkStatus() : connection_.Error();
  }

  static absl::Status NoBlob() {
    return absl::InvalidArgumentError("no base64, as BLOBs have to be");
  }

  static absl::Status Not(const Value& value, std::string_view what) {
    constexpr std::size_t kShown = 40;
    return absl::InvalidArgumentError(absl::StrCat("'", value.text.substr(0, kShown),
                                                   value.text.size() > kShown ? "..." : "",
                                                   "' is no ", what));
  }

  Connection& connection_;
  const std::string table_;
  std::vector<std::string> columns_;
  std::vector<Takes> takes_;
  // Of the statement.
  std::vector<std::string> names_;
  std::vector<Takes> row_takes_;
  orm::internal::Statement statement_;
};

// A table without types that gets the rows first, and what its columns may be by all of their
// values.
class NewTable {
 public:
  NewTable(Connection& connection, const std::string& table)
      : connection_(connection), table_(table), rows_(absl::StrCat(table, "#import")) {}

  const std::string& rows() const { return rows_; }

  absl::Status Start() {
    const auto found =
        Texts(connection_, "SELECT name FROM sqlite_schema WHERE name = ? COLLATE NOCASE", table_);
    if (!found.ok()) return found.status();
    if (found->empty()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("there is a table ", table_, " already"));
  }

  // Before a row is inserted; true in `*grown` if there are columns that were not there before.
  absl::Status Note(const RowReader& reader, bool* grown) {
    *grown = false;
    ++rows_seen_;
    for (std::size_t i = 0; i < reader.names().size(); ++i) {
      const std::string& name = reader.names()[i];
      std::size_t at = 0;
      while (at < columns_.size() && !absl::EqualsIgnoreCase(columns_[at].name, name)) ++at;
      if (at == columns_.size()) {
        if (absl::Status status = Add(name); !status.ok()) return status;
        *grown = true;
      }
      if (i >= reader.values().size()) continue;
      if (columns_[at].row == rows_seen_) {
        return absl::InvalidArgumentError(absl::StrCat("there are two columns ", name));
      }
      columns_[at].row = rows_seen_;
      columns_[at].Note(reader.values()[i]);
    }
    return absl::OkStatus();
  }

  // The table itself.
  absl::Status Finish() {
    if (columns_.empty()) {
      return absl::InvalidArgumentError("there is no row that says which columns there are");
    }
    const std::string columns =
        absl::StrJoin(columns_, ", ", [](std::string* out, const NewColumn& column) {
          absl::StrAppend(out, Quoted(column.name), " ", column.Type());
        });
    absl::Status status = connection_.Execute(
        absl::StrCat("CREATE TABLE ", Quoted(table_), " (", columns, ") STRICT"));
    if (!status.ok()) return status;
    status = connection_.Execute(
        absl::StrCat("INSERT INTO ", Quoted(table_), " SELECT * FROM ", Quoted(rows_)));
    return status.ok() ? connection_.Execute(absl::StrCat("DROP TABLE ", Quoted(rows_))) : status;
  }

 private:
  struct NewColumn {
    std::string name;
    std::uint64_t row = 0;  // The last one that has named it, from 1 on.
    bool has_values = false;
    bool has_texts = false;    // Values that are no number.
    bool has_numbers = false;  // Of JSON, which says so.
    bool has_reals = false;
    bool has_large = false;  // Integers that are not exact as doubles.

    void Note(const Value& value) {
      if (value.kind == Value::Kind::kNull) return;
      has_values = true;
      std::int64_t integer = value.integer;
      double real = 0;
      if (value.kind == Value::Kind::kText) {
        has_texts = true;
      } else if (value.kind == Value::Kind::kReal) {
        has_numbers = has_reals = true;
      } else if (value.kind == Value::Kind::kInteger || IsInteger(value.text, &integer)) {
        constexpr std::int64_t kExact = std::int64_t{1} << 53;
        has_numbers = has_numbers || value.kind == Value::Kind::kInteger;
        has_large = has_large || integer < -kExact || integer > kExact;
      } else if (absl::SimpleAtod(value.text, &real) && RealText(real) == value.text) {
        has_reals = true;
      } else {
        has_texts = true;
      }
    }

    static bool IsInteger(const std::string& text, std::int64_t* integer) {
      return absl::SimpleAtoi(text, integer) && absl::StrCat(*integer) == text;
    }

    std::string_view Type() const {
      const bool is_mixed = has_texts || (has_reals && has_large);
      if (is_mixed) return has_numbers ? "ANY" : "TEXT";
      return !has_values ? "TEXT" : has_reals ? "REAL" : "INTEGER";
    }
  };

  absl::Status Add(const std::string& name) {
    const std::string sql =
        columns_.empty()
            ? absl::StrCat("CREATE TABLE ", Quoted(rows_), " (", Quoted(name), ")")
            : absl::StrCat("ALTER TABLE ", Quoted(rows_), " ADD COLUMN ", Quoted(name));
    columns_.push_back({name});
    return connection_.Execute(sql);
  }

  Connection& connection_;
  const std::string table_;
  const std::string rows_;
  std::vector<NewColumn> columns_;
  std::uint64_t rows_seen_ = 0;
};

// `made` is null for a table that is there.
absl::StatusOr<std::uint64_t> InsertRows(Connection& connection, const std::string& table,
                                         NewTable* made, RowReader& reader,
                                         const std::string& input_name, Progress& progress) {
  Importer importer(connection, made == nullptr ? table : made->rows());
  if (absl::Status status = made == nullptr ? importer.Start() : made->Start(); !status.ok()) {
    return status;
  }
  const auto at_line = [&](const absl::Status& status) {
    if (absl::IsCancelled(status)) return status;
    return absl::Status(status.code(),
                        absl::StrCat(input_name, ":", reader.line(), ": ", status.message()));
  };
  for (std::uint64_t rows = 0;;) {
    const absl::StatusOr<bool> more = reader.Next();
    if (!more.ok()) return at_line(more.status());
    if (made != nullptr) {
      // At the end too, as CSV without rows has names.
      bool grown = false;
      absl::Status status = made->Note(reader, &grown);
      if (status.ok() && grown) status = importer.Start();
      if (status.ok() && !*more) status = made->Finish();
      if (!status.ok()) return at_line(status);
    }
    if (!*more) return rows;
    if (absl::Status status = importer.Insert(reader); !status.ok()) return at_line(status);
    if (absl::Status status = progress.Show(++rows); !status.ok()) return status;
  }
}

absl::StatusOr<std::uint64_t> Import(Connection& connection, const std::string& table,
                                     NewTable* made, RowReader& reader,
                                     const std::string& input_name, Progress& progress) {
  if (absl::Status status = connection.Execute("SAVEPOINT orm_import"); !status.ok()) return status;
  absl::StatusOr<std::uint64_t> rows =
      InsertRows(connection, table, made, reader, input_name, progress);
  if (rows.ok()) {
    const absl::Status status = connection.Execute("RELEASE orm_import");
    if (status.ok()) return rows;
    rows = status;  // A reference that is checked at the end, or a full disk.
  }
  connection.Execute("ROLLBACK TO orm_import").IgnoreError();
  connection.Execute("RELEASE orm_import").IgnoreError();
  return rows;
}

}  // namespace

absl::StatusOr<std::uint64_t> ImportRows(Connection& connection, const std::string& table,
                                         RowReader& reader, const std::string& input_name,
                                         Progress& progress) {
  return Import(connection, table, nullptr, reader, input_name, progress);
}

absl::StatusOr<std::uint64_t> ImportNewTable(Connection& connection, const std::string& table,
                                             RowReader& reader, const std::string& input_name,
                                             Progress& progress) {
  NewTable made(connection, table);
  return Import(connection, table, &made, reader, input_name, progress);
}

}  // namespace strata::orm_tool
