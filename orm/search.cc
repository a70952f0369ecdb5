#include "strata/orm/search.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace strata::orm {
namespace {

// FTS5 reads a query up to a NUL; no token has any such character.
bool IsBlank(char c) { return static_cast<unsigned char>(c) <= ' '; }

// A string of FTS5's language, within which nothing but quotes means anything.
std::string QuotedString(std::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

TextQuery TextQuery::FromWords(std::string_view text, std::string_view between,
                               std::string_view after) {
  std::string query;
  std::size_t words = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto* begin = std::find_if_not(text.begin() + at, text.end(), IsBlank);
    const auto* end = std::find_if(begin, text.end(), IsBlank);
    at = static_cast<std::size_t>(end - text.begin());
    if (begin == end) break;
    if (++words > kMaxWords) return TextQuery("", true);
    absl::StrAppend(&query, query.empty() ? "" : between, QuotedString({begin, end}));
  }
  // An empty query would be an error; an empty string is found nowhere.
  if (query.empty()) return TextQuery(QuotedString(""), false);
  return TextQuery(absl::StrCat(query, after), false);
}

// Strings side by side are all wanted, but for those without a token, which an AND would want too.
TextQuery TextQuery::Words(std::string_view text) { return FromWords(text, " ", ""); }

TextQuery TextQuery::AnyWord(std::string_view text) { return FromWords(text, " OR ", ""); }

TextQuery TextQuery::Phrase(std::string_view text) { return FromWords(text, " + ", ""); }

TextQuery TextQuery::Typed(std::string_view text) { return FromWords(text, " ", " *"); }

TextQuery TextQuery::Syntax(std::string_view query) { return TextQuery(std::string(query), false); }

namespace internal {

Term MatchTerm(const TableInfo& table, const Column* column, const TextQuery& query) {
  if (query.is_too_long()) return InvalidTerm("more than 64 words to look for");
  std::string text = query.text();
  if (column != nullptr) {
    const auto* end = table.full_text.columns.begin() + table.full_text.column_count;
    if (std::find(table.full_text.columns.begin(), end, column->name) == end) {
      return InvalidTerm("a column is not one of FullText()");
    }
    text = absl::StrCat(QuotedString(column->name), " : (", text, ")");
  }
  Term term = MakeTerm(Op::kMatch, ValueTerm(text));
  term.table = &table;
  return term;
}

Term TableTerm(Op op, const TableInfo& table) {
  Term term;
  term.op = op;
  term.table = &table;
  return term;
}

Term BoxTerm(Op op, const TableInfo& table, std::span<const Range> box) {
  if (box.size() * 2 != table.boxes.column_count) {
    return InvalidTerm("a box has one range for each dimension of Boxes()");
  }
  std::vector<Term> operands;
  for (const Range& range : box) {
    operands.push_back(ValueTerm(range.low));
    operands.push_back(ValueTerm(range.high));
  }
  Term term = MakeTerm(op, std::move(operands));
  term.table = &table;
  return term;
}

}  // namespace internal
}  // namespace strata::orm
