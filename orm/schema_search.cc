// Virtual tables that find rows of a table: by words (https://sqlite.org/fts5.html, of external
// content) and by boxes (https://sqlite.org/rtree.html).

#include <optional>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "strata/orm/schema_follow_internal.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"

namespace strata::orm::internal {
namespace {

struct SearchTable {
  std::string create;
  std::vector<Trigger> triggers;  // By their names.
  std::vector<std::string> fill;  // From the rows that are there.
};

std::span<const std::string_view> ColumnsOf(const IndexInfo& info) {
  return std::span(info.columns).first(info.column_count);
}

// `before`, the name, and a comma if it is not the last one, for each.
std::string Names(const IndexInfo& info, std::string_view before) {
  std::string names;
  for (const std::string_view column : ColumnsOf(info)) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", before, Quoted(column));
  }
  return names;
}

// Whether an update changes anything that is in the index.
std::string ChangedSql(const TableInfo& table, const IndexInfo& info) {
  std::string same = SameValueSql(table.key_column());
  for (const std::string_view column : ColumnsOf(info)) {
    absl::StrAppend(&same, " AND ", SameValueSql(*table.Find(column)));
  }
  return absl::StrCat("NOT (", same, ")");
}

std::vector<Trigger> TriggersOf(const TableInfo& table, std::string_view follower,
                                const IndexInfo& info, const std::string& add,
                                const std::string& remove) {
  const std::string name = Quoted(table.name);
  return {MakeTrigger(follower, "delete", absl::StrCat("DELETE ON ", name), "", remove),
          MakeTrigger(follower, "insert", absl::StrCat("INSERT ON ", name), "", add),
          MakeTrigger(follower, "update", absl::StrCat("UPDATE ON ", name), ChangedSql(table, info),
                      absl::StrCat(remove, " ", add))};
}

SearchTable FullTextTable(const TableInfo& table, std::string_view follower) {
  const IndexInfo& info = table.full_text;
  const std::string name = Quoted(follower);
  const std::string key = Quoted(table.key_column().name);
  const std::string columns = Names(info, "");
  SearchTable search;
  search.create = absl::StrCat(
      "CREATE VIRTUAL TABLE ", name, " USING fts5(", columns, ", content=", QuotedText(table.name),
      ", content_rowid=", QuotedText(table.key_column().name),
      table.tokenizer.empty() ? "" : absl::StrCat(", tokenize=", QuotedText(table.tokenizer)), ")");
  const std::string add = absl::StrCat("INSERT INTO ", name, " (rowid, ", columns, ") VALUES (NEW.",
                                       key, ", ", Names(info, "NEW."), ");");
  // The words to remove are those of the values.
  const std::string remove =
      absl::StrCat("INSERT INTO ", name, " (", name, ", rowid, ", columns,
                   ") VALUES ('delete', OLD.", key, ", ", Names(info, "OLD."), ");");
  search.triggers = TriggersOf(table, follower, info, add, remove);
  search.fill = {absl::StrCat("INSERT INTO ", name, " (", name, ") VALUES ('rebuild')")};
  return search;
}

// Coordinates are floats there, rounded away from the box: the tree finds a few rows too many,
// which the condition then looks at. An infinity on the wrong side would not be, so it is a large
// number.
SearchTable BoxTable(const TableInfo& table, std::string_view follower) {
  const IndexInfo& info = table.boxes;
  const std::string name = Quoted(follower);
  const std::string key = Quoted(table.key_column().name);
  // A row of NEW, or of the table, without those that have a NULL.
  const auto add = [&](std::string_view from, std::string_view row) {
    std::string values;
    std::string present;
    for (std::size_t i = 0; i < info.column_count; ++i) {
      const std::string value = absl::StrCat(row, Quoted(info.columns[i]));
      absl::StrAppend(&values, ", ", i % 2 == 0 ? "min(" : "max(", value,
                      i % 2 == 0 ? ", 3e38)" : ", -3e38)");
      absl::StrAppend(&present, i == 0 ? "" : " AND ", value, " IS NOT NULL");
    }
    return absl::StrCat("INSERT INTO ", name, " SELECT ", row, key, values, from, " WHERE ",
                        present);
  };
  SearchTable search;
  search.create = absl::StrCat("CREATE VIRTUAL TABLE ", name, " USING rtree(id");
  for (std::size_t i = 0; i < info.column_count; i += 2) {
    absl::StrAppend(&search.create, ", min", i / 2, ", max", i / 2);
  }
  absl::StrAppend(&search.create, ")");
  search.triggers = TriggersOf(table, follower, info, absl::StrCat(add("", "NEW."), ";"),
                               absl::StrCat("DELETE FROM ", name, " WHERE id = OLD.", key, ";"));
  search.fill = {absl::StrCat("DELETE FROM ", name),
                 add(absl::StrCat(" FROM ", Quoted(table.name)), "")};
  return search;
}

absl::Status PlanOne(Connection& connection, const std::string& follower,
                     const std::optional<SearchTable>& described, TableFate fate, AroundSql* plan) {
  const absl::StatusOr<std::vector<Trigger>> triggers = ReadTriggers(connection, follower);
  if (!triggers.ok()) return triggers.status();
  const auto existing = TextsOf(
      connection, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE",
      follower);
  if (!existing.ok()) return existing.status();
  if (!existing->empty() && !absl::StartsWithIgnoreCase(existing->front(), "CREATE VIRTUAL")) {
    return absl::FailedPreconditionError(
        absl::StrCat(follower, ": is no index for searches in the file"));
  }
  const bool has_table =
      described.has_value() && !existing->empty() && existing->front() == described->create;
  const bool fits = has_table && *triggers == described->triggers;
  if (fits && !fate.is_rebuilt) return absl::OkStatus();
  for (const Trigger& trigger : *triggers) plan->before.push_back(DropTriggerSql(trigger.name));
  if (!existing->empty() && !has_table) {
    plan->before.push_back(absl::StrCat("DROP TABLE ", Quoted(follower)));
  }
  if (!described.has_value()) return absl::OkStatus();
  if (!has_table) plan->after.push_back(described->create);
  if (has_table || !fate.is_new) {
    plan->after.insert(plan->after.end(), described->fill.begin(), described->fill.end());
  }
  for (const Trigger& trigger : described->triggers) plan->after.push_back(trigger.sql);
  return absl::OkStatus();
}

}  // namespace

absl::Status PlanSearch(Connection& connection, const TableInfo& table, TableFate fate,
                        AroundSql* plan) {
  const std::string text = absl::StrCat(table.name, "#text");
  std::optional<SearchTable> described;
  if (table.full_text.column_count != 0) {
    described = FullTextTable(table, text);
    connection.TrustTriggers();
  }
  if (absl::Status status = PlanOne(connection, text, described, fate, plan); !status.ok()) {
    return status;
  }
  const std::string boxes = absl::StrCat(table.name, "#boxes");
  described.reset();
  if (table.boxes.column_count != 0) described = BoxTable(table, boxes);
  return PlanOne(connection, boxes, described, fate, plan);
}

}  // namespace strata::orm::internal
