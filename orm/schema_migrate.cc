#include <new>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/orm/rules_internal.h"
#include "strata/orm/schema_compare_internal.h"
#include "strata/orm/schema_follow_internal.h"
#include "strata/orm/schema_migrate_internal.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"
#include "strata/orm/sqlite_values_internal.h"

namespace strata::orm::internal {
namespace {

// A setting of the connection that is another one for a while.
class Setting {
 public:
  Setting(Connection& connection, int option, int value)
      : connection_(connection), option_(option) {
    sqlite3_db_config(connection_.get(), option_, -1, &before_);
    sqlite3_db_config(connection_.get(), option_, value, nullptr);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;
  ~Setting() { sqlite3_db_config(connection_.get(), option_, before_, nullptr); }

 private:
  Connection& connection_;
  int option_;
  int before_ = 0;
};

// SQL that the file has, or the program's own, that does not do: it is the schema that is wrong,
// and no value that a caller has given.
absl::Status SchemaError(const absl::Status& status, std::string_view sql) {
  const absl::StatusCode code = status.code() == absl::StatusCode::kInvalidArgument ||
                                        status.code() == absl::StatusCode::kAlreadyExists
                                    ? absl::StatusCode::kFailedPrecondition
                                    : status.code();
  return absl::Status(code, absl::StrCat(status.message(), ", in: ", sql));
}

int DenyTransactions(void*, int action, const char*, const char*, const char*, const char*) {
  return action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ? SQLITE_DENY : SQLITE_OK;
}

// Statements one by one, as each may need what those before it have made.
absl::Status RunScript(Connection& connection, std::string_view script) {
  if (script.size() > kMaxSqlBytes) return absl::InvalidArgumentError("the SQL is too long");
  while (!script.empty()) {
    sqlite3_stmt* prepared = nullptr;
    const char* rest = nullptr;
    sqlite3_set_authorizer(connection.get(), &DenyTransactions, nullptr);
    const int code = sqlite3_prepare_v2(connection.get(), script.data(),
                                        static_cast<int>(script.size()), &prepared, &rest);
    sqlite3_set_authorizer(connection.get(), nullptr, nullptr);
    const Statement statement(prepared);
    if (code == SQLITE_AUTH) {
      return absl::FailedPreconditionError("a migration begins and ends no transaction");
    }
    if (code != SQLITE_OK) return SchemaError(connection.Error(), script);
    int result = prepared == nullptr ? SQLITE_DONE : SQLITE_ROW;
    while (result == SQLITE_ROW) result = sqlite3_step(prepared);
    const auto size = static_cast<std::size_t>(rest - script.data());
    if (result != SQLITE_DONE) return SchemaError(connection.Error(), script.substr(0, size));
    script.remove_prefix(size);
  }
  return absl::OkStatus();
}

// Views and triggers that cannot be used, with the reason.
absl::StatusOr<std::set<std::string>> BrokenObjects(Connection& connection) {
  std::set<std::string> broken;
  const auto check = [&](const std::string& name, const std::string& sql) {
    const absl::StatusOr<Statement> statement = connection.Prepare(sql, false);
    if (!statement.ok()) broken.insert(absl::StrCat(name, ": ", statement.status().message()));
  };
  const auto views = TextsOf(connection, "SELECT name FROM sqlite_schema WHERE type = 'view'", "");
  if (!views.ok()) return views.status();
  for (const std::string& view : *views) {
    check(absl::StrCat("the view ", view), absl::StrCat("SELECT * FROM ", Quoted(view)));
  }
  const auto tables =
      TextsOf(connection, "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'", "");
  if (!tables.ok()) return tables.status();
  for (const std::string& table : *tables) {
    const std::string name = absl::StrCat("a trigger of ", table);
    const absl::StatusOr<std::optional<TableSchema>> schema = ReadTable(connection, table);
    if (!schema.ok()) return schema.status();
    // Of views there are INSTEAD OF triggers, which are left to who uses them.
    if (!schema->has_value() || (*schema)->type != "table") continue;
    std::string set;
    for (const ColumnSchema& column : (*schema)->columns) {
      if (!column.generated.empty()) continue;
      const std::string quoted = Quoted(column.name);
      absl::StrAppend(&set, set.empty() ? "" : ", ", quoted, " = ", quoted);
    }
    check(name, absl::StrCat("INSERT INTO ", Quoted(table), " DEFAULT VALUES"));
    check(name, absl::StrCat("UPDATE ", Quoted(table), " SET ", set));
    check(name, absl::StrCat("DELETE FROM ", Quoted(table)));
  }
  return broken;
}

// Whether every value of the column is one of the field.
absl::Status CheckReadable(Connection& connection, const TableInfo& table, const Column& column) {
  if (table.ops.construct == nullptr) return absl::OkStatus();
  const auto statement = connection.Prepare(
      absl::StrCat("SELECT ", Quoted(column.name), " FROM ", Quoted(table.name)), false);
  if (!statement.ok()) return statement.status();
  const std::align_val_t align{table.row_align};
  void* row = ::operator new(table.row_size, align);
  table.ops.construct(row);
  absl::Status status;
  int result = sqlite3_step(statement->get());
  for (; result == SQLITE_ROW && status.ok(); result = sqlite3_step(statement->get())) {
    status = ReadColumn(statement->get(), 0, column, row);
  }
  table.ops.destroy(row);
  ::operator delete(row, align);
  if (!status.ok()) {
    return ColumnError(absl::StatusCode::kFailedPrecondition, table, column,
                       absl::StrCat("cannot be retyped: ", status.message()));
  }
  return result == SQLITE_DONE ? absl::OkStatus() : connection.Error();
}

// References to rows that are not there: of a table and to it, or all of them for "".
absl::Status CheckReferences(Connection& connection, std::string_view table) {
  const auto children = TextsOf(
      connection,
      "SELECT DISTINCT s.name FROM sqlite_schema s, pragma_foreign_key_list(s.name) f WHERE s.type "
      "= 'table' AND (?1 = '' OR s.name = ?1 COLLATE NOCASE OR f.\"table\" = ?1 COLLATE NOCASE)",
      table);
  if (!children.ok()) return children.status();
  for (const std::string& child : *children) {
    const auto parents =
        TextsOf(connection, "SELECT DISTINCT parent FROM pragma_foreign_key_check(?)", child);
    if (!parents.ok()) return SchemaError(parents.status(), "PRAGMA foreign_key_check");
    for (const std::string& parent : *parents) {
      if (!table.empty() && !SameName(child, table) && !SameName(parent, table)) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(child, ": would refer to rows of ", parent, " that are not there"));
    }
  }
  return absl::OkStatus();
}

class Migrator {
 public:
  Migrator(SqliteSession& session, const Schema& schema, const MigrateOptions& options,
           SchemaReport* report)
      : session_(session),
        connection_(session.connection()),
        schema_(schema),
        options_(options),
        report_(*report) {}

