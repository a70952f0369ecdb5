// What the query of a list asks for. The grammar:
//
//   query     = parameter *( "&" parameter )
//   parameter = column "=" test
//             / "order=" column [ ".asc" / ".desc" ] *( "," column [ ".asc" / ".desc" ] )
//             / "select=" column *( "," column )
//             / "limit=" ( number / "all" )
//             / "after=" ( key / cursor )       ; cursor: as in the Link to the next page
//             / "count=exact"
//   test      = ( "eq." / "ne." / "lt." / "le." / "gt." / "ge." ) value
//             / "in." value *( "," value )      ; in quotes where one has a comma: "a,b"
//             / "like." pattern                 ; "*" is any text; letters of ASCII of any case
//             / "is.null" / "is.notnull"
//
// All tests have to be true. Names are those of described columns, and values are of their types;
// all else is an error: nothing of a query gets into SQL but as a bound value.

#ifndef STRATA_ORM_REST_LIST_QUERY_INTERNAL_H_
#define STRATA_ORM_REST_LIST_QUERY_INTERNAL_H_

#include <string>
#include <string_view>
#include <vector>

#include "strata/orm/query_internal.h"
#include "strata/orm/rest/problem_internal.h"
#include "strata/orm/rest/rest.h"
#include "strata/orm/rest/row_internal.h"

namespace strata::orm::rest::internal {

// Tests of one query, and values of one "in", at most.
inline constexpr std::size_t kMaxTests = 32;
inline constexpr std::size_t kMaxListValues = 100;

struct ListQuery {
  // The rows, but for how many of them. Its results are `columns` and those of the cursor.
  orm::internal::SelectOperation select;
  std::vector<const Column*> columns;  // Those that are sent.
  std::vector<const Column*> read;     // Those that are results.
  std::vector<const Column*> cursor;   // Of the order and the key.
  std::int64_t limit = 0;
  bool all = false;  // Without a limit.
  bool count = false;
};

// `query` as it was sent, without its "?".
Problem ReadListQuery(std::string_view query, const TableInfo& table, const TypeInfo& type,
                      const Options& options, ListQuery* result);

// The query of the page after the row: the same, but for `after`.
absl::StatusOr<std::string> QueryAfter(std::string_view query, const ListQuery& list,
                                       const Row& row);

}  // namespace strata::orm::rest::internal

#endif  // STRATA_ORM_REST_LIST_QUERY_INTERNAL_H_
