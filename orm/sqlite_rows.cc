// The virtual table over rows in memory (https://sqlite.org/vtab.html).

#include <new>

#include "absl/strings/str_cat.h"
#include "strata/orm/sqlite_session_internal.h"
#include "strata/orm/sqlite_values_internal.h"

namespace strata::orm::internal {
namespace {

struct Table : sqlite3_vtab {
  RowSource* source;
};

struct Cursor : sqlite3_vtab_cursor {
  const RowSource* source;
  const char* row;
  const char* end;
};

Cursor& Of(sqlite3_vtab_cursor* cursor) { return *static_cast<Cursor*>(cursor); }

int Connect(sqlite3* database, void* source, int, const char* const*, sqlite3_vtab** table,
            char**) {
  auto* rows = static_cast<RowSource*>(source);
  std::string sql = "CREATE TABLE rows (";
  for (std::size_t i = 0; i < rows->columns.size(); ++i) {
    absl::StrAppend(&sql, i == 0 ? "c" : ", c", i);
  }
  const int result = sqlite3_declare_vtab(database, absl::StrCat(sql, ")").c_str());
  if (result != SQLITE_OK) return result;
  auto* made = new (std::nothrow) Table();
  if (made == nullptr) return SQLITE_NOMEM;
  made->source = rows;
  *table = made;
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab*, sqlite3_index_info* info) {
  info->estimatedRows = static_cast<sqlite3_int64>(kRowsPerStatement);
  info->estimatedCost = static_cast<double>(kRowsPerStatement);
  return SQLITE_OK;
}

int Open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = new (std::nothrow) Cursor();
  return *cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int Filter(sqlite3_vtab_cursor* base, int, const char*, int, sqlite3_value**) {
  Cursor& cursor = Of(base);
  cursor.source = static_cast<Table*>(base->pVtab)->source;
  cursor.row = cursor.source->rows;
  cursor.end = cursor.row + cursor.source->count * cursor.source->table->row_size;
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  Of(cursor).row += Of(cursor).source->table->row_size;
  return SQLITE_OK;
}

int Eof(sqlite3_vtab_cursor* cursor) { return Of(cursor).row == Of(cursor).end ? 1 : 0; }

[[gnu::noinline]] int PutOther(const RowSource& source, const Column& column, const char* row,
                               sqlite3_context* context) {
  if (&column != source.rowid && PutPlain(Result(context), column, row)) return SQLITE_OK;
  if (source.table->has_rules && !CheckRules(*source.table, column, row).ok()) {
    return SQLITE_CONSTRAINT;
  }
  // A result that is not set is NULL.
  if (&column == source.rowid && IsNewKey(column, row)) return SQLITE_OK;
  std::uint64_t room = 0;
  const void* value = ValueToWrite(column, source.stamps, row, &room);
  if (value == nullptr) return SQLITE_OK;
  const absl::Status status =
      ResultValue(context, *column.value, column.has(Column::kAsText), value);
  return status.ok() ? SQLITE_OK : SQLITE_CONSTRAINT;
}

// Integers come first, as there are most of them, and the compiler saves no register for them.
int Put(const RowSource& source, const Column& column, const char* row, sqlite3_context* context) {
  if (column.shape != Column::Shape::kInt64 || &column == source.rowid) {
    return PutOther(source, column, row, context);
  }
  sqlite3_result_int64(context, Load<std::int64_t>(row + column.offset));
  return SQLITE_OK;
}

int Value(sqlite3_vtab_cursor* base, sqlite3_context* context, int position) {
  const Cursor& cursor = Of(base);
  const Column& column = *cursor.source->columns[static_cast<std::size_t>(position)];
  return Put(*cursor.source, column, cursor.row, context);
}

int Rowid(sqlite3_vtab_cursor*, sqlite3_int64* rowid) {
  *rowid = 0;  // The library's statements do not ask.
  return SQLITE_OK;
}

// Without xCreate: it is there by its name, and no SQL makes another.
constexpr sqlite3_module MakeModule() {
  sqlite3_module module{};
  module.xConnect = &Connect;
  module.xDisconnect = &Disconnect;
  module.xBestIndex = &BestIndex;
  module.xOpen = &Open;
  module.xClose = &Close;
  module.xFilter = &Filter;
  module.xNext = &Next;
  module.xEof = &Eof;
  module.xColumn = &Value;
  module.xRowid = &Rowid;
  return module;
}

constexpr sqlite3_module kModule = MakeModule();

void FieldValue(sqlite3_context* context, int, sqlite3_value**) {
  const RowField& field = *static_cast<const RowField*>(sqlite3_user_data(context));
  RowSource& source = *field.source;
  if (source.rows == nullptr) return;
  if (Put(source, *field.column, source.rows, context) == SQLITE_OK) return;
  source.refused = true;
  sqlite3_result_error_code(context, SQLITE_CONSTRAINT);
}

}  // namespace

absl::Status RegisterRows(sqlite3* database, const std::string& name, RowSource* source) {
  const int result = sqlite3_create_module(database, name.c_str(), &kModule, source);
  if (result == SQLITE_OK) return absl::OkStatus();
  return StatusOfCode(result, sqlite3_errmsg(database));
}

absl::Status RegisterField(sqlite3* database, const std::string& name, RowField* field) {
  // Not for triggers and views, which would run while the source has a row.
  const int result =
      sqlite3_create_function_v2(database, name.c_str(), 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, field,
                                 &FieldValue, nullptr, nullptr, nullptr);
  if (result == SQLITE_OK) return absl::OkStatus();
  return StatusOfCode(result, sqlite3_errmsg(database));
}

}  // namespace strata::orm::internal
