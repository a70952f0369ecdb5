// Any bytes are an authorization, or none; a parameter that was read can be quoted and is the same
// again; and a Basic token has no control characters, nor a colon in its user.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/authorization.h"

using namespace strata::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto sent = Authorization::Parse(value);
  if (!sent.ok()) return 0;
  for (const char* name : {"username", "realm", "nonce", "uri", "response", "nc", "a"}) {
    const auto param = sent->param(name);
    if (!param) continue;
    if (!sent->token68().empty()) std::abort();
    const std::string line = "X a=" + QuotedString(*param);
    const auto again = Authorization::Parse(line);
    if (!again.ok() || again->param("a") != param) std::abort();
  }
  const auto basic = ParseBasicToken(sent->token68());
  if (!basic) return 0;
  if (basic->user.find(':') != std::string::npos) std::abort();
  for (const char c : basic->user + basic->password) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) std::abort();
  }
  return 0;
}
