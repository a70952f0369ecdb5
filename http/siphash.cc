// SipHash-2-4 of any bytes.

#include "strata/http/random_internal.h"
#include "strata/http/siphash_internal.h"

namespace strata::http {
namespace {

// Up to 8 bytes, little-endian.
std::uint64_t Load(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
  }
  return word;
}

}  // namespace

SipKey SipKey::Random() {
  std::uint64_t words[2];
  FillRandom(std::as_writable_bytes(std::span(words)));
  return {words[0], words[1]};
}

std::uint64_t SipHash(const SipKey& key, std::string_view bytes) {
  internal::SipState state(key);
  const std::uint64_t size = std::uint64_t{bytes.size()} << 56;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) state.Add(Load(bytes.substr(0, 8)));
  state.Add(size | Load(bytes));
  return state.Finish();
}

}  // namespace strata::http
