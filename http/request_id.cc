// Ids of requests.

#include "strata/http/request_id.h"

#include <algorithm>

#include "strata/http/siphash_internal.h"

namespace strata::http {

RequestIdGenerator::RequestIdGenerator() {
  const SipKey key = SipKey::Random();
  key_ = {key.k0, key.k1};
}

RequestId RequestIdGenerator::Next() {
  constexpr char kDigits[] = "0123456789abcdef";
  const SipKey key = {key_[0], key_[1]};
  RequestId id;
  std::size_t at = 0;
  for (const std::uint8_t half : {0, 1}) {
    const std::uint64_t bits = SipHash(key, count_, half);
    for (int shift = 60; shift >= 0; shift -= 4) id.digits[at++] = kDigits[bits >> shift & 15];
  }
  ++count_;
  return id;
}

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  std::string_view("-_.~+/=:").find(c) != std::string_view::npos;
         });
}

}  // namespace strata::http
