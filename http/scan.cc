// The portable scanner, and the choice.

#include "strata/http/scan_internal.h"

namespace strata::http {
namespace {

FieldScan ScanField(const char* at, const char* end) {
  const char* const name_end = FindEndOf(kTokenByte, at, end);
  return {name_end, FindEndOf(kValueByte, name_end, end)};
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

const Scanner kPortableScanner = {"portable", ScanField, FindTargetEnd, [] { return true; }};

std::span<const Scanner* const> AllScanners() { return kAll; }

const Scanner& ChooseScanner() {
  static const Scanner* const fastest = FindFastest();
  return *fastest;
}

}  // namespace strata::http
