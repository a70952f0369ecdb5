#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/schema_compare_internal.h"
#include "strata/orm/schema_follow_internal.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_rebuild_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sql_tokens_internal.h"

namespace strata::orm::internal {
namespace {

std::string Rows(std::int64_t count) { return count == 1 ? "1 row" : absl::StrCat(count, " rows"); }

std::vector<std::string> KeyOf(const TableSchema& table) {
  std::vector<std::string> key;
  for (int position = 1;; ++position) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const ColumnSchema& each) { return each.key == position; });
    if (found == table.columns.end()) return key;
    key.push_back(absl::AsciiStrToLower(found->name));
  }
}

class Comparison {
 public:
  Comparison(Connection& connection, const TableInfo& table, const MigrateOptions& options,
             SchemaPlan* plan)
      : connection_(connection), table_(table), options_(options), plan_(*plan) {}

  absl::Status Run() {
    if (absl::Status status = Read(); !status.ok()) return status;
    if (!found_) return EmitAll();
    if (existing_.type != "table") {
      Refuse(Where(), absl::StrCat("is a ", existing_.type, " table in the file"), {});
      return absl::OkStatus();
    }
    const std::size_t refused_before = plan_.refused.size();
    CompareTables();
    for (const ColumnSchema& column : described_.columns) {
      const ColumnSchema* found = existing_.Find(column.name);
      if (found == nullptr) {
        AddColumn(*table_.Find(column.name), column);
      } else {
        CompareColumn(*table_.Find(column.name), column, *found);
      }
    }
    for (const ColumnSchema& column : existing_.columns) {
      if (described_.Find(column.name) == nullptr) CompareUndescribed(column);
    }
    CompareChecks();
    CompareReferences();
    CompareIndexes();
    DecideRebuild();
    if (error_.ok() && plan_.refused.size() == refused_before) return EmitAll();
    return error_;
  }

 private:
  absl::Status Read() {
    for (const Column& column : table_.columns) {
      if (column.references == nullptr || column.references().key_count == 1) continue;
      return ColumnError(absl::StatusCode::kFailedPrecondition, table_, column,
                         "refers to a table whose key is not one column");
    }
    absl::StatusOr<TableSchema> described = DescribedSchema(table_);
    if (!described.ok()) return described.status();
    described_ = *std::move(described);
    absl::StatusOr<std::optional<TableSchema>> existing = ReadTable(connection_, table_.name);
    if (!existing.ok()) return existing.status();
    found_ = existing->has_value();
    if (found_) existing_ = **std::move(existing);
    return absl::OkStatus();
  }

  std::string Where() const { return std::string(table_.name); }
  std::string Where(std::string_view column) const {
    return absl::StrCat(table_.name, ".", column);
  }

