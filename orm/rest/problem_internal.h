// What went wrong with a request, and its answer: problem details (RFC 9457).

#ifndef STRATA_ORM_REST_PROBLEM_INTERNAL_H_
#define STRATA_ORM_REST_PROBLEM_INTERNAL_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "strata/http/reply.h"
#include "strata/orm/table.h"

namespace strata::orm::rest::internal {

struct Problem {
  int status = 0;  // Of HTTP; 0 where there is none.
  std::string detail = {};
  std::string pointer = {};    // Into the request's JSON (RFC 6901), as "#/name".
  std::string parameter = {};  // Of the query.

  bool ok() const { return status == 0; }
};

// Of an error that the database has given for a row of `table`, which is at `at` in the request's
// JSON ("#", "#/17"). What is not the client's fault keeps its reason to itself.
Problem ProblemOf(const absl::Status& status, const TableInfo& table, std::string_view at = "#");

// Of an error of reading JSON.
Problem JsonProblem(const absl::Status& status, const TableInfo& table, std::string_view at = "#");

Problem ParameterProblem(std::string_view parameter, std::string_view detail);

http::Reply ReplyOf(const Problem& problem);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_PROBLEM_INTERNAL_H_