  absl::Status Run() {
    if (absl::Status status = CheckMigrations(); !status.ok()) return status;
    if (absl::Status status = Look(); !status.ok()) return status;
    switch (options_.mode) {
      case MigrateOptions::Mode::kDryRun:
        return absl::OkStatus();
      case MigrateOptions::Mode::kCheck:
        if (absl::Status status = RefusedError(report_.refused); !status.ok()) return status;
        if (report_.sql.empty()) return absl::OkStatus();
        return absl::FailedPreconditionError(
            absl::StrCat("the schema of the file does not fit; it would take:\n",
                         absl::StrJoin(report_.sql, ";\n")));
      case MigrateOptions::Mode::kApply:
        break;
    }
    const bool is_done = report_.sql.empty() && report_.refused.empty();
    report_ = {};
    return is_done ? absl::OkStatus() : Apply();
  }

 private:
  // One migration, or nothing.
  struct Step {
    std::string_view script;
    std::int32_t version = 0;  // Afterwards.
  };

  std::int32_t LastVersion() const {
    return schema_.migrations().empty() ? 0 : schema_.migrations().back().version;
  }

  absl::Status CheckMigrations() const {
    std::int32_t last = 0;
    bool is_known = options_.version == 0;
    for (const Migration& migration : schema_.migrations()) {
      if (migration.version <= last) {
        return absl::InvalidArgumentError(absl::StrCat(
            "migration ", migration.version, ": is not above ", last, ", which is before it"));
      }
      last = migration.version;
      is_known = is_known || options_.version == last;
    }
    if (is_known || !options_.version.has_value()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("there is no migration to version ", *options_.version));
  }

