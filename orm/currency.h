// File: currency.h
//
// Amounts of money: a whole number of ten-thousandths in 64 bits, so that sums are exact. The range
// is +-922,337,203,685,477.5807.
//
//   using strata::orm::Currency;
//   absl::StatusOr<Currency> price = Currency::Parse("19.99");
//   Currency total = *price * 3;
//   total.ToString();  // "59.97"
//
// The operators end the program on an overflow, as they would have to lie otherwise. The functions
// that return std::optional are for numbers from outside.

#ifndef STRATA_ORM_CURRENCY_H_
#define STRATA_ORM_CURRENCY_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::orm {

// What becomes of a result that lies between two ten-thousandths.
enum class Rounding : std::uint8_t {
  kHalfToEven,
  kHalfAwayFromZero,
  kTowardsZero,
};

class Currency {
 public:
  // The value 1 is so many ten-thousandths.
  static constexpr std::int64_t kUnit = 10'000;

  // The longest text: "-922337203685477.5808".
  static constexpr std::size_t kMaxText = 21;

  constexpr Currency() = default;  // 0

  static constexpr Currency FromTenThousandths(std::int64_t count) { return Currency(count); }

  // Every value of 32 bits fits.
  static constexpr Currency FromInt(std::int32_t whole) { return Currency(whole * kUnit); }

  // The nearest amount, a half to even. None if there is none: not finite, or too large.
  static std::optional<Currency> FromDouble(double value);

  // A decimal number as JSON writes it (RFC 8259 section 6), "-12.5" or "1e3". InvalidArgument if
  // it is none, or has a fifth decimal that is not 0; OutOfRange if it is too large.
  static absl::StatusOr<Currency> Parse(std::string_view text);

  constexpr std::int64_t ten_thousandths() const { return count_; }
  double ToDouble() const { return static_cast<double>(count_) / kUnit; }

  // With as many decimals as it needs: "12.5", "-3", "0.0001". It reads back as the same.
  std::string ToString() const;

  // The same into `out`, which has kMaxText bytes. Returns the end of the text.
  char* Format(char* out) const;

  // None if the result does not fit.
  static constexpr std::optional<Currency> Add(Currency a, Currency b) {
    Currency sum;
    if (__builtin_add_overflow(a.count_, b.count_, &sum.count_)) return std::nullopt;
    return sum;
  }
  static constexpr std::optional<Currency> Subtract(Currency a, Currency b) {
    Currency difference;
    if (__builtin_sub_overflow(a.count_, b.count_, &difference.count_)) return std::nullopt;
    return difference;
  }
  static constexpr std::optional<Currency> Multiply(Currency a, std::int64_t factor) {
    Currency product;
    if (__builtin_mul_overflow(a.count_, factor, &product.count_)) return std::nullopt;
    return product;
  }

  // The exact product, or quotient, rounded once. None if it does not fit, or `b` is 0.
  static std::optional<Currency> Multiply(Currency a, Currency b,
                                          Rounding rounding = Rounding::kHalfToEven);
  static std::optional<Currency> Divide(Currency a, Currency b,
                                        Rounding rounding = Rounding::kHalfToEven);

  friend constexpr Currency operator+(Currency a, Currency b) { return Must(Add(a, b)); }
  friend constexpr Currency operator-(Currency a, Currency b) { return Must(Subtract(a, b)); }
  friend constexpr Currency operator*(Currency a, std::int64_t b) { return Must(Multiply(a, b)); }
  friend constexpr Currency operator-(Currency a) { return Must(Subtract(Currency(), a)); }
  constexpr Currency& operator+=(Currency b) { return *this = *this + b; }
  constexpr Currency& operator-=(Currency b) { return *this = *this - b; }

  friend constexpr auto operator<=>(Currency, Currency) = default;

  template <typename H>
  friend H AbslHashValue(H h, Currency c) {
    return H::combine(std::move(h), c.count_);
  }

 private:
  explicit constexpr Currency(std::int64_t count) : count_(count) {}

  static constexpr Currency Must(std::optional<Currency> result) {
    if (!result) __builtin_trap();
    return *result;
  }

  std::int64_t count_ = 0;
};

}  // namespace strata::orm

#endif  // STRATA_ORM_CURRENCY_H_
