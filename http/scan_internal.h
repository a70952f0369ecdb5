// The classes of bytes, and finding the ends of what a head is made of: a name, a value, a target.
//
// Field lines are looked at in blocks of 64 bytes, each once: the classes of a block's bytes become
// words of bits, in which a LineScanner then finds the ends of names and values, line by line.
//
// There are several ways to look, which give the same; ChooseScanner() takes the best that the
// processor has. None of them reads a byte at or behind `end`.

#ifndef STRATA_HTTP_SCAN_INTERNAL_H_
#define STRATA_HTTP_SCAN_INTERNAL_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace strata::http {

// The classes, as bits of kByteClasses.
enum ByteClass : std::uint8_t {
  kTokenByte = 1,   // tchar, RFC 9110 section 5.6.2.
  kValueByte = 2,   // Of a field's value: HTAB, SP, VCHAR, obs-text; RFC 9110 section 5.5.
  kTargetByte = 4,  // Of a request target; see request_parser.h.
  kNameByte = 8,    // Of a reg-name but "%": unreserved and sub-delims, RFC 3986 section 3.2.2.
  kHexByte = 16,    // HEXDIG, in both cases.
};

constexpr std::array<std::uint8_t, 256> MakeByteClasses() {
  const auto is_one_of = [](int byte, std::string_view set) {
    return set.find(static_cast<char>(byte)) != std::string_view::npos;
  };
  std::array<std::uint8_t, 256> classes = {};
  for (int byte = 0; byte < 256; ++byte) {
    const int lower = byte | 0x20;
    const bool ascii = byte < 0x80;
    const bool visible = byte > 0x20 && byte < 0x7f;
    const bool digit = byte >= '0' && byte <= '9';
    const bool alphanumeric = digit || (ascii && lower >= 'a' && lower <= 'z');
    std::uint8_t of = 0;
    if (alphanumeric || (visible && is_one_of(byte, "!#$%&'*+-.^_`|~"))) of |= kTokenByte;
    if (visible || byte == ' ' || byte == '\t' || !ascii) of |= kValueByte;
    if (visible && !is_one_of(byte, "\"#<>")) of |= kTargetByte;
    if (alphanumeric || (visible && is_one_of(byte, "-._~!$&'()*+,;="))) of |= kNameByte;
    if (digit || (ascii && lower >= 'a' && lower <= 'f')) of |= kHexByte;
    classes[static_cast<std::size_t>(byte)] = of;
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kByteClasses = MakeByteClasses();

constexpr bool IsOf(ByteClass byte_class, char byte) {
  return (kByteClasses[static_cast<std::uint8_t>(byte)] & byte_class) != 0;
}

// The first byte that is not of the class, or `end`; a byte at a time.
inline const char* FindEndOf(ByteClass byte_class, const char* at, const char* end) {
  while (at != end && IsOf(byte_class, *at)) ++at;
  return at;
}

// The bytes of a block that are not of a class; bit i stands for byte i.
struct BlockClasses {
  std::uint64_t not_token;
  std::uint64_t not_value;
};

inline constexpr std::size_t kBlockBytes = 64;

struct Scanner {
  const char* name;

  // Of the kBlockBytes bytes at `block`.
  BlockClasses (*classify)(const char* block);

  // The first byte that is no kTargetByte, or `end`.
  const char* (*find_target_end)(const char* at, const char* end);

  // Whether this processor can run it.
  bool (*is_available)();
};

extern const Scanner kPortableScanner;
#if defined(__x86_64__)
extern const Scanner kSsse3Scanner;
extern const Scanner kAvx2Scanner;
#endif

// From the slowest to the fastest, those that cannot run here too.
std::span<const Scanner* const> AllScanners();

// The fastest that can run here.
const Scanner& ChooseScanner();

// Goes over the bytes up to `end`. Each call asks about the same place as the one before or a later
// one.
class LineScanner {
 public:
  LineScanner(const Scanner& scanner, const char* at, const char* end)
      : classify_(scanner.classify), end_(end) {
    Load(at);
  }

  // The first byte from `at` on that is no kTokenByte, or the end.
  const char* FindNameEnd(const char* at) { return Find<&BlockClasses::not_token>(at); }

  // The first that is no kValueByte.
  const char* FindValueEnd(const char* at) { return Find<&BlockClasses::not_value>(at); }

 private:
  template <std::uint64_t BlockClasses::*kClass>
  const char* Find(const char* at) {
    for (;;) {
      const auto offset = static_cast<std::size_t>(at - block_);
      if (offset < kBlockBytes) {
        if (const std::uint64_t found = classes_.*kClass >> offset) {
          return at + std::countr_zero(found);
        }
        at = block_ + kBlockBytes;
      }
      if (at >= end_) return end_;
      Load(at);
    }
  }

  // The last bytes are followed by zeros, which are of no class: the first of them is the end.
  // Apart from the loop that asks, of which all is in registers then.
  [[gnu::noinline]] void Load(const char* at) {
    block_ = at;
    const auto left = static_cast<std::size_t>(end_ - at);
    if (left >= kBlockBytes) {
      classes_ = classify_(at);
      return;
    }
    std::array<char, kBlockBytes> last{};
    if (left > 0) std::memcpy(last.data(), at, left);
    classes_ = classify_(last.data());
  }

  BlockClasses (*const classify_)(const char* block);
  const char* const end_;
  const char* block_;
  BlockClasses classes_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SCAN_INTERNAL_H_
