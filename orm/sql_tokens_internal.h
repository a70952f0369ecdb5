// The tokens of SQL that a schema keeps as text: SQLite tells all of a table but its CHECKs and the
// expressions of its generated columns, which are in the text of CREATE TABLE alone.

#ifndef STRATA_ORM_SQL_TOKENS_INTERNAL_H_
#define STRATA_ORM_SQL_TOKENS_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

namespace strata::orm::internal {

struct SqlToken {
  // In one way of writing: words and names in lower case, names without quotes where they need
  // none.
  std::string text;
  bool is_quoted = false;  // A name in quotes, and so no keyword.
};

// Comments and blanks are left out. What is no SQL gives some tokens too.
std::vector<SqlToken> TokensOfSql(std::string_view sql);

// The tokens with a blank between: the same for texts that differ in case, blanks, comments and
// quotes alone. It is to be compared, not run.
std::string NormalSql(std::string_view sql);

// What a CREATE TABLE says besides what SQLite's pragmas tell, as NormalSql().
struct CreateTableTexts {
  std::vector<std::string> checks;  // Of columns and the table.
  struct Generated {
    std::string column;  // In lower case.
    std::string expression;
  };
  std::vector<Generated> generated;
};
CreateTableTexts ReadCreateTable(std::string_view sql);

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQL_TOKENS_INTERNAL_H_
