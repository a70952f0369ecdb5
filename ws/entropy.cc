// How often two bytes of a sample are equal, against how often they would be in random data.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "strata/ws/entropy_internal.h"

namespace strata::ws {
namespace {

// Below, the number of equal pairs is too much a matter of chance: at 512 bytes it is 1022 of
// random data, with a deviation of 45.
constexpr std::size_t kMinBytes = 512;

// The sample: pieces all over the message, for many files begin with a header in the clear.
constexpr std::size_t kPieces = 16;
constexpr std::size_t kPieceBytes = 64;

}  // namespace

bool LooksRandom(std::string_view message) {
  if (message.size() < kMinBytes) return false;
  std::array<std::uint16_t, 256> counts = {};
  std::uint64_t sampled = 0;
  const std::size_t step = std::max(message.size() / kPieces, kPieceBytes);
  for (std::size_t at = 0; at + kPieceBytes <= message.size(); at += step) {
    for (const char byte : message.substr(at, kPieceBytes)) {
      ++counts[static_cast<std::uint8_t>(byte)];
    }
    sampled += kPieceBytes;
  }
  // Pairs in order, so each twice.
  std::uint64_t equal_pairs = 0;
  for (const std::uint64_t count : counts) equal_pairs += count * (count - (count != 0 ? 1 : 0));
  // A quarter more than evenly spread bytes have: 0.3 bits less than 8 in a byte (of Renyi's
  // entropy), which would gain a few percent.
  return equal_pairs * 256 * 4 < sampled * (sampled - 1) * 5;
}

}  // namespace strata::ws
