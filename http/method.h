// File: method.h
//
// The methods of requests: those of RFC 9110 section 9.3, and PATCH of RFC 5789.
//
//   ParseMethod("GET");              // Method::kGet
//   ParseMethod("get");              // Method::kOther: methods are case-sensitive.
//   MethodName(Method::kDelete);     // "DELETE"

#ifndef STRATA_HTTP_METHOD_H_
#define STRATA_HTTP_METHOD_H_

#include <cstdint>
#include <string_view>

namespace strata::http {

enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
  // Any other token. A server answers 501 to what it does not know (RFC 9110 section 9.1).
  kOther,
};

inline constexpr int kMethodCount = 10;  // kOther included.

// Empty for kOther.
std::string_view MethodName(Method method);

// Compares bytes; kOther for all that is none of the above.
Method ParseMethod(std::string_view name);

// Asked again, the same request changes nothing more on the server, so a client may repeat it when
// a connection breaks (RFC 9110 section 9.2.2). False for kOther, of which nothing is known.
bool IsIdempotent(Method method);

// The request only reads (RFC 9110 section 9.2.1).
bool IsSafe(Method method);

}  // namespace strata::http

#endif  // STRATA_HTTP_METHOD_H_