  // Finds out what there is to do, without a change.
  absl::Status Look() {
    if (absl::Status status = connection_.Execute("BEGIN"); !status.ok()) return status;
    absl::Status status = LookAtAll();
    connection_.Execute("ROLLBACK").IgnoreError();
    return status;
  }

  absl::Status LookAtAll() {
    absl::StatusOr<std::int32_t> version = CurrentVersion();
    if (!version.ok()) return version.status();
    for (;;) {
      absl::StatusOr<Step> step = NextStep(*version);
      if (!step.ok()) return step.status();
      if (step->script.data() == nullptr) break;
      if (report_.sql.empty()) {
        auto drops = DropFollowersSql(connection_);
        if (!drops.ok()) return drops.status();
        report_.sql = *std::move(drops);
      }
      report_.sql.emplace_back(step->script);
      report_.sql.push_back(SetVersionSql(step->version));
      version = step->version;
    }
    if (!report_.sql.empty() || options_.version.has_value()) return absl::OkStatus();
    SchemaPlan plan;
    absl::Status status = Compare(&plan);
    report_.sql = std::move(plan.sql);
    report_.refused = std::move(plan.refused);
    return status;
  }

  absl::Status Apply() {
    // A table that is dropped takes no rows of others with it, and one that is renamed changes
    // nothing that only has its name.
    const Setting references(connection_, SQLITE_DBCONFIG_ENABLE_FKEY, 0);
    for (bool is_last = false; !is_last;) {
      std::vector<std::string> done;
      absl::Status status = session_.Transact([&] { return ApplyStep(&is_last, &done); });
      if (!status.ok()) return status;
      report_.sql.insert(report_.sql.end(), done.begin(), done.end());
    }
    if (options_.version.has_value()) return absl::OkStatus();
    const Setting rename(connection_, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1);
    std::vector<std::string> done;
    absl::Status status = session_.Transact([&] { return ApplyComparison(&done); });
    if (status.ok()) report_.sql.insert(report_.sql.end(), done.begin(), done.end());
    return status;
  }

  absl::Status ApplyStep(bool* is_last, std::vector<std::string>* done) {
    const absl::StatusOr<std::int32_t> version = CurrentVersion();
    if (!version.ok()) return version.status();
    const absl::StatusOr<Step> step = NextStep(*version);
    if (!step.ok()) return step.status();
    *is_last = step->script.data() == nullptr;
    if (*is_last) return absl::OkStatus();
    // They hold columns that the script may drop; what it does to rows is in no log.
    auto drops = DropFollowersSql(connection_);
    if (!drops.ok()) return drops.status();
    *done = *std::move(drops);
    absl::Status status;
    for (const std::string& sql : *done) {
      if (status.ok()) status = connection_.Execute(sql);
    }
    done->emplace_back(step->script);
    done->push_back(SetVersionSql(step->version));
    if (status.ok()) status = RunScript(connection_, step->script);
    session_.GuardBoundaries();
    if (status.ok()) status = CheckReferences(connection_, "");
    if (status.ok()) status = connection_.Execute(done->back());
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat("migration from version ", *version, " to ",
                                                    step->version, ": ", status.message()));
  }

  absl::Status ApplyComparison(std::vector<std::string>* done) {
    SchemaPlan plan;
    absl::Status status = Compare(&plan);
    if (status.ok()) status = RefusedError(plan.refused);
    if (!status.ok()) return status;
    absl::StatusOr<std::set<std::string>> broken_before;
    if (!plan.rebuilt.empty()) broken_before = BrokenObjects(connection_);
    for (const std::string& sql : plan.sql) {
      if (status = connection_.Execute(sql); !status.ok()) return SchemaError(status, sql);
    }
    if (!plan.rebuilt.empty()) {
      if (!broken_before.ok()) return broken_before.status();
      if (status = CheckRebuilt(plan, *broken_before); !status.ok()) return status;
    }
    *done = std::move(plan.sql);
    return absl::OkStatus();
  }

