// Random connections, most of them good for a while, against the model, in random pieces.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/testing/decoder_model.h"
#include "strata/ws/testing/wire.h"

namespace strata::ws::wire {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Below(std::uint64_t count) { return random_() % count; }
  bool OneIn(std::uint64_t count) { return Below(count) == 0; }

  std::string Connection(Role role) {
    role_ = role;
    std::string bytes;
    for (std::uint64_t messages = Below(6); messages > 0; --messages) {
      if (OneIn(3)) bytes += Control();
      bytes += Message();
    }
    if (OneIn(3)) bytes += Control();
    for (std::uint64_t changes = OneIn(3) ? 1 + Below(2) : 0; changes > 0; --changes) {
      Change(bytes);
    }
    return bytes;
  }

  std::vector<std::size_t> Cuts(std::size_t size) {
    std::vector<std::size_t> cuts(Below(6));
    for (std::size_t& cut : cuts) cut = Below(size + 1);
    std::sort(cuts.begin(), cuts.end());
    return cuts;
  }

 private:
  std::string AnyFrame(int first_byte, const std::string& payload) {
    if (role_ == Role::kClient) return PlainFrame(first_byte, payload);
    return FrameWithKey(first_byte, payload, OneIn(5) ? std::string(4, '\0') : Bytes(4));
  }

  std::string Message() {
    const bool text = OneIn(2);
    std::string payload = text ? Text(Size()) : Bytes(Size());
    if (text && OneIn(12)) payload.append("\xe2\x82");
    int first_byte = text ? kText : kBinary;
    std::string bytes;
    if (!OneIn(2)) {
      while (!OneIn(3)) {
        const std::size_t cut = Below(payload.size() + 1);
        bytes += AnyFrame(first_byte, payload.substr(0, cut));
        payload.erase(0, cut);
        first_byte = kContinuation;
        if (OneIn(4)) bytes += Control();
      }
    }
    return bytes + AnyFrame(kFin | first_byte, payload);
  }

  std::string Control() {
    switch (Below(16)) {
      case 0:
        return AnyFrame(kFin | kClose,
                        ClosePayload(static_cast<int>(990 + Below(40)), Text(Below(20))));
      case 1:
        return AnyFrame(kFin | kClose, "");
      default:
        return AnyFrame(kFin | (OneIn(2) ? kPing : kPong), Bytes(Below(126)));
    }
  }

  std::size_t Size() { return OneIn(8) ? 100 + Below(900) : Below(60); }

  std::string Bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  std::string Text(std::size_t size) {
    constexpr std::string_view kCharacters[] = {
        "a", "z", " ", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x98\x80"};
    std::string text;
    while (text.size() < size) text += kCharacters[Below(std::size(kCharacters))];
    return text;
  }

  void Change(std::string& bytes) {
    if (bytes.empty()) return;
    const std::size_t at = Below(bytes.size());
    switch (Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(random_());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        break;
      case 2:
        bytes.erase(at, 1 + Below(4));
        break;
      default:
        bytes.insert(at, Bytes(1 + Below(3)));
    }
  }

  std::mt19937_64 random_;
  Role role_ = Role::kServer;
};

TEST(DecoderRandomTest, AgreesWithTheModelHoweverCut) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  Generator generator(seed);
  std::size_t errors = 0;
  std::size_t messages = 0;
  for (int run = 0; run < 2000; ++run) {
    WireCase wire_case = {.section = "6455", .name = "Random", .bytes = "", .events = ""};
    DecoderOptions& options = wire_case.options;
    options.role = generator.OneIn(2) ? Role::kServer : Role::kClient;
    if (generator.OneIn(4)) options.max_frame_bytes = generator.Below(1000);
    if (generator.OneIn(4)) options.max_message_bytes = generator.Below(1500);
    if (generator.OneIn(4)) options.max_fragments = static_cast<std::uint32_t>(generator.Below(8));
    // Messages in parts do not have that limit.
    const bool in_parts = generator.OneIn(2);
    if (!in_parts && generator.OneIn(4)) options.max_fragmented_bytes = generator.Below(1000);
    wire_case.bytes = generator.Connection(options.role);
    wire_case.events = ModelEvents(wire_case.bytes, options);
    errors += wire_case.events.find("error") != std::string::npos;
    messages += wire_case.events.find("text") != std::string::npos;
    for (int way = 0; way < 4; ++way) {
      const Feeding feeding = {generator.OneIn(2), generator.Cuts(wire_case.bytes.size())};
      ASSERT_EQ(Decode(wire_case, feeding, in_parts), wire_case.events)
          << run << (in_parts ? ", in parts, cut at " : ", whole, cut at ")
          << ::testing::PrintToString(feeding.cuts);
    }
  }
  // The test is worth something only if there are enough of both.
  EXPECT_GT(errors, 200u);
  EXPECT_GT(messages, 200u);
}

}  // namespace
}  // namespace strata::ws::wire
