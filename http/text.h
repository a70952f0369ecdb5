// File: text.h
//
// The small words of HTTP's grammar (RFC 9110 section 5.6): which bytes make a token, which a
// field's value, and how names are compared.
//
//   IsToken("Content-Type");                       // true
//   EqualsIgnoreCase("chunked", "Chunked");        // true
//   TrimWhitespace(" \t text ");                   // "text"

#ifndef STRATA_HTTP_TEXT_H_
#define STRATA_HTTP_TEXT_H_

#include <string_view>

namespace strata::http {

// One byte or more, each of them tchar (RFC 9110 section 5.6.2): letters, digits and
// !#$%&'*+-.^_`|~.
bool IsToken(std::string_view text);

// No byte but those of a field's value (RFC 9110 section 5.5): visible ASCII, space, tab, and the
// bytes from 0x80 on (obs-text). So no CR, LF, NUL, DEL or other control byte. May be empty.
bool IsFieldValue(std::string_view text);

// Equal but for the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Without the spaces and tabs at both ends (OWS, RFC 9110 section 5.6.3).
std::string_view TrimWhitespace(std::string_view text);

}  // namespace strata::http

#endif  // STRATA_HTTP_TEXT_H_
