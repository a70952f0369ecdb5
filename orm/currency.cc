// Exact decimal arithmetic and its texts.

#include "strata/orm/currency.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::orm {
namespace {

using Int128 = __int128;
using Uint128 = unsigned __int128;

constexpr int kDecimals = 4;

// Exponents beyond this are of numbers that are 0, too large or too fine, whatever their digits.
constexpr int kMaxExponent = 100'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

enum class ParseResult { kOk, kNoNumber, kTooFine, kTooLarge };

// A number in JSON's grammar, taken apart: its digits without the point, and the power of ten that
// these are to be multiplied with.
struct Decimal {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

bool TakeDigits(std::string_view& text, std::string_view* digits) {
  std::size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  *digits = text.substr(0, size);
  text.remove_prefix(size);
  return size > 0;
}

bool Split(std::string_view text, Decimal* decimal) {
  if (text.starts_with('-')) {
    decimal->negative = true;
    text.remove_prefix(1);
  }
  if (!TakeDigits(text, &decimal->whole)) return false;
  if (decimal->whole.size() > 1 && decimal->whole[0] == '0') return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!TakeDigits(text, &decimal->fraction)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    std::string_view digits;
    if (!TakeDigits(text, &digits)) return false;
    int exponent = 0;
    for (const char digit : digits) {
      exponent = std::min(exponent * 10 + (digit - '0'), kMaxExponent);
    }
    decimal->exponent = negative ? -exponent : exponent;
  }
  return text.empty();
}

// Nearly all texts: up to 14 digits, a point, up to 4 more. False if it is another.
bool ParseShort(std::string_view text, std::int64_t* count) {
  const char* at = text.data();
  const char* end = at + text.size();
  const bool negative = at < end && *at == '-';
  if (negative) ++at;
  const char* whole = at;
  std::int64_t value = 0;
  for (; at < end && IsDigit(*at); ++at) {
    if (at - whole == 14) return false;
    value = value * 10 + (*at - '0');
  }
  if (at == whole || (*whole == '0' && at - whole > 1)) return false;
  int decimals = 0;
  if (at < end && *at == '.') {
    for (++at; at < end && IsDigit(*at); ++at) {
      if (decimals++ == kDecimals) return false;
      value = value * 10 + (*at - '0');
    }
    if (decimals == 0) return false;
  }
  if (at != end) return false;
  for (; decimals < kDecimals; ++decimals) value *= 10;
  *count = negative ? -value : value;
  return true;
}

ParseResult ParseTenThousandths(std::string_view text, std::int64_t* count) {
  if (ParseShort(text, count)) return ParseResult::kOk;
  Decimal decimal;
  if (!Split(text, &decimal)) return ParseResult::kNoNumber;

  // The digit at `position`, counted from the first one, has the weight 10^power ten-thousandths.
  const std::size_t digits = decimal.whole.size() + decimal.fraction.size();
  std::int64_t power =
      static_cast<std::int64_t>(decimal.whole.size()) - 1 + decimal.exponent + kDecimals;
  Uint128 value = 0;
  bool large = false;
  for (std::size_t position = 0; position < digits; ++position, --power) {
    const char digit = position < decimal.whole.size()
                           ? decimal.whole[position]
                           : decimal.fraction[position - decimal.whole.size()];
    if (power < 0) {
      if (digit != '0') return ParseResult::kTooFine;
      continue;
    }
    value = value * 10 + static_cast<unsigned>(digit - '0');
    large = large || value > std::numeric_limits<std::uint64_t>::max();
    if (large) value = 1;  // Any but 0: further digits may still be too fine.
  }
  for (; power >= 0 && value != 0 && !large; --power) {
    value *= 10;
    large = value > std::numeric_limits<std::uint64_t>::max();
  }
  const std::uint64_t most =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + decimal.negative;
  if (large || value > most) return ParseResult::kTooLarge;
  const auto magnitude = static_cast<std::uint64_t>(value);
  *count = static_cast<std::int64_t>(decimal.negative ? 0 - magnitude : magnitude);
  return ParseResult::kOk;
}

// numerator / denominator, rounded; the denominator is positive.
std::optional<std::int64_t> DivideRounded(Int128 numerator, Int128 denominator, Rounding rounding) {
  Int128 quotient = numerator / denominator;
  Int128 rest = numerator % denominator;
  if (rest < 0) rest = -rest;
  const Int128 to_half = rest - (denominator - rest);  // Its sign: below, at or above a half.
  const bool away = rounding == Rounding::kHalfAwayFromZero ? to_half >= 0
                    : rounding == Rounding::kHalfToEven
                        ? to_half > 0 || (to_half == 0 && quotient % 2 != 0)
                        : false;
  if (away) quotient += numerator < 0 ? -1 : 1;
  if (quotient > std::numeric_limits<std::int64_t>::max() ||
      quotient < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(quotient);
}

}  // namespace

std::optional<Currency> Currency::FromDouble(double value) {
  // 2^63 itself does not fit; the bound also refuses what is not a number. nearbyint() follows the
  // rounding mode, which is to even unless the program has changed it.
  const double scaled = std::nearbyint(value * kUnit);
  if (!(scaled >= -0x1p63 && scaled < 0x1p63)) return std::nullopt;
  return Currency(static_cast<std::int64_t>(scaled));
}

absl::StatusOr<Currency> Currency::Parse(std::string_view text) {
  constexpr std::size_t kShown = 40;
  Currency result;
  const char* why = "";
  switch (ParseTenThousandths(text, &result.count_)) {
    case ParseResult::kOk:
      return result;
    case ParseResult::kNoNumber:
      why = "no decimal number";
      break;
    case ParseResult::kTooFine:
      why = "more than 4 decimals";
      break;
    case ParseResult::kTooLarge:
      return absl::OutOfRangeError(
          absl::StrCat("amount \"", text.substr(0, kShown), "\": too large"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("amount \"", absl::CHexEscape(text.substr(0, kShown)), "\": ", why));
}

char* Currency::Format(char* out) const {
  std::uint64_t magnitude = static_cast<std::uint64_t>(count_);
  if (count_ < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  out = std::to_chars(out, out + kMaxText, magnitude / kUnit).ptr;
  auto fraction = static_cast<unsigned>(magnitude % kUnit);
  if (fraction == 0) return out;
  *out++ = '.';
  for (unsigned weight = kUnit / 10; fraction != 0; weight /= 10) {
    *out++ = static_cast<char>('0' + fraction / weight);
    fraction %= weight;
  }
  return out;
}

std::string Currency::ToString() const {
  char text[kMaxText];
  return std::string(text, Format(text));
}

std::optional<Currency> Currency::Multiply(Currency a, Currency b, Rounding rounding) {
  const auto result = DivideRounded(static_cast<Int128>(a.count_) * b.count_, kUnit, rounding);
  if (!result) return std::nullopt;
  return Currency(*result);
}

std::optional<Currency> Currency::Divide(Currency a, Currency b, Rounding rounding) {
  if (b.count_ == 0) return std::nullopt;
  const Int128 sign = b.count_ < 0 ? -1 : 1;
  const auto result = DivideRounded(sign * a.count_ * kUnit, sign * b.count_, rounding);
  if (!result) return std::nullopt;
  return Currency(*result);
}

}  // namespace strata::orm
