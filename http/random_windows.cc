// Random bytes by BCryptGenRandom.

#include <windows.h>
// It stands on the one above.
#include <bcrypt.h>

#include <cstdio>
#include <cstdlib>

#include "strata/http/random_internal.h"

namespace strata::http {

void FillRandom(std::span<std::byte> bytes) {
  const NTSTATUS status =
      ::BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(bytes.data()),
                        static_cast<ULONG>(bytes.size()), BCRYPT_USE_SYSTEM_PREFERRED_RNG);
  if (status < 0) {
    std::fprintf(stderr, "BCryptGenRandom: %lx\n", static_cast<unsigned long>(status));
    std::abort();
  }
}

}  // namespace strata::http
