// Any bytes are a connection's beginning, and what is made of them does not depend on the pieces in
// which they come. Without compression the model says the same.
//
// The first byte chooses the options, the second one is the number of cuts, then comes that many
// times the size of a piece, then the bytes on the wire.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/deflate.h"
#include "strata/ws/testing/decoder_model.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

enum Choice : std::uint8_t {
  kAClient = 1,
  kInParts = 2,
  kSmallLimits = 4,
  kDeflate = 8,
  kShared = 16,
  kCopied = 32,
};

DecoderOptions OptionsOf(std::uint8_t choices) {
  DecoderOptions options;
  options.role = (choices & kAClient) != 0 ? Role::kClient : Role::kServer;
  options.in_parts = (choices & kInParts) != 0;
  options.max_message_bytes = 1 << 16;
  options.max_inflate_ratio = 8;
  options.inflate_free_bytes = 1 << 12;
  if ((choices & kSmallLimits) == 0) return options;
  options.max_frame_bytes = 100;
  options.max_message_bytes = 150;
  if (!options.in_parts) options.max_fragmented_bytes = 120;
  options.max_fragments = 4;
  return options;
}

void Check(const std::string& a, const std::string& b, const char* what) {
  if (a == b) return;
  std::fprintf(stderr, "%s:\n%s\n%s\n", what, a.c_str(), b.c_str());
  std::abort();
}

}  // namespace
}  // namespace strata::ws::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata::ws;
  using namespace strata::ws::wire;
  GTEST_FLAG_SET(break_on_failure, true);
  if (size < 2) return 0;
  const std::uint8_t choices = data[0];
  const std::size_t cuts = std::min<std::size_t>(data[1], size - 2);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2 + cuts, size - 2 - cuts);

  WireCase wire_case = {.section = "", .name = "", .bytes = std::string(bytes), .events = ""};
  wire_case.options = OptionsOf(choices);
  DeflatePool pool;
  if ((choices & kDeflate) != 0) {
    const bool shared = (choices & kShared) != 0;
    const DeflateParameters agreed = {.server_no_context_takeover = shared,
                                      .client_no_context_takeover = shared};
    wire_case.inflater = [agreed, role = wire_case.options.role, &pool] {
      return MakeInflater(agreed, role, &pool);
    };
  }

  Feeding pieces = {.writable = (choices & kCopied) == 0, .cuts = {}};
  Feeding every_byte = pieces;
  std::size_t at = 0;
  for (std::size_t i = 0; i < cuts; ++i) {
    at = std::min(at + data[2 + i], bytes.size());
    pieces.cuts.push_back(at);
  }
  for (at = 1; at < bytes.size(); ++at) every_byte.cuts.push_back(at);
  const std::string whole = Decode(wire_case, {.writable = true, .cuts = {}});
  Check(whole, Decode(wire_case, pieces), "whole, and in pieces");
  Check(whole, Decode(wire_case, every_byte), "whole, and byte by byte");
  if ((choices & kDeflate) == 0) {
    Check(whole, ModelEvents(bytes, wire_case.options), "the decoder, and the model");
  }
  if (pool.borrowed_inflaters() != 0) std::abort();
  return 0;
}
