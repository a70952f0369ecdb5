// A line on the terminal that says how far a file is.

#ifndef STRATA_TOOLS_SEAL_PROGRESS_H_
#define STRATA_TOOLS_SEAL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <optional>

namespace strata::seal {

class ProgressLine {
 public:
  explicit ProgressLine(bool shown) : shown_(shown) {}

  // Removes the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(std::uint64_t done_bytes, std::optional<std::uint64_t> total_bytes);

 private:
  using Clock = std::chrono::steady_clock;

  const bool shown_;
  bool drawn_ = false;
  // Short work shows no line.
  Clock::time_point next_ = Clock::now() + std::chrono::milliseconds(500);
};

}  // namespace strata::seal

#endif  // STRATA_TOOLS_SEAL_PROGRESS_H_
