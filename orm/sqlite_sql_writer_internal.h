// The SQL of queries and conditions: each identifier is quoted and comes from a description, each
// value is a parameter. The same query with other values gives the same text.

#ifndef STRATA_ORM_SQLITE_SQL_WRITER_INTERNAL_H_
#define STRATA_ORM_SQLITE_SQL_WRITER_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "strata/orm/query_internal.h"

namespace strata::orm::internal {

// Writes one statement. What is written refers to the operation, which has to stay as it is.
class SqlWriter {
 public:
  // Of both: the first thing that could not be written.
  absl::Status Select(const SelectOperation& operation);
  // " WHERE ...", for a statement that has changed nothing but this table.
  absl::Status Where(const TableInfo& table, const Term& condition);

  const std::string& sql() const { return sql_; }
  const std::vector<Argument>& arguments() const { return arguments_; }  // Of the parameters.

 private:
  void From(const SelectOperation& operation);
  void Join(const JoinedTable& join);
  void Conditions(const SelectOperation& operation);
  void Order(const SelectOperation& operation);

  // A condition that is true for what comes after the row, from the order's term `at` on.
  void After(const std::vector<OrderTerm>& order, const void* row, std::size_t at);
  void AfterAtOnce(const std::vector<OrderTerm>& order, const void* row);

  void Name(const TableInfo& table, const Column& column);
  void Value(const Argument& argument);
  void List(std::string_view before, const std::vector<Term>& terms, std::string_view between);
  void Write(const Term& term);
  void Binary(const Term& term, std::string_view op);
  void Function(const Term& term, std::string_view name);
  void In(const Term& term);

  // The words that a row is searched by are a table of its own, which is joined where the query has
  // the condition at the top, so that there is a rank; or else the row is one of the found.
  void JoinMatches(const SelectOperation& operation);
  bool HasMatch(const TableInfo& table);
  void Match(const Term& term);
  void TextFunction(const Term& term, std::string_view name);
  void Boxes(const Term& term);

  void Refuse(std::string_view why);

  std::string sql_;
  std::vector<Argument> arguments_;
  std::vector<const TableInfo*> tables_;
  std::vector<const Term*> matches_;  // Whose tables are joined.
  bool multiplies_ = false;           // A join may give several rows for one.
  absl::Status status_;
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_SQLITE_SQL_WRITER_INTERNAL_H_
