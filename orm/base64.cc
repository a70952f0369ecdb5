// Base64.

#include <array>
#include <cstdint>

#include "strata/orm/base64_internal.h"

namespace strata::orm::internal {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
  return values;
}();

// Up to four digits; an error sets bits above the 24.
std::uint32_t Value(std::string_view digits) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint8_t digit =
        i < digits.size() ? kValues[static_cast<std::uint8_t>(digits[i])] : 0;
    if (digit == kNone) return ~std::uint32_t{0};
    value = value << 6 | digit;
  }
  return value;
}

}  // namespace

char* EncodeBase64(std::span<const std::byte> bytes, char* out) {
  while (!bytes.empty()) {
    const std::size_t size = bytes.size() < 3 ? bytes.size() : 3;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      value = value << 8 | (i < size ? static_cast<std::uint32_t>(bytes[i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      *out++ = i <= size ? kDigits[value >> (18 - 6 * i) & 63] : '=';
    }
    bytes = bytes.subspan(size);
  }
  return out;
}

bool DecodeBase64(std::string_view text, Blob* bytes) {
  bytes->clear();
  if (text.size() % 4 != 0) return false;
  bytes->reserve(text.size() / 4 * 3);
  for (; !text.empty(); text.remove_prefix(4)) {
    std::string_view digits = text.substr(0, 4);
    if (text.size() == 4) {
      for (int i = 0; i < 2 && digits.ends_with('='); ++i) digits.remove_suffix(1);
    }
    const std::uint32_t value = Value(digits);
    if (value > 0xffffff) return false;
    const std::size_t size = digits.size() - 1;
    if (size < 3 && (value & ((1u << (24 - 8 * size)) - 1)) != 0) return false;
    for (std::size_t i = 0; i < size; ++i) {
      bytes->push_back(static_cast<std::byte>(value >> (16 - 8 * i)));
    }
  }
  return true;
}

}  // namespace strata::orm::internal
