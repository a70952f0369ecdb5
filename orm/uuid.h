// File: uuid.h
//
// Universally unique identifiers (RFC 9562): random ones (version 4), and ones that sort by the
// time of their making (version 7), which are the better keys of a table, as new rows go to its
// end.
//
//   Uuid id = Uuid::V7();
//   id.ToString();  // "01932c07-209a-7f3a-b1d4-5f0a1c6e2b90"

#ifndef STRATA_ORM_UUID_H_
#define STRATA_ORM_UUID_H_

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::orm {

class Uuid {
 public:
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kTextBytes = 36;

  constexpr Uuid() = default;  // All bits 0 (RFC 9562 section 5.9).
  explicit constexpr Uuid(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  // Random bits are the system's (getrandom), which does not fail once the machine is up.
  // Thread-safe, and safe after fork().
  static Uuid V4();

  // Each one made in this process is greater than those before: 48 bits of milliseconds, 12 of a
  // millisecond's fraction (RFC 9562 section 6.2, method 3), counted on where the clock stands
  // still or goes back, and 62 random bits.
  static Uuid V7();

  // 32 hexadecimal digits of either case with hyphens as in section 4, nothing around them.
  // InvalidArgument otherwise.
  static absl::StatusOr<Uuid> Parse(std::string_view text);

  constexpr const std::array<std::uint8_t, kBytes>& bytes() const { return bytes_; }
  constexpr int version() const { return bytes_[6] >> 4; }
  constexpr bool is_nil() const { return *this == Uuid(); }

  // When one of version 7 was made; none for another.
  std::optional<std::chrono::sys_time<std::chrono::milliseconds>> time() const;

  // Lower case.
  std::string ToString() const;

  // The same into `out`, which has kTextBytes. Returns the end of the text.
  char* Format(char* out) const;

  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Uuid& uuid) {
    return H::combine(std::move(h), uuid.bytes_);
  }

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace strata::orm

#endif  // STRATA_ORM_UUID_H_
