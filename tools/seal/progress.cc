// The line is drawn over itself, a few times a second.

#include "tools/seal/progress.h"

#include <algorithm>
#include <cstdio>

namespace strata::seal {

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::Show(std::uint64_t done_bytes, std::optional<std::uint64_t> total_bytes) {
  const Clock::time_point now = Clock::now();
  if (!shown_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  drawn_ = true;
  constexpr double kMebibyte = 1 << 20;
  const double done = static_cast<double>(done_bytes);
  if (!total_bytes.has_value()) {
    std::fprintf(stderr, "\r\033[K%.1f MiB", done / kMebibyte);
    return;
  }
  const double total = std::max(static_cast<double>(*total_bytes), 1.0);
  std::fprintf(stderr, "\r\033[K%.1f of %.1f MiB, %.0f %%", done / kMebibyte, total / kMebibyte,
               std::min(100.0, 100 * done / total));
}

}  // namespace strata::seal
