// Whatever stands in a field: the walk from the right agrees with the grammar read from the left,
// and what a trusted proxy adds behind it is found.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/forwarded.h"

using strata::http::ClientOf;
using strata::http::ForwardedClient;
using strata::http::ForwardedElement;
using strata::http::ForwardedLines;
using strata::http::ForwardedNode;
using strata::http::NetworkSet;
using strata::http::XForwardedLines;

namespace {

void Expect(bool condition) {
  if (!condition) std::abort();
}

// With everybody trusted, the walk goes over as many elements as have an address.
void CompareDirections(std::span<const std::string_view> lines, const strata::net::Address& peer) {
  static const auto& everybody = *new NetworkSet(*NetworkSet::Parse("0.0.0.0/0 ::/0"));
  const absl::StatusOr<std::vector<ForwardedElement>> elements =
      strata::http::ParseForwarded(lines);
  const ForwardedClient client = ClientOf(peer, everybody, ForwardedLines{lines}, 1000);
  if (!elements.ok()) return;
  std::size_t hops = 0;
  const ForwardedElement* last = nullptr;
  for (std::size_t i = elements->size(); i-- > 0;) {
    last = &(*elements)[i];
    if (last->for_node.kind != ForwardedNode::Kind::kAddress) break;
    ++hops;
  }
  Expect(client.hops == hops);
  Expect(client.complete == (hops == elements->size()));
  if (last) Expect(client.proto == last->proto && client.host == last->host);
  if (hops > 0) {
    const ForwardedElement& outermost = (*elements)[elements->size() - hops];
    Expect(client.address == outermost.for_node.address.Unmapped());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& trusted = *new NetworkSet(*NetworkSet::Parse("10.0.0.0/8"));
  static const auto& peer = *new strata::net::Address(*strata::net::Address::Parse("10.0.0.1:1"));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), size);
  const std::array<std::string_view, 2> lines = {text.substr(0, line),
                                                 text.substr(std::min(line + 1, size), size)};
  CompareDirections(lines, peer);
  (void)strata::http::ParseForwardedNode(text);

  for (const char* added : {", for=192.0.2.7", R"(, for="192.0.2.7:1";proto=https;x="\"\\")",
                            ",host=a;for=192.0.2.7"}) {
    const std::string whole = std::string(text) + added;
    const std::string_view view = whole;
    const ForwardedClient client = ClientOf(peer, trusted, ForwardedLines{std::span(&view, 1)});
    Expect(client.address.ToStringWithoutPort() == "192.0.2.7");
    Expect(client.complete && client.hops == 1);
  }
  const std::string whole = std::string(text) + ", 192.0.2.7";
  const std::string_view view = whole;
  const ForwardedClient client =
      ClientOf(peer, trusted, XForwardedLines{std::span(&view, 1), std::span(&view, 1), lines});
  Expect(client.address.ToStringWithoutPort() == "192.0.2.7");
  Expect(client.proto.empty());  // An address is none.
  Expect(client.host.find_first_of("\"<> \r\n\\/@") == std::string::npos);
  return 0;
}
