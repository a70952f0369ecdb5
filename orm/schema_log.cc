// The log of a table's changes: a table and triggers.

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/schema_follow_internal.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"

namespace strata::orm::internal {
namespace {

// How many changes the log grows by between two looks at what is too many.
constexpr int kPruneInterval = 64;

// Of SQLite's clock, in milliseconds since 1970.
constexpr std::string_view kNow = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INT)";

using Columns = std::vector<const Column*>;

std::string LogName(const TableInfo& table) { return absl::StrCat(table.name, "#log"); }

// An entry with the values of the row that is `from`, OLD or NEW.
std::string EntrySql(const TableInfo& table, const Columns& columns, int kind,
                     std::string_view from) {
  std::string names;
  std::string values;
  for (const Column* column : columns) {
    absl::StrAppend(&names, ", ", Quoted(column->name));
    absl::StrAppend(&values, ", ", from, ".", Quoted(column->name));
  }
  return absl::StrCat("INSERT INTO ", Quoted(LogName(table)), " (\"#change\", \"#time\"", names,
                      ") VALUES (", kind, ", ", kNow, values, ");");
}

std::string SameKeySql(const TableInfo& table) {
  std::string sql;
  for (std::size_t i = 0; i < table.key_count; ++i) {
    absl::StrAppend(&sql, i == 0 ? "" : " AND ", SameValueSql(table.columns[table.key[i]]));
  }
  return sql;
}

// Those of the table.
std::vector<Trigger> RowTriggers(const TableInfo& table, const Columns& columns) {
  const std::string log = LogName(table);
  const std::string name = Quoted(table.name);
  const std::string same = SameKeySql(table);
  const std::string inserted = EntrySql(table, columns, 1, "NEW");
  const std::string updated = EntrySql(table, columns, 2, "NEW");
  const std::string deleted = EntrySql(table, columns, 3, "OLD");
  return {MakeTrigger(log, "delete", absl::StrCat("DELETE ON ", name), "", deleted),
          MakeTrigger(log, "insert", absl::StrCat("INSERT ON ", name), "", inserted),
          MakeTrigger(log, "rekey", absl::StrCat("UPDATE ON ", name),
                      absl::StrCat("NOT (", same, ")"), absl::StrCat(deleted, " ", inserted)),
          MakeTrigger(log, "update", absl::StrCat("UPDATE ON ", name), same, updated)};
}

// That of the log, which never drops the last entry.
Trigger PruneTrigger(const TableInfo& table) {
  const std::string log = Quoted(LogName(table));
  std::string body =
      absl::StrCat("DELETE FROM ", log, " WHERE \"#sequence\" <= NEW.\"#sequence\" - ",
                   table.log.max_entries, ";");
  if (table.log.max_age_seconds != 0) {
    // From the first one on, so that there are no holes when clocks are set.
    absl::StrAppend(
        &body, " DELETE FROM ", log, " WHERE \"#sequence\" < (SELECT \"#sequence\" FROM ", log,
        " WHERE \"#time\" >= NEW.\"#time\" - ", std::int64_t{1000} * table.log.max_age_seconds,
        " ORDER BY \"#sequence\" LIMIT 1);");
  }
  return MakeTrigger(LogName(table), "prune", absl::StrCat("INSERT ON ", log),
                     absl::StrCat("NEW.\"#sequence\" % ", kPruneInterval, " = 0"), body);
}

std::string ColumnSql(const Column& column) {
  return absl::StrCat(Quoted(column.name), " ", StorageName(column.storage));
}

std::string CreateLogSql(const TableInfo& table) {
  std::string sql =
      absl::StrCat("CREATE TABLE ", Quoted(LogName(table)),
                   " (\"#sequence\" INTEGER PRIMARY KEY, \"#change\" INTEGER NOT NULL, "
                   "\"#time\" INTEGER NOT NULL");
  for (const Column& column : table.columns) absl::StrAppend(&sql, ", ", ColumnSql(column));
  return absl::StrCat(sql, ") STRICT");
}

class LogPlan {
 public:
  LogPlan(Connection& connection, const TableInfo& table, TableFate fate, AroundSql* plan)
      : connection_(connection), table_(table), fate_(fate), plan_(*plan) {}

  absl::Status Run() {
    if (absl::Status status = Read(); !status.ok()) return status;
    if (table_.log.max_entries == 0) return End();
    for (const Column& column : table_.columns) described_.push_back(&column);
    const std::optional<Columns> known = KnownColumns();
    if (!known.has_value() || row_triggers_ != RowTriggers(table_, *known)) return Restart();
    return GoOn(*known);
  }

 private:
  absl::Status Read() {
    absl::StatusOr<std::optional<TableSchema>> log = ReadTable(connection_, LogName(table_));
    if (!log.ok()) return log.status();
    log_ = *std::move(log);
    auto triggers = ReadTriggers(connection_, LogName(table_));
    if (!triggers.ok()) return triggers.status();
    const std::string prune = PruneTrigger(table_).name;
    for (Trigger& trigger : *triggers) {
      if (SameName(trigger.name, prune)) {
        prune_ = std::move(trigger);
      } else {
        row_triggers_.push_back(std::move(trigger));
      }
    }
    return absl::OkStatus();
  }