  // True if one of the texts is allowed.
  bool IsAllowed(std::span<const std::string> texts) const {
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return std::find(options_.allow.begin(), options_.allow.end(), text) != options_.allow.end();
    });
  }

  void Refuse(std::string where, std::string what, std::vector<std::string> allow) {
    plan_.refused.push_back({std::move(where), std::move(what), std::move(allow)});
  }

  // A change that loses something, or gives it another meaning, and takes a rebuild.
  bool Allowed(std::string where, std::string what, std::vector<std::string> allow) {
    if (!IsAllowed(allow)) {
      Refuse(std::move(where), std::move(what), std::move(allow));
      return false;
    }
    must_rebuild_ = true;
    return true;
  }

  // A change that keeps everything, but takes a rebuild.
  void NeedRebuild(std::string where, std::string what) {
    reasons_.push_back({std::move(where), std::move(what), {absl::StrCat("rebuild ", Where())}});
  }

  // 0 after an error, which is kept. What cannot be asked before the change (an expression over a
  // column that is not there yet) will be found while it is made.
  std::int64_t Ask(std::string_view sql) {
    if (!error_.ok()) return 0;
    const absl::StatusOr<std::int64_t> answer = IntegerOf(connection_, sql);
    if (answer.ok()) return *answer;
    if (answer.status().code() != absl::StatusCode::kInvalidArgument) error_ = answer.status();

    return 0;
  }

  bool HasRows() {
    if (!has_rows_.has_value()) {
      has_rows_ =
          Ask(absl::StrCat("SELECT EXISTS (SELECT 1 FROM ", Quoted(existing_.name), ")")) != 0;
    }
    return *has_rows_;
  }

  // Of the rows as they would be.
  std::int64_t CountRows(std::string_view where) {
    return Ask(absl::StrCat("SELECT count(*) FROM (", ChangedRowsSql(table_, existing_), ") WHERE ",
                            where));
  }

  void CompareTables() {
    const std::vector<std::string> key = KeyOf(described_);
    if (KeyOf(existing_) != key) {
      if (Allowed(Where(),
                  absl::StrCat("has the key (", absl::StrJoin(KeyOf(existing_), ", "),
                               ") in the file, and not (", absl::StrJoin(key, ", "), ")"),
                  {absl::StrCat("rekey ", Where())})) {
        CheckKey(key);
      }
    } else if (described_.is_without_rowid != existing_.is_without_rowid) {
      NeedRebuild(Where(), "has its key stored in another way");
    }
    if (!existing_.is_strict) NeedRebuild(Where(), "is not STRICT in the file");
    if (described_.is_autoincrement != existing_.is_autoincrement) {
      NeedRebuild(Where(), described_.is_autoincrement ? "is not AUTOINCREMENT in the file"
                                                       : "is AUTOINCREMENT in the file");
    }
  }

  // A key of numbers that is new gets them.
  void CheckKey(const std::vector<std::string>& key) {
    IndexSchema index;
    for (const std::string& column : key) {
      const ColumnSchema& described = *described_.Find(column);
      if (existing_.Find(column) != nullptr) {
        CheckNulls(described);
      } else if (table_.has_rowid_key()) {
        return;
      }
      index.parts.push_back({column, described.collation});
    }
    CheckUnique(index);
  }

  void AddColumn(const Column& column, const ColumnSchema& described) {
    if (described.key != 0 && table_.has_rowid_key()) return;  // SQLite gives the numbers.
    const bool has_default = !described.default_value.empty();
    if (described.not_null && !has_default && column.generated.empty() && HasRows()) {
      return Refuse(Where(described.name),
                    "is new, and there are rows without it: give it a Default(), or make it a "
                    "std::optional without NotNull()",
                    {});
    }
    if (described.not_null) CheckNulls(described);
    if (!column.check.empty()) CheckRows(column.check, Where(described.name));
    // What SQLite does not add in place (https://sqlite.org/lang_altertable.html#altertabaddcol).
    const bool is_computed = column.default_value.type == DefaultValue::Type::kSql;
    if (HasRows() &&
        (described.is_stored || is_computed || (column.references != nullptr && has_default))) {
      return NeedRebuild(Where(described.name), "is new, and its values have to be put into rows");
    }
    added_.push_back(AddColumnSql(table_, column));
  }

  void CompareColumn(const Column& column, const ColumnSchema& described,
                     const ColumnSchema& existing) {
    const std::string where = Where(described.name);
    if (!described.generated.empty() && described.generated != existing.generated) {
      recomputed_.push_back(absl::AsciiStrToLower(described.name));
      if (described.not_null) CheckNulls(described);
    }
    if (!described.generated.empty() && existing.generated.empty()) {
      Allowed(where, "is computed in the description, and not in the file: its values would go",
              {absl::StrCat("drop ", where)});
    } else if (described.generated != existing.generated ||
               described.is_stored != existing.is_stored) {
      NeedRebuild(where, "is computed in another way");
    }
    if (described.type != existing.type) CompareTypes(column, described, existing);
    if (described.not_null != existing.not_null) {
      NeedRebuild(where,
                  described.not_null ? "may be NULL in the file" : "is NOT NULL in the file");
      if (described.not_null) CheckNulls(described);
    }
    if (described.default_value != existing.default_value) {
      NeedRebuild(where, absl::StrCat("has ", existing.default_value.empty() ? "no" : "another",
                                      " default in the file"));
    }
    if (described.collation != existing.collation) {
      NeedRebuild(where, absl::StrCat("is COLLATE ", existing.collation, " in the file"));
    }
  }

  void CompareTypes(const Column& column, const ColumnSchema& described,
                    const ColumnSchema& existing) {
    const std::string where = Where(described.name);
    std::string what = absl::StrCat("is ", existing.type.empty() ? "of no type" : existing.type,
                                    " in the file, not ", described.type);
    if (!described.generated.empty()) return NeedRebuild(where, std::move(what));
    if (!Allowed(where, std::move(what), {absl::StrCat("retype ", where)})) return;
    if (const std::int64_t count = Ask(LossyCastsSql(existing_, existing, described)); count != 0) {
      Refuse(where, absl::StrCat("would not be the same as ", described.type, " in ", Rows(count)),
             {});
    }
    plan_.retyped.push_back({&table_, &column});
  }

  void CompareUndescribed(const ColumnSchema& column) {
    const std::string where = Where(column.name);
    const std::string drop = absl::StrCat("drop ", where);
    const std::string keep = absl::StrCat("keep ", where);
    // Inserts give it no value.
    const bool can_stay = column.key == 0 && (!column.not_null || !column.default_value.empty() ||
                                              !column.generated.empty());
    if (can_stay && IsAllowed({&keep, 1})) {
      keeps_ = true;
      return;
    }
    if (IsAllowed({&drop, 1})) {
      must_rebuild_ = true;
      return;
    }
    std::string what = "is not described";
    const std::int64_t count =
        Ask(absl::StrCat("SELECT count(", Quoted(column.name), ") FROM ", Quoted(existing_.name)));
    if (count != 0) absl::StrAppend(&what, ", and has values in ", Rows(count));
    Refuse(where, std::move(what),
           can_stay ? std::vector<std::string>{drop, keep} : std::vector<std::string>{drop});
  }

  void CheckNulls(const ColumnSchema& described) {
    const std::int64_t count = CountRows(absl::StrCat(Quoted(described.name), " IS NULL"));
    if (count == 0) return;
    Refuse(Where(described.name), absl::StrCat("is NOT NULL, and is NULL in ", Rows(count)), {});
  }

  void CheckRows(std::string_view check, std::string where) {
    const std::int64_t count = CountRows(absl::StrCat("NOT (", check, ")"));
    if (count == 0) return;
    Refuse(std::move(where),
           absl::StrCat("has CHECK (", check, "), against which are ", Rows(count)), {});
  }

  void CompareChecks() {
    std::vector<std::string> existing = existing_.checks;
    for (const Column& column : table_.columns) {
      if (!column.check.empty() && existing_.Find(column.name) == nullptr) {
        existing.push_back(NormalSql(column.check));  // It comes with its column.
      }
    }
    for (const std::string& check : ChecksOf(table_)) {
      const auto found = std::find(existing.begin(), existing.end(), NormalSql(check));
      if (found != existing.end()) {
        existing.erase(found);
        continue;
      }
      NeedRebuild(Where(), absl::StrCat("has no CHECK (", check, ") in the file"));
      CheckRows(check, Where());
    }
    for (const std::string& check : existing) {
      NeedRebuild(Where(), absl::StrCat("has a CHECK (", check, ") in the file"));
    }
  }

  void CompareReferences() {
    const auto missing = [](const TableSchema& in, const ReferenceSchema& reference) {
      return std::find(in.references.begin(), in.references.end(), reference) ==
             in.references.end();
    };
    for (const ReferenceSchema& reference : described_.references) {
      if (existing_.Find(reference.column) != nullptr && missing(existing_, reference)) {
        NeedRebuild(Where(reference.column),
                    absl::StrCat("does not refer to ", reference.text, " in the file"));
      }
    }
    for (const ReferenceSchema& reference : existing_.references) {
      if (described_.Find(reference.column) != nullptr && missing(described_, reference)) {
        NeedRebuild(Where(reference.column),
                    absl::StrCat("refers to ", reference.text, " in the file"));
      }
    }
  }

  void CompareIndexes() {
    for (const IndexSchema& index : described_.indexes) {
      if (!index.is_key) CompareIndex(index);
    }
    for (const IndexSchema& index : existing_.indexes) {
      if (!index.is_key && Describes(index) == nullptr) CompareUndescribed(index);
    }
  }

  static bool HasName(const IndexSchema& index, std::string_view name) {
    return !index.sql.empty() && SameName(index.name, name);
  }

  // A Unique() of a column is part of the table where that was created with it, or else an index.
  static bool IsSameUnique(const IndexSchema& part_of_table, const IndexSchema& index) {
    return part_of_table.sql.empty() && index.is_unique && !index.is_partial &&
           index.parts == part_of_table.parts;
  }

  void CompareIndex(const IndexSchema& index) {
    const auto found = std::find_if(existing_.indexes.begin(), existing_.indexes.end(),
                                    [&](const IndexSchema& each) {
                                      return IsSameUnique(index, each) || HasName(each, index.name);
                                    });
    if (found != existing_.indexes.end()) {
      if (index.sql.empty() || NormalSql(found->sql) == NormalSql(index.sql)) {
        if (index.is_unique && IsRecomputed(index)) CheckUnique(index);
        return;
      }
      dropped_indexes_.push_back(found->name);
    }
    if (index.is_unique) CheckUnique(index);
    created_indexes_.push_back(index.sql.empty() ? UniqueIndexSql(index) : index.sql);
  }

  bool IsRecomputed(const IndexSchema& index) const {
    return std::any_of(index.parts.begin(), index.parts.end(), [&](const IndexSchema::Part& part) {
      return std::find(recomputed_.begin(), recomputed_.end(), part.column) != recomputed_.end();
    });
  }

  std::string UniqueIndexSql(const IndexSchema& index) const {
    std::string name = Where();
    for (const IndexSchema::Part& part : index.parts) absl::StrAppend(&name, "_", part.column);
    return absl::StrCat("CREATE UNIQUE INDEX ", Quoted(absl::StrCat(name, "_unique")), " ON ",
                        Quoted(table_.name), " (",
                        absl::StrJoin(index.parts, ", ",
                                      [](std::string* out, const IndexSchema::Part& part) {
                                        absl::StrAppend(out, Quoted(part.column));
                                      }),
                        ")");
  }

  void CheckUnique(const IndexSchema& index) {
    std::string columns;
    std::string present;  // NULLs are all different.
    for (const IndexSchema::Part& part : index.parts) {
      absl::StrAppend(&columns, columns.empty() ? "" : ", ", Quoted(part.column), " COLLATE ",
                      Quoted(part.collation));
      absl::StrAppend(&present, present.empty() ? "" : " AND ", Quoted(part.column),
                      " IS NOT NULL");
    }
    std::string where;
    for (const IndexInfo& info : table_.indexes) {
      if (info.unique && index.is_partial && HasName(index, IndexName(table_, info))) {
        where = absl::StrCat(" AND (", info.where, ")");
      }
    }
    const std::int64_t count = Ask(
        absl::StrCat("SELECT count(*) FROM (SELECT 1 FROM (", ChangedRowsSql(table_, existing_),
                     ") WHERE ", present, where, " GROUP BY ", columns, " HAVING count(*) > 1)"));
    if (count == 0) return;
    const std::string names = absl::StrJoin(
        index.parts, ", ",
        [](std::string* out, const IndexSchema::Part& part) { out->append(part.column); });
    Refuse(Where(),
           absl::StrCat("is UNIQUE by (", names, "), and has ", count,
                        count == 1 ? " value" : " values", " there more than once"),
           {});
  }

  // The description of an index in the file, or null.
  const IndexSchema* Describes(const IndexSchema& index) const {
    for (const IndexSchema& each : described_.indexes) {
      if (IsSameUnique(each, index) || (!each.sql.empty() && HasName(index, each.name))) {
        return &each;
      }
    }
    return nullptr;
  }

  void CompareUndescribed(const IndexSchema& index) {
    const auto is_undescribed = [&](const IndexSchema::Part& part) {
      return !part.column.empty() && described_.Find(part.column) == nullptr;
    };
    // It stays or goes with its columns.
    if (std::all_of(index.parts.begin(), index.parts.end(), is_undescribed)) return;
    if (!index.is_unique) {
      const bool goes = std::any_of(index.parts.begin(), index.parts.end(), is_undescribed);
      if (!goes) undescribed_indexes_.push_back(index.sql);
    } else if (index.sql.empty()) {
      NeedRebuild(Where(), absl::StrCat("is UNIQUE by (",
                                        absl::StrJoin(index.parts, ", ",
                                                      [](std::string* out, const auto& part) {
                                                        out->append(part.column);
                                                      }),
                                        ") in the file"));
    } else if (const std::string drop = absl::StrCat("drop index ", index.name);
               IsAllowed({&drop, 1})) {
      dropped_indexes_.push_back(index.name);
    } else {
      Refuse(Where(), absl::StrCat("has the unique index ", index.name, " in the file"), {drop});
    }
  }

  // A table that is rebuilt for what has been allowed takes along what keeps everything.
  void DecideRebuild() {
    const std::string rebuild = absl::StrCat("rebuild ", Where());
    if (!must_rebuild_ && !reasons_.empty()) {
      must_rebuild_ = options_.rebuild || IsAllowed({&rebuild, 1});
      if (!must_rebuild_) {
        plan_.refused.insert(plan_.refused.end(), reasons_.begin(), reasons_.end());
      }
    }
    const bool has_common =
        std::any_of(table_.columns.begin(), table_.columns.end(), [&](const Column& column) {
          return column.generated.empty() && existing_.Find(column.name) != nullptr;
        });
    if (must_rebuild_ && !has_common) {
      Refuse(Where(), "has no column that is described", {});
    }
    if (must_rebuild_ && keeps_) {
      Refuse(Where(), "cannot be rebuilt and keep columns that are not described", {});
    }
  }

  absl::Status EmitAll() {
    const TableFate fate{!found_, must_rebuild_};
    AroundSql followers;
    absl::Status status = PlanLog(connection_, table_, fate, &followers);
    if (status.ok()) status = PlanSearch(connection_, table_, fate, &followers);
    if (!status.ok()) return status;
    plan_.sql.insert(plan_.sql.end(), followers.before.begin(), followers.before.end());
    Emit();
    plan_.sql.insert(plan_.sql.end(), followers.after.begin(), followers.after.end());
    return absl::OkStatus();
  }

  void Emit() {
    if (!found_) {
      plan_.sql.push_back(CreateTableSql(table_, table_.name));
      for (std::string& sql : CreateIndexSql(table_)) plan_.sql.push_back(std::move(sql));
      return;
    }
    if (must_rebuild_) {
      std::vector<std::string> after = CreateIndexSql(table_);
      after.insert(after.end(), undescribed_indexes_.begin(), undescribed_indexes_.end());
      after.insert(after.end(), existing_.triggers.begin(), existing_.triggers.end());
      for (std::string& sql : RebuildSql(table_, existing_)) plan_.sql.push_back(std::move(sql));
      plan_.sql.insert(plan_.sql.end(), after.begin(), after.end());
      plan_.rebuilt.push_back(existing_.name);
      return;
    }
    plan_.sql.insert(plan_.sql.end(), added_.begin(), added_.end());
    for (const std::string& index : dropped_indexes_) {
      plan_.sql.push_back(absl::StrCat("DROP INDEX ", Quoted(index)));
    }
    plan_.sql.insert(plan_.sql.end(), created_indexes_.begin(), created_indexes_.end());
  }

  Connection& connection_;
  const TableInfo& table_;
  const MigrateOptions& options_;
  SchemaPlan& plan_;
  TableSchema described_;
  TableSchema existing_;
  bool found_ = false;
  absl::Status error_;
  std::optional<bool> has_rows_;
  bool must_rebuild_ = false;
  bool keeps_ = false;  // Columns that are not described.
  std::vector<SchemaReport::Refusal> reasons_;
  std::vector<std::string> recomputed_;  // Columns, in lower case.
  std::vector<std::string> added_;
  std::vector<std::string> dropped_indexes_;
  std::vector<std::string> created_indexes_;
  std::vector<std::string> undescribed_indexes_;
};

}  // namespace

absl::Status CompareTable(Connection& connection, const TableInfo& table,
                          const MigrateOptions& options, SchemaPlan* plan) {
  return Comparison(connection, table, options, plan).Run();
}

absl::Status RefusedError(const std::vector<SchemaReport::Refusal>& refused) {
  if (refused.empty()) return absl::OkStatus();
  std::string message = "the schema of the file does not fit:";
  for (const SchemaReport::Refusal& refusal : refused) {
    absl::StrAppend(&message, "\n", refusal.where, ": ", refusal.what);
    if (refusal.allow.empty()) continue;
    absl::StrAppend(&message, " (to allow: \"", absl::StrJoin(refusal.allow, "\" or \""), "\")");
  }
  return absl::FailedPreconditionError(message);
}

}  // namespace strata::orm::internal
