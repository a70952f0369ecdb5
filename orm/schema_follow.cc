#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/orm/schema_follow_internal.h"
#include "strata/orm/schema_read_internal.h"
#include "strata/orm/schema_sql_internal.h"

namespace strata::orm::internal {

Trigger MakeTrigger(std::string_view follower, std::string_view suffix, std::string_view on,
                    std::string_view when, std::string_view body) {
  std::string name = absl::StrCat(follower, "_", suffix);
  std::string sql = absl::StrCat("CREATE TRIGGER ", Quoted(name), " AFTER ", on,
                                 when.empty() ? "" : " WHEN ", when, " BEGIN ", body, " END");
  return {std::move(name), std::move(sql)};
}

std::string DropTriggerSql(std::string_view name) {
  return absl::StrCat("DROP TRIGGER ", Quoted(name));
}

absl::StatusOr<std::vector<Trigger>> ReadTriggers(Connection& connection,
                                                  std::string_view follower) {
  constexpr std::string_view kFrom =
      " FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, length(?1) + 1) = ?1 || '_' "
      "COLLATE NOCASE ORDER BY name";
  auto names = TextsOf(connection, absl::StrCat("SELECT name", kFrom), follower);
  if (!names.ok()) return names.status();
  auto texts = TextsOf(connection, absl::StrCat("SELECT sql", kFrom), follower);
  if (!texts.ok()) return texts.status();
  std::vector<Trigger> triggers;
  for (std::size_t i = 0; i < names->size(); ++i) {
    triggers.push_back({std::move((*names)[i]), std::move((*texts)[i])});
  }
  return triggers;
}

std::string SameValueSql(const Column& column) {
  const std::string name = Quoted(column.name);
  return absl::StrCat("OLD.", name, " COLLATE BINARY IS NEW.", name);
}

absl::StatusOr<std::vector<std::string>> DropFollowersSql(Connection& connection) {
  auto names = TextsOf(connection,
                       "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND "
                       "substr(name, 1, length(tbl_name) + 1) = tbl_name || '#' COLLATE NOCASE",
                       "");
  if (!names.ok()) return names.status();
  for (std::string& name : *names) name = DropTriggerSql(name);
  return names;
}

}  // namespace strata::orm::internal
