// File: status.h
//
// Status codes with their reason phrases, as registered with IANA (HTTP Status Code Registry), and
// status lines ready to send.
//
//   ReasonPhrase(404);   // "Not Found"
//   StatusLine(200);     // "HTTP/1.1 200 OK\r\n"

#ifndef STRATA_HTTP_STATUS_H_
#define STRATA_HTTP_STATUS_H_

#include <string_view>

namespace strata::http {

// Empty for a code that is not registered.
std::string_view ReasonPhrase(int status);

// The whole line of a registered code, in static memory. Empty for any other: HeadWriter of
// head_writer.h writes those.
std::string_view StatusLine(int status);

// A response with this code never has a body: 1xx, 204 and 304 (RFC 9110 section 6.4.1).
constexpr bool IsBodiless(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace strata::http

#endif  // STRATA_HTTP_STATUS_H_