  // The columns that the log has. Nothing if others are missing than those that its entries can do
  // without, or if it has any that are not described, or of another type.
  std::optional<Columns> KnownColumns() const {
    if (!log_.has_value() || log_->type != "table") return std::nullopt;
    Columns known;
    for (const Column* column : described_) {
      const ColumnSchema* found = log_->Find(column->name);
      if (found != nullptr) {
        if (found->type != StorageName(column->storage)) return std::nullopt;
        known.push_back(column);
        continue;
      }
      using Type = DefaultValue::Type;
      const Type type = column->default_value.type;
      const bool has_constant = type != Type::kNone && type != Type::kNull && type != Type::kSql;
      const bool may_be_null = column->nullable() && type != Type::kSql;
      if (!column->generated.empty() || (!has_constant && !may_be_null)) return std::nullopt;
    }
    constexpr std::size_t kOwnColumns = 3;
    if (log_->columns.size() != known.size() + kOwnColumns) return std::nullopt;
    return known;
  }

  void DropRowTriggers() {
    for (const Trigger& trigger : row_triggers_) {
      plan_.before.push_back(DropTriggerSql(trigger.name));
    }
  }
  void CreateRowTriggers() {
    for (Trigger& trigger : RowTriggers(table_, described_)) {
      plan_.after.push_back(std::move(trigger.sql));
    }
  }

  // The log has been kept up to now, with these columns.
  absl::Status GoOn(const Columns& known) {
    const bool grows = known.size() != described_.size();
    if (grows || fate_.is_rebuilt) {
      DropRowTriggers();
      for (const Column* column : described_) {
        if (log_->Find(column->name) != nullptr) continue;
        plan_.after.push_back(absl::StrCat("ALTER TABLE ", Quoted(log_->name), " ADD COLUMN ",
                                           ColumnSql(*column), " DEFAULT ",
                                           DefaultSql(column->default_value)));
      }
      CreateRowTriggers();
    }
    Trigger prune = PruneTrigger(table_);
    if (prune_ == prune) return absl::OkStatus();
    if (prune_.has_value()) plan_.before.push_back(DropTriggerSql(prune_->name));
    plan_.after.push_back(std::move(prune.sql));
    return absl::OkStatus();
  }

  // A new log. What there were before, and the rows of a table that gets its first, are a gap:
  // sequences go on with two left out, and an entry that stands for no change.
  absl::Status Restart() {
    DropRowTriggers();
    std::int64_t last = 0;
    if (log_.has_value()) {
      if (log_->type != "table" || log_->Find("#sequence") == nullptr) {
        return absl::FailedPreconditionError(
            absl::StrCat(LogName(table_), ": is no log of changes in the file"));
      }
      const auto found = IntegerOf(
          connection_, absl::StrCat("SELECT max(\"#sequence\") FROM ", Quoted(log_->name)));
      if (!found.ok()) return found.status();
      last = *found;
      plan_.before.push_back(absl::StrCat("DROP TABLE ", Quoted(log_->name)));
    }
    plan_.after.push_back(CreateLogSql(table_));
    if (!fate_.is_new || last != 0) {
      plan_.after.push_back(absl::StrCat("INSERT INTO ", Quoted(LogName(table_)),
                                         " (\"#sequence\", \"#change\", \"#time\") VALUES (",
                                         last + 2, ", 0, ", kNow, ")"));
    }
    CreateRowTriggers();
    plan_.after.push_back(PruneTrigger(table_).sql);
    return absl::OkStatus();
  }

  // No log. An entry stays, from which on another one would count.
  absl::Status End() {
    if (row_triggers_.empty()) return absl::OkStatus();
    DropRowTriggers();
    if (prune_.has_value()) plan_.before.push_back(DropTriggerSql(prune_->name));
    if (!log_.has_value() || log_->type != "table") return absl::OkStatus();
    const std::string log = Quoted(log_->name);
    plan_.after.push_back(absl::StrCat(
        "DELETE FROM ", log, " WHERE \"#sequence\" < (SELECT max(\"#sequence\") FROM ", log, ")"));
    return absl::OkStatus();
  }

  Connection& connection_;
  const TableInfo& table_;
  const TableFate fate_;
  AroundSql& plan_;
  Columns described_;
  std::optional<TableSchema> log_;     // In the file, as is:
  std::vector<Trigger> row_triggers_;  // By their names.
  std::optional<Trigger> prune_;
};

}  // namespace

absl::Status PlanLog(Connection& connection, const TableInfo& table, TableFate fate,
                     AroundSql* plan) {
  return LogPlan(connection, table, fate, plan).Run();
}

}  // namespace strata::orm::internal
