#include <cstddef>
#include <span>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "strata/orm/sql_tokens_internal.h"
#include "strata/orm/table.h"

namespace strata::orm::internal {
namespace {

// SQLite takes every byte above 127 for a letter.
bool IsWordByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(byte) || c == '_' || c == '$' || byte >= 0x80;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view sql) : sql_(sql) {}

  std::vector<SqlToken> All() {
    std::vector<SqlToken> tokens;
    while (SkipBlanks()) tokens.push_back(Next());
    return tokens;
  }

 private:
  char At(std::size_t position) const { return position < sql_.size() ? sql_[position] : '\0'; }

  // Past blanks and comments; false at the end.
  bool SkipBlanks() {
    while (at_ < sql_.size()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(sql_[at_]))) {
        ++at_;
      } else if (At(at_) == '-' && At(at_ + 1) == '-') {
        at_ = EndAfter("\n", at_);
      } else if (At(at_) == '/' && At(at_ + 1) == '*') {
        at_ = EndAfter("*/", at_ + 2);
      } else {
        return true;
      }
    }
    return false;
  }

  std::size_t EndAfter(std::string_view end, std::size_t from) const {
    const std::size_t found = sql_.find(end, from);
    return found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  SqlToken Next() {
    const char c = sql_[at_];
    if (c == '\'') return {std::string(Quoted('\'')), false};
    if (c == '"' || c == '`') return Name(Quoted(c), c);
    if (c == '[') {
      const std::size_t begin = at_;
      at_ = EndAfter("]", at_);
      return Name(sql_.substr(begin, at_ - begin), ']');
    }
    const std::size_t begin = at_;
    if (IsWordByte(c) ||
        (c == '.' && absl::ascii_isdigit(static_cast<unsigned char>(At(at_ + 1))))) {
      while (IsWordByte(At(at_)) || IsPartOfNumber(begin)) ++at_;
      // The digits of a blob, x'00', belong to it.
      if (at_ - begin == 1 && (c == 'x' || c == 'X') && At(at_) == '\'') Quoted('\'');
      return {absl::AsciiStrToLower(sql_.substr(begin, at_ - begin)), false};
    }
    ++at_;
    // Operators of two characters fall into two tokens, on both sides of a comparison.
    return {std::string(1, c), false};
  }

  // A point, or the sign of an exponent, within the number that starts at `begin`.
  bool IsPartOfNumber(std::size_t begin) const {
    const char first = At(begin);
    if (first != '.' && !absl::ascii_isdigit(static_cast<unsigned char>(first))) return false;
    const char c = At(at_);
    const char before = at_ > begin ? At(at_ - 1) : '\0';
    return c == '.' || ((c == '+' || c == '-') && (before == 'e' || before == 'E') &&
                        absl::ascii_tolower(static_cast<unsigned char>(At(begin + 1))) != 'x');
  }

  // From a quote to its end, both included, of which two within stand for one.
  std::string_view Quoted(char quote) {
    const std::size_t begin = at_++;
    while (at_ < sql_.size()) {
      if (sql_[at_++] != quote) continue;
      if (At(at_) != quote) break;
      ++at_;
    }
    return sql_.substr(begin, at_ - begin);
  }

  static SqlToken Name(std::string_view quoted, char end) {
    std::string_view inner = quoted.substr(1);
    if (inner.ends_with(end)) inner.remove_suffix(1);
    return {absl::AsciiStrToLower(IsName(inner) ? inner : quoted), true};
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

std::string Joined(std::span<const SqlToken> tokens) {
  return absl::StrJoin(tokens, " ",
                       [](std::string* out, const SqlToken& token) { out->append(token.text); });
}

// The position of the parenthesis that closes the one at `open`, or the end.
std::size_t Closing(std::span<const SqlToken> tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")" && --depth == 0) return i;
  }
  return tokens.size();
}

}  // namespace

std::vector<SqlToken> TokensOfSql(std::string_view sql) { return Tokenizer(sql).All(); }

std::string NormalSql(std::string_view sql) { return Joined(TokensOfSql(sql)); }

CreateTableTexts ReadCreateTable(std::string_view sql) {
  CreateTableTexts texts;
  const std::vector<SqlToken> all = TokensOfSql(sql);
  const std::span<const SqlToken> tokens(all);
  std::size_t at = 0;
  while (at < tokens.size() && tokens[at].text != "(") ++at;
  const std::size_t end = Closing(tokens, at);
  std::string column;
  bool is_start = true;  // Of a definition.
  for (++at; at < end; ++at) {
    const SqlToken& token = tokens[at];
    if (is_start) column = token.text;
    is_start = token.text == ",";
    if (token.text == "(") {
      // CHECK and AS are reserved: no name is that without quotes.
      const SqlToken& before = tokens[at - 1];
      const std::size_t closing = Closing(tokens, at);
      const std::string inner = Joined(tokens.subspan(at + 1, closing - at - 1));
      if (before.text == "check" && !before.is_quoted) texts.checks.push_back(inner);
      if (before.text == "as" && !before.is_quoted) texts.generated.push_back({column, inner});
      at = closing;
    }
  }
  return texts;
}

}  // namespace strata::orm::internal
