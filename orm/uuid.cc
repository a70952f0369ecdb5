// Making, reading and writing of UUIDs.

#include "strata/orm/uuid.h"

#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace strata::orm {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void FillRandom(std::span<std::uint8_t> bytes) {
  ssize_t got;
  do {
    got = ::getrandom(bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes come whole. Without them nothing that is made here would be unique.
  if (got != static_cast<ssize_t>(bytes.size())) std::abort();
}

void Stamp(std::array<std::uint8_t, Uuid::kBytes>& bytes, int version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | (version << 4));
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
}

// Milliseconds since 1970 times 4096, with the fraction in the low 12 bits.
std::uint64_t Ticks() {
  using std::chrono::duration_cast;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = duration_cast<std::chrono::milliseconds>(now);
  const auto ns = duration_cast<std::chrono::nanoseconds>(now - ms);
  return static_cast<std::uint64_t>(ms.count()) << 12 |
         static_cast<std::uint64_t>(ns.count()) * 4096 / 1'000'000;
}

// A tick that no other call gets.
std::uint64_t NextTick() {
  static std::atomic<std::uint64_t> last{0};
  const std::uint64_t now = Ticks();
  std::uint64_t before = last.load(std::memory_order_relaxed);
  std::uint64_t next;
  do {
    next = now > before ? now : before + 1;
  } while (!last.compare_exchange_weak(before, next, std::memory_order_relaxed));
  return next;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Where the text of a byte has a hyphen before it.
constexpr bool HyphenBefore(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool ParseInto(std::string_view text, std::array<std::uint8_t, Uuid::kBytes>& bytes) {
  if (text.size() != Uuid::kTextBytes) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < Uuid::kBytes; ++i) {
    if (HyphenBefore(i) && text[at++] != '-') return false;
    const int high = HexValue(text[at]);
    const int low = HexValue(text[at + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return true;
}

}  // namespace

Uuid Uuid::V4() {
  Uuid uuid;
  FillRandom(uuid.bytes_);
  Stamp(uuid.bytes_, 4);
  return uuid;
}

Uuid Uuid::V7() {
  Uuid uuid;
  FillRandom(std::span(uuid.bytes_).subspan(8));
  const std::uint64_t tick = NextTick();
  for (int i = 0; i < 6; ++i) uuid.bytes_[i] = static_cast<std::uint8_t>(tick >> (52 - 8 * i));
  uuid.bytes_[6] = static_cast<std::uint8_t>(tick >> 8 & 0x0f);
  uuid.bytes_[7] = static_cast<std::uint8_t>(tick);
  Stamp(uuid.bytes_, 7);
  return uuid;
}

absl::StatusOr<Uuid> Uuid::Parse(std::string_view text) {
  Uuid uuid;
  if (ParseInto(text, uuid.bytes_)) return uuid;
  constexpr std::size_t kShown = 40;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShown)), "\" is no UUID"));
}

std::optional<std::chrono::sys_time<std::chrono::milliseconds>> Uuid::time() const {
  if (version() != 7) return std::nullopt;
  std::int64_t ms = 0;
  for (int i = 0; i < 6; ++i) ms = ms << 8 | bytes_[i];
  return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms));
}

char* Uuid::Format(char* out) const {
  for (std::size_t i = 0; i < kBytes; ++i) {
    if (HyphenBefore(i)) *out++ = '-';
    *out++ = kHex[bytes_[i] >> 4];
    *out++ = kHex[bytes_[i] & 15];
  }
  return out;
}

std::string Uuid::ToString() const {
  char text[kTextBytes];
  return std::string(text, Format(text));
}

}  // namespace strata::orm
