// PHC strings, read and written.

#include <array>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "strata/crypto/phc_internal.h"

namespace strata::crypto {
namespace {

// More than any string we write, less than what would be a burden to look at.
constexpr std::size_t kMaxPhcBytes = 512;

struct Number {
  std::string_view name;
  std::uint32_t value = 0;
};

// The standard alphabet of base64, without padding.
std::string Encode(std::string_view bytes) {
  std::string text = absl::Base64Escape(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string Format(std::span<const Number> numbers) {
  return absl::StrJoin(numbers, ",", [](std::string* out, const Number& number) {
    absl::StrAppend(out, number.name, "=", number.value);
  });
}

// Reads "a=1,b=2" into `numbers`, whose names say what must stand there.
bool Parse(std::string_view text, std::span<Number> numbers) {
  const std::vector<std::string_view> parts = absl::StrSplit(text, ',');
  if (parts.size() != numbers.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view digits = parts[i];
    if (!absl::ConsumePrefix(&digits, numbers[i].name) || !absl::ConsumePrefix(&digits, "=") ||
        !absl::SimpleAtoi(digits, &numbers[i].value)) {
      return false;
    }
  }
  return true;
}

std::array<Number, 3> NumbersOf(const ScryptCost& cost) {
  return {{{"ln", cost.log2_n}, {"r", cost.r}, {"p", cost.p}}};
}

std::array<Number, 1> NumbersOf(const Pbkdf2Cost& cost) { return {{{"i", cost.iterations}}}; }

std::array<Number, 3> NumbersOf(const Argon2Cost& cost) {
  return {{{"m", cost.memory_kib}, {"t", cost.passes}, {"p", cost.lanes}}};
}

ScryptCost CostOf(const std::array<Number, 3>& numbers, const ScryptCost&) {
  return {numbers[0].value, numbers[1].value, numbers[2].value};
}
Pbkdf2Cost CostOf(const std::array<Number, 1>& numbers, const Pbkdf2Cost&) {
  return {numbers[0].value};
}
Argon2Cost CostOf(const std::array<Number, 3>& numbers, const Argon2Cost&) {
  return {numbers[0].value, numbers[1].value, numbers[2].value};
}

std::string Prefix(const ScryptCost&) { return "$scrypt$"; }
std::string Prefix(const Pbkdf2Cost&) { return "$pbkdf2-sha256$"; }
std::string Prefix(const Argon2Cost&) { return "$argon2id$v=19$"; }

// Takes the function and its cost off the front of `text`.
template <typename Cost>
bool ParseCost(std::string_view& text, Cost& cost) {
  if (!absl::ConsumePrefix(&text, Prefix(cost))) return false;
  auto numbers = NumbersOf(cost);
  const std::string_view part = text.substr(0, text.find('$'));
  if (!Parse(part, numbers)) return false;
  text.remove_prefix(part.size());
  cost = CostOf(numbers, cost);
  return absl::ConsumePrefix(&text, "$");
}

}  // namespace

std::string FormatPhc(const Phc& phc) {
  const std::string cost = std::visit(
      [](const auto& of) { return absl::StrCat(Prefix(of), Format(NumbersOf(of))); }, phc.cost);
  return absl::StrCat(cost, "$", Encode(phc.salt), "$", Encode(phc.hash));
}

absl::StatusOr<Phc> ParsePhc(std::string_view text) {
  const absl::Status malformed = absl::InvalidArgumentError("not a PHC string of a password");
  if (text.size() > kMaxPhcBytes) return malformed;
  Phc phc;
  for (const PasswordCost& cost :
       {PasswordCost(ScryptCost()), PasswordCost(Pbkdf2Cost()), PasswordCost(Argon2Cost())}) {
    if (text.starts_with(std::visit([](const auto& of) { return Prefix(of); }, cost))) {
      phc.cost = cost;
    }
  }
  std::string_view rest = text;
  if (!std::visit([&](auto& of) { return ParseCost(rest, of); }, phc.cost)) return malformed;
  const std::vector<std::string_view> parts = absl::StrSplit(rest, '$');
  if (parts.size() != 2 || !absl::Base64Unescape(parts[0], &phc.salt) ||
      !absl::Base64Unescape(parts[1], &phc.hash)) {
    return malformed;
  }
  if (phc.salt.size() < kMinSaltBytes || phc.salt.size() > kMaxSaltBytes ||
      phc.hash.size() < kMinPasswordHashBytes || phc.hash.size() > kMaxPasswordHashBytes) {
    return malformed;
  }
  // There is one way to write each: no blanks, no zeros in front, no padding, no spare bits.
  if (FormatPhc(phc) != text) return malformed;
  return phc;
}

}  // namespace strata::crypto
