// The portable scanner, and the choice.

#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

BlockClasses Classify(const char* block) {
  BlockClasses classes = {};
  for (std::size_t i = 0; i < kBlockBytes; ++i) {
    const unsigned of = kByteClasses[static_cast<std::uint8_t>(block[i])];
    classes.not_token |= std::uint64_t{(of & kTokenByte) == 0} << i;
    classes.not_value |= std::uint64_t{(of & kValueByte) == 0} << i;
  }
  return classes;
}

const char* FindTargetEnd(const char* at, const char* end) {
  return FindEndOf(kTargetByte, at, end);
}

constexpr const Scanner* kAll[] = {
    &kPortableScanner,
#if defined(__x86_64__)
    &kSsse3Scanner,
    &kAvx2Scanner,
#endif
};

const Scanner* FindFastest() {
  const Scanner* fastest = &kPortableScanner;
  for (const Scanner* const scanner : kAll) {
    if (scanner->is_available()) fastest = scanner;
  }
  return fastest;
}

}  // namespace

const Scanner kPortableScanner = {"portable", Classify, FindTargetEnd, [] { return true; }};

std::span<const Scanner* const> AllScanners() { return kAll; }

const Scanner& ChooseScanner() {
  static const Scanner* const fastest = FindFastest();
  return *fastest;
}

}  // namespace strata::http