  absl::Status CheckRebuilt(const SchemaPlan& plan, const std::set<std::string>& broken_before) {
    for (const SchemaPlan::Retyped& retyped : plan.retyped) {
      absl::Status status = CheckReadable(connection_, *retyped.table, *retyped.column);
      if (!status.ok()) return status;
    }
    const absl::StatusOr<std::set<std::string>> broken = BrokenObjects(connection_);
    if (!broken.ok()) return broken.status();
    for (const std::string& object : *broken) {
      if (broken_before.contains(object)) continue;
      return absl::FailedPreconditionError(absl::StrCat("could not be used any more: ", object));
    }
    for (const std::string& table : plan.rebuilt) {
      absl::Status status = CheckReferences(connection_, table);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Compare(SchemaPlan* plan) {
    const absl::StatusOr<bool> is_new = IsNew();
    if (!is_new.ok()) return is_new.status();
    for (const TableInfo* table : schema_.tables()) {
      absl::Status status = CompareTable(connection_, *table, options_, plan);
      if (!status.ok()) return status;
    }
    if (*is_new && LastVersion() != 0) plan->sql.push_back(SetVersionSql(LastVersion()));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> IsNew() {
    const absl::StatusOr<std::int64_t> tables =
        IntegerOf(connection_, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
    if (!tables.ok()) return tables.status();
    const absl::StatusOr<std::int32_t> version = CurrentVersion();
    if (!version.ok()) return version.status();
    return *tables == 0 && *version == 0;
  }

  absl::StatusOr<std::int32_t> CurrentVersion() {
    const absl::StatusOr<std::int64_t> version = IntegerOf(connection_, "PRAGMA user_version");
    if (!version.ok()) return version.status();
    return static_cast<std::int32_t>(*version);
  }

  static std::string SetVersionSql(std::int32_t version) {
    return absl::StrCat("PRAGMA user_version = ", version);
  }

  // Towards the wanted version.
  absl::StatusOr<Step> NextStep(std::int32_t version) {
    if (schema_.migrations().empty()) return Step();
    if (version < 0 || version > LastVersion()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the file has version ", version, ", and the last that is known here is ",
                       LastVersion(), ": a newer program has changed it"));
    }
    const std::int32_t target = options_.version.value_or(LastVersion());
    if (version == target) return Step();
    return version < target ? StepUp(version) : StepDown(version);
  }

  absl::StatusOr<Step> StepUp(std::int32_t version) {
    if (version == 0 && !options_.version.has_value()) {
      const absl::StatusOr<bool> is_new = IsNew();
      if (!is_new.ok()) return is_new.status();
      if (*is_new) return Step();
    }
    for (const Migration& migration : schema_.migrations()) {
      if (migration.version <= version) continue;
      return Step{migration.up.data() == nullptr ? std::string_view("") : migration.up,
                  migration.version};
    }
    return Step();
  }

  absl::StatusOr<Step> StepDown(std::int32_t version) const {
    std::int32_t before = 0;
    for (const Migration& migration : schema_.migrations()) {
      if (migration.version < version) {
        before = migration.version;
        continue;
      }
      if (migration.version > version || migration.down.empty()) break;
      return Step{migration.down, before};
    }
    return absl::FailedPreconditionError(
        absl::StrCat("there is no way back from version ", version));
  }

  SqliteSession& session_;
  Connection& connection_;
  const Schema& schema_;
  const MigrateOptions& options_;
  SchemaReport& report_;
};

}  // namespace

absl::Status MigrateSchema(SqliteSession& session, const Schema& schema,
                           const MigrateOptions& options, SchemaReport* report) {
  return Migrator(session, schema, options, report).Run();
}

}  // namespace strata::orm::internal
