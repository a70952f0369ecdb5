// Any text is a list of networks or an error; what is a network comes back from its own text, and a
// set contains the ends of each of its networks.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/http/network.h"

using strata::http::Network;
using strata::http::NetworkSet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<NetworkSet> set = NetworkSet::Parse(text);

  for (std::size_t at = 0; at < size;) {
    const std::size_t end = std::min(text.find_first_of(", \t\r\n", at), size);
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    const absl::StatusOr<Network> network = Network::Parse(word);
    if (!network.ok()) {
      if (set.ok() && !word.empty() && word != "unix:") std::abort();
      continue;
    }
    if (!(*Network::Parse(network->ToString()) == *network)) std::abort();
    const auto address = strata::http::ParseIp(word.substr(0, word.find('/')));
    if (!address || !network->Contains(*address)) std::abort();
    if (set.ok() && !set->Contains(*address)) std::abort();
  }
  return 0;
}
