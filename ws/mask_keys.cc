// Random bytes by getrandom(2), and a thread's stock of them.

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "strata/ws/mask_keys_internal.h"

namespace strata::ws {
namespace {

constexpr std::size_t kKeyBytes = 4;

// A system call for 256 keys.
struct Stock {
  std::array<std::uint8_t, 256 * kKeyBytes> bytes = {};
  std::size_t used = sizeof(bytes);
};

MaskKey NextKey() {
  static thread_local constinit Stock stock;
  if (stock.used == stock.bytes.size()) {
    FillRandom(stock.bytes);
    stock.used = 0;
  }
  std::array<char, kKeyBytes> key;
  std::memcpy(key.data(), stock.bytes.data() + stock.used, kKeyBytes);
  // Whoever reads the memory later does not learn what was masked by it.
  std::memset(stock.bytes.data() + stock.used, 0, kKeyBytes);
  stock.used += kKeyBytes;
  return MaskKey::FromBytes(key.data());
}

}  // namespace

void FillRandom(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::perror("getrandom");
      std::abort();
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

MaskKeyGenerator* SystemMaskKeys() {
  // Without state of its own, so that threads may call it at once.
  static MaskKeyGenerator* const keys = new MaskKeyGenerator(&NextKey);
  return keys;
}

}  // namespace strata::ws
