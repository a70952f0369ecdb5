// Feeds PHC strings to the parser: what it accepts is written back as it came.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/crypto/phc_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (text.ends_with('\n')) text.remove_suffix(1);
  const absl::StatusOr<strata::crypto::Phc> phc = strata::crypto::ParsePhc(text);
  if (phc.ok() && strata::crypto::FormatPhc(*phc) != text) std::abort();
  return 0;
}
