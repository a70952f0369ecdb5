// The grammar that the values of fields share (RFC 9110 section 5.6): tokens, quoted strings,
// parameters, weights and lists.

#ifndef STRATA_HTTP_FIELD_SYNTAX_INTERNAL_H_
#define STRATA_HTTP_FIELD_SYNTAX_INTERNAL_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace strata::http {

// name=value; the value as it was sent, of a quoted string what is between the quotes.
struct FieldParameter {
  std::string_view name;
  std::string_view value;
  bool quoted = false;

  // In any case of letters.
  bool Named(std::string_view other) const;
};

// What a quoted string means (section 5.6.4): a backslash is left out, and stands for what follows
// it. Of a value that was a token, itself.
std::string UnquoteFieldValue(std::string_view value);

// Whether two values mean the same text, in any case of letters.
bool SameFieldValue(std::string_view a, std::string_view b);

// The value of a parameter whose name ends in "*" (RFC 8187 section 3.2.1), as UTF-8. Nothing if it
// is malformed, or in another charset than UTF-8 and ISO-8859-1.
std::optional<std::string> DecodeExtendedValue(std::string_view value);

// "0" to "1" with up to three decimals (section 12.4.2), in thousandths.
std::optional<int> ParseWeight(std::string_view text);

// Reads a value from its front.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  // Whether it stood there, and then goes behind it.
  bool Skip(char c);

  // OWS: blanks and tabs.
  void SkipBlanks();

  // Empty if there is none.
  std::string_view Token();

  enum class Next { kFound, kNone, kBad };

  // token / quoted-string. False if there is neither.
  bool Value(std::string_view* value, bool* quoted);

  // [ weight ], of section 12.4.2: 1000 if there is none. False if it is malformed.
  bool Weight(int* weight);

  // parameters = *( OWS ";" OWS [ parameter ] ), of section 5.6.6: the next of them. kNone before
  // anything else, and then the blanks before that have been read too.
  Next Parameter(FieldParameter* parameter);

  // 1#element, of section 5.6.1: goes to the next element of a list, behind the commas and blanks
  // before it. kBad if something else than a comma is in between.
  Next Element();

 private:
  // From a quote on.
  bool QuotedString(std::string_view* value);

  std::string_view rest_;
  bool in_list_ = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_FIELD_SYNTAX_INTERNAL_H_
