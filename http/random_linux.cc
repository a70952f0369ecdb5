// Random bytes by getrandom(2).

#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "strata/http/random_internal.h"

namespace strata::http {

void FillRandom(std::span<std::byte> bytes) {
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

}  // namespace strata::http
