// Bytes as text of one line, for files of cases and for messages of tests.
//
// Visible ASCII and spaces stand for themselves, but for the backslash: \\, \r, \n, \t, \xHH, and
// \(N*TEXT) for N times TEXT, which is escaped itself.

#ifndef STRATA_HTTP_TESTING_WIRE_TEXT_H_
#define STRATA_HTTP_TESTING_WIRE_TEXT_H_

#include <string>
#include <string_view>

namespace strata::http::testing {

// Ends the program if `text` is not such a text.
std::string Unescape(std::string_view text);

// Of the texts for `bytes`, one: 32 or more of the same byte become \(N*...), a space at the end
// \x20.
std::string Escape(std::string_view bytes);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_WIRE_TEXT_H_
