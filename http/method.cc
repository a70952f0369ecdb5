// The names of methods.

#include "strata/http/method.h"

#include <array>
#include <cstddef>

namespace strata::http {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", ""};

Method If(bool equal, Method method) { return equal ? method : Method::kOther; }

}  // namespace

std::string_view MethodName(Method method) { return kNames[static_cast<std::size_t>(method)]; }

Method ParseMethod(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name == "GET" ? Method::kGet : If(name == "PUT", Method::kPut);
    case 4:
      return name == "POST" ? Method::kPost : If(name == "HEAD", Method::kHead);
    case 5:
      return name == "PATCH" ? Method::kPatch : If(name == "TRACE", Method::kTrace);
    case 6:
      return If(name == "DELETE", Method::kDelete);
    case 7:
      return name == "OPTIONS" ? Method::kOptions : If(name == "CONNECT", Method::kConnect);
    default:
      return Method::kOther;
  }
}

bool IsIdempotent(Method method) {
  return IsSafe(method) || method == Method::kPut || method == Method::kDelete;
}

bool IsSafe(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions ||
         method == Method::kTrace;
}

}  // namespace strata::http
