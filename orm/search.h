// File: search.h
//
// Rows by the words in them (https://sqlite.org/fts5.html):
//
//   STRATA_TABLE((Post, FullText("title", "body").Tokenizer("porter unicode61")), id, title, body);
//
//   absl::StatusOr<std::vector<Post>> posts = Select<Post>()
//                                                 .Where(Match<Post>(TextQuery::Words(input)))
//                                                 .OrderBy(Rank<Post>())  // The best first.
//                                                 .Limit(20)
//                                                 .All(*db);
//
// and by the boxes that they are, in one to four dimensions (https://sqlite.org/rtree.html):
//
//   STRATA_TABLE((Place, Boxes("west", "east", "south", "north")), id, west, east, south, north);
//
//   absl::StatusOr<std::vector<Place>> places =
//       Select<Place>().Where(Overlaps<Place>({{5.9, 10.5}, {45.8, 47.8}})).All(*db);
//
// Both are conditions like others (expression.h), for DeleteWhere() and UpdateWhere() too. Create()
// and Migrate() make the index, over the rows that are there, and triggers keep it in step with the
// table, whoever writes to that; so another program needs a SQLite with FTS5 or R-trees. What
// INSERT OR REPLACE puts another row in the place of stays in the index if the program does not set
// PRAGMA recursive_triggers, as this library does.

#ifndef STRATA_ORM_SEARCH_H_
#define STRATA_ORM_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "strata/orm/expression.h"
#include "strata/orm/query_internal.h"
#include "strata/orm/table.h"

namespace strata::orm {

// What to look for. What a user has typed is words alone in all but Syntax(): quotes, operators and
// columns of FTS5's language mean nothing there. How words are told apart, and which ones are the
// same, is the tokenizer's, by default in all scripts, without case and accents.
class TextQuery {
 public:
  // Words of one text, that is what blanks are between, at most; more of them make the query
  // InvalidArgument.
  static constexpr std::size_t kMaxWords = 64;

  // Rows with all of them, with any of them, with all of them one after another.
  static TextQuery Words(std::string_view text);
  static TextQuery AnyWord(std::string_view text);
  static TextQuery Phrase(std::string_view text);

  // All of them, the last of which may be the beginning of a word: for lists that follow typing.
  static TextQuery Typed(std::string_view text);

  // FTS5's own language (section 3), of the program or of those who may know it. An error of it is
  // InvalidArgument.
  static TextQuery Syntax(std::string_view query);

  const std::string& text() const { return text_; }
  bool is_too_long() const { return is_too_long_; }

 private:
  TextQuery(std::string text, bool is_too_long)
      : text_(std::move(text)), is_too_long_(is_too_long) {}

  static TextQuery FromWords(std::string_view text, std::string_view between,
                             std::string_view after);

  std::string text_;
  bool is_too_long_;
};

struct Range {
  double low = 0;
  double high = 0;
};

namespace internal {

Term MatchTerm(const TableInfo& table, const Column* column, const TextQuery& query);
Term TableTerm(Op op, const TableInfo& table);
Term BoxTerm(Op op, const TableInfo& table, std::span<const Range> box);

template <typename T>
constexpr const TableInfo& SearchedTable() {
  static_assert(TableOf<T>().full_text.column_count != 0,
                "the table is described without FullText()");
  return TableOf<T>();
}

template <typename T>
constexpr const TableInfo& BoxedTable() {
  static_assert(TableOf<T>().boxes.column_count != 0, "the table is described without Boxes()");
  return TableOf<T>();
}

}  // namespace internal

// Whether the row has what is looked for, in any of its columns of FullText(), or in this one.
template <typename T>
Condition Match(const TextQuery& query) {
  return Condition(internal::MatchTerm(internal::SearchedTable<T>(), nullptr, query));
}
template <typename T, typename M>
Condition Match(M T::*column, const TextQuery& query) {
  const internal::Term term = Col(column).term();
  if (term.column == nullptr) return Condition(term);
  return Condition(internal::MatchTerm(internal::SearchedTable<T>(), term.column, query));
}

// How well the row matches, less being better (BM25), for the order or as a column. This and the
// two below are for a query with a Match<T>() that is a condition of Where() itself.
template <typename T>
Expression<double> Rank() {
  return Expression<double>(internal::TableTerm(internal::Op::kRank, internal::SearchedTable<T>()));
}

// The part of the column's text where most of the words are, of at most `tokens` words (1 to 64):
// with `open` and `close` around the words, and `more` where text is left out. The text itself is
// as it is: for HTML, let `open` and `close` be characters that texts do not have, escape the
// result, and then put the marks in their place.
template <typename T, typename M>
Expression<M> Snippet(M T::*column, std::string_view open, std::string_view close,
                      std::string_view more = "…", std::int64_t tokens = 16) {
  internal::SearchedTable<T>();
  std::vector<internal::Term> operands;
  operands.push_back(Col(column).term());
  for (const std::string_view text : {open, close, more}) {
    operands.push_back(internal::ValueTerm(text));
  }
  operands.push_back(internal::ValueTerm(tokens));
  return Expression<M>(internal::MakeTerm(internal::Op::kSnippet, std::move(operands)));
}

// The whole text, with `open` and `close` around the words.
template <typename T, typename M>
Expression<M> Highlight(M T::*column, std::string_view open, std::string_view close) {
  internal::SearchedTable<T>();
  std::vector<internal::Term> operands;
  operands.push_back(Col(column).term());
  operands.push_back(internal::ValueTerm(open));
  operands.push_back(internal::ValueTerm(close));
  return Expression<M>(internal::MakeTerm(internal::Op::kHighlight, std::move(operands)));
}

// Whether the row's box and this one have a point in common, or the row's is inside of it; their
// borders are part of both. One range for each dimension. Rows with a NULL there have no box. A row
// whose least number is above the greatest one is refused when it is written, by InvalidArgument.
template <typename T>
Condition Overlaps(std::initializer_list<Range> box) {
  return Condition(internal::BoxTerm(internal::Op::kOverlaps, internal::BoxedTable<T>(), box));
}
template <typename T>
Condition Within(std::initializer_list<Range> box) {
  return Condition(internal::BoxTerm(internal::Op::kWithin, internal::BoxedTable<T>(), box));
}

}  // namespace strata::orm

#endif  // STRATA_ORM_SEARCH_H_
