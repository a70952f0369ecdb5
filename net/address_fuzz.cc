// Any text is an address or an error, and what is an address comes back from its own text.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/net/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (text.ends_with('\n')) text.remove_suffix(1);
  const absl::StatusOr<strata::net::Address> address = strata::net::Address::Parse(text);
  if (address.ok()) {
    const absl::StatusOr<strata::net::Address> again =
        strata::net::Address::Parse(address->ToString());
    if (!again.ok() || !(*again == *address)) std::abort();
  }
  (void)strata::net::ParseHostPort(text);
  return 0;
}
