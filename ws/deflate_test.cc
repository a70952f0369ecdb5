// permessage-deflate between two sides, and what the pool holds.

#include "strata/ws/deflate.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/ws/decoder.h"
#include "strata/ws/encoder.h"
#include "strata/ws/entropy_internal.h"

namespace strata::ws {
namespace {

constexpr DeflateParameters kKept;
constexpr DeflateParameters kShared = {.server_no_context_takeover = true,
                                       .client_no_context_takeover = true};

std::string RandomBytes(std::size_t size, std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string Json(std::size_t size) {
  std::mt19937 random(2);
  std::string text;
  while (text.size() < size) {
    text += "{\"id\": " + std::to_string(random() % 1000) + ", \"name\": \"somebody\"}, ";
  }
  text.resize(size);
  return text;
}

// What the other side has of a compressed message.
std::string Inflated(MessageInflater& inflater, std::string_view deflated) {
  std::string message;
  std::string room(1000, '\0');
  std::size_t written = 0;
  InflateState state;
  do {
    state = inflater.Inflate(&deflated, room, &written);
    message.append(room, 0, written);
  } while (state == InflateState::kFull);
  EXPECT_EQ(state, InflateState::kDone);
  do {
    state = inflater.Finish(room, &written);
    message.append(room, 0, written);
  } while (state == InflateState::kFull);
  EXPECT_EQ(state, InflateState::kDone);
  return message;
}

TEST(DeflateTest, BothSidesReadEachOtherWhateverWasAgreed) {
  const std::string messages[] = {
      Json(70),   Json(1000), Json(1000),      Json(100'000),
      Json(3072), Json(3073), RandomBytes(90), std::string(1'000'000, 'x')};
  DeflatePool pool;
  for (int bits = kMinWindowBits; bits <= kMaxWindowBits; ++bits) {
    for (const bool shared : {false, true}) {
      for (const Role sender : {Role::kServer, Role::kClient}) {
        DeflateParameters agreed = shared ? kShared : kKept;
        agreed.server_max_window_bits = static_cast<std::uint8_t>(bits);
        agreed.client_max_window_bits = static_cast<std::uint8_t>(bits);
        const Role receiver = sender == Role::kServer ? Role::kClient : Role::kServer;
        const auto deflater = MakeDeflater(agreed, sender, &pool);
        const auto inflater = MakeInflater(agreed, receiver, &pool);
        int deflated_messages = 0;
        for (const std::string& message : messages) {
          const std::optional<std::string_view> deflated = deflater->Deflate(message);
          if (!deflated) continue;
          ++deflated_messages;
          ASSERT_EQ(Inflated(*inflater, *deflated), message) << bits << ' ' << shared;
        }
        EXPECT_GE(deflated_messages, 7);
      }
    }
  }
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
}

TEST(DeflateTest, ContextMakesTheNextMessageSmaller) {
  DeflatePool pool;
  const std::string message = Json(500);
  const auto kept = MakeDeflater(kKept, Role::kServer, &pool);
  const std::size_t first = kept->Deflate(message).value().size();
  EXPECT_LT(kept->Deflate(message).value().size(), first / 4);
  const auto shared = MakeDeflater(kShared, Role::kServer, &pool);
  const std::string once(shared->Deflate(message).value());
  EXPECT_EQ(shared->Deflate(message).value(), once);
}

TEST(DeflateTest, DirectionsAreAgreedOnApart) {
  DeflatePool pool;
  const DeflateParameters agreed = {.client_no_context_takeover = true};
  const std::string message = Json(500);
  const auto of_server = MakeDeflater(agreed, Role::kServer, &pool);
  const std::size_t first = of_server->Deflate(message).value().size();
  EXPECT_LT(of_server->Deflate(message).value().size(), first / 4);
  const auto of_client = MakeDeflater(agreed, Role::kClient, &pool);
  const std::string once(of_client->Deflate(message).value());
  EXPECT_EQ(of_client->Deflate(message).value(), once);
}

TEST(DeflateTest, SharedDeflatersLeaveNothingToEachOther) {
  DeflatePool pool;
  const auto one = MakeDeflater(kShared, Role::kServer, &pool);
  const auto other = MakeDeflater(kShared, Role::kServer, &pool);
  const std::string message = Json(500);
  const std::string once(one->Deflate(message).value());
  EXPECT_EQ(other->Deflate(message).value(), once);
}

TEST(DeflateTest, LeavesWhatIsNotWorthIt) {
  DeflatePool pool;
  for (const DeflateParameters& agreed : {kKept, kShared}) {
    const auto deflater = MakeDeflater(agreed, Role::kServer, &pool);
    EXPECT_EQ(deflater->Deflate(""), std::nullopt);
    EXPECT_EQ(deflater->Deflate("short"), std::nullopt);
    EXPECT_EQ(deflater->Deflate(RandomBytes(5000)), std::nullopt);
    EXPECT_NE(deflater->Deflate(std::string(64, 'x')), std::nullopt);
  }
  // Not larger than it was: without a context that is known in time.
  EXPECT_EQ(MakeDeflater(kShared, Role::kServer, &pool)->Deflate(RandomBytes(100)), std::nullopt);
}

TEST(DeflateTest, MinimumsAreOptions) {
  DeflatePool pool({.min_bytes_with_takeover = 200, .min_bytes = 300});
  const auto kept = MakeDeflater(kKept, Role::kServer, &pool);
  EXPECT_EQ(kept->Deflate(std::string(199, 'x')), std::nullopt);
  EXPECT_NE(kept->Deflate(std::string(200, 'x')), std::nullopt);
  const auto shared = MakeDeflater(kShared, Role::kServer, &pool);
  EXPECT_EQ(shared->Deflate(std::string(299, 'x')), std::nullopt);
  EXPECT_NE(shared->Deflate(std::string(300, 'x')), std::nullopt);
}

TEST(DeflateTest, MinimumsOfNothingLeaveAnEmptyMessage) {
  DeflatePool pool({.min_bytes_with_takeover = 0, .min_bytes = 0});
  for (const DeflateParameters& agreed : {kKept, kShared}) {
    EXPECT_EQ(MakeDeflater(agreed, Role::kServer, &pool)->Deflate(""), std::nullopt);
  }
}

TEST(DeflatePoolTest, InflaterIsBorrowedForTheLengthOfAMessage) {
  DeflatePool pool;
  const std::string message = Json(500);
  const std::string deflated(MakeDeflater(kShared, Role::kClient, &pool)->Deflate(message).value());
  const auto inflater = MakeInflater(kShared, Role::kServer, &pool);
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
  std::string room(1000, '\0');
  std::size_t written = 0;
  std::string_view input = std::string_view(deflated).substr(0, 10);
  EXPECT_EQ(inflater->Inflate(&input, room, &written), InflateState::kDone);
  EXPECT_EQ(pool.borrowed_inflaters(), 1u);
  EXPECT_EQ(pool.idle_inflaters(), 0u);
  input = std::string_view(deflated).substr(10);
  EXPECT_EQ(inflater->Inflate(&input, room, &written), InflateState::kDone);
  EXPECT_EQ(inflater->Finish(room, &written), InflateState::kDone);
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
  EXPECT_EQ(pool.idle_inflaters(), 1u);
}

TEST(DeflatePoolTest, InflaterComesBackCleanFromABrokenMessage) {
  DeflatePool pool;
  std::string room(1000, '\0');
  std::size_t written = 0;
  {
    const auto inflater = MakeInflater(kShared, Role::kServer, &pool);
    std::string_view bad = "\x07";
    EXPECT_EQ(inflater->Inflate(&bad, room, &written), InflateState::kBad);
  }
  {
    const auto inflater = MakeInflater(kShared, Role::kServer, &pool);
    std::string_view cut = "\xf2\x48\xcd";
    EXPECT_EQ(inflater->Inflate(&cut, room, &written), InflateState::kDone);
  }
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
  EXPECT_EQ(pool.idle_inflaters(), 1u);
  const auto inflater = MakeInflater(kShared, Role::kServer, &pool);
  EXPECT_EQ(Inflated(*inflater, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)), "Hello");
}

TEST(DeflatePoolTest, KeepsFewIdleInflaters) {
  DeflatePool pool({.max_idle_inflaters = 2});
  {
    std::vector<std::unique_ptr<MessageInflater>> inflaters;
    std::string room(10, '\0');
    std::size_t written = 0;
    for (int i = 0; i < 5; ++i) {
      inflaters.push_back(MakeInflater(kShared, Role::kServer, &pool));
      std::string_view begun = "\xf2";
      inflaters.back()->Inflate(&begun, room, &written);
    }
    EXPECT_EQ(pool.borrowed_inflaters(), 5u);
  }
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
  EXPECT_EQ(pool.idle_inflaters(), 2u);
}

TEST(DeflatePoolTest, MessagesWaitWhereAllInflatersAreBorrowed) {
  DeflatePool pool({.max_inflaters = 1});
  const std::string message = Json(5000);
  const std::string deflated(MakeDeflater(kShared, Role::kClient, &pool)->Deflate(message).value());
  const auto first = MakeInflater(kShared, Role::kServer, &pool);
  const auto second = MakeInflater(kShared, Role::kServer, &pool);
  std::string room(1000, '\0');
  std::size_t written = 0;
  std::string_view begun = std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  EXPECT_EQ(first->Inflate(&begun, room, &written), InflateState::kDone);

  std::string_view piece = std::string_view(deflated).substr(0, 20);
  EXPECT_EQ(second->Inflate(&piece, room, &written), InflateState::kDone);
  EXPECT_EQ(written, 0u);
  EXPECT_TRUE(piece.empty());
  EXPECT_EQ(pool.borrowed_inflaters(), 1u);

  // The first one's end does not change what is done with the second.
  EXPECT_EQ(first->Finish(room, &written), InflateState::kDone);
  EXPECT_EQ(Inflated(*second, std::string_view(deflated).substr(20)), message);
  EXPECT_EQ(Inflated(*second, deflated), message);
  EXPECT_EQ(pool.borrowed_inflaters(), 0u);
}

TEST(DeflateTest, MessageForManyIsCompressedOnce) {
  DeflatePool pool;
  const auto deflater = MakeDeflater(kShared, Role::kServer, &pool);
  const std::string text = Json(2000);
  const EncodedMessage message = EncodedMessage::Text(text, deflater.get());
  EXPECT_LT(message.compressed()->size(), message.plain()->size() / 2);
  const DecoderOptions client = {.role = Role::kClient};
  MessageDecoder decoder(&client, MakeInflater(kShared, Role::kClient, &pool));
  for (const EncodedMessage::Bytes& bytes : {message.plain(), message.compressed()}) {
    std::string_view input = *bytes;
    const DecoderEvent event = decoder.Next(&input);
    EXPECT_EQ(event.kind, DecoderEvent::Kind::kMessage);
    EXPECT_EQ(event.payload, text);
  }
}

TEST(DeflateTest, DecoderHoldsNoMoreThanTheLimitOfABomb) {
  DeflatePool pool;
  const std::string bomb(64 << 20, '\0');
  const std::string deflated(MakeDeflater(kKept, Role::kServer, &pool)->Deflate(bomb).value());
  ASSERT_LT(deflated.size(), 400u << 10);
  const DecoderOptions options = {.role = Role::kClient};
  MessageDecoder decoder(&options, MakeInflater(kKept, Role::kClient, &pool));
  FrameHeader header = {
      .opcode = Opcode::kBinary, .compressed = true, .payload_bytes = deflated.size()};
  char header_bytes[kMaxFrameHeaderBytes];
  std::string bytes(header_bytes, EncodeFrameHeader(header, header_bytes));
  bytes += deflated;
  std::size_t most = 0;
  DecoderEvent event;
  for (std::size_t at = 0; at < bytes.size() && event.kind != DecoderEvent::Kind::kError; ++at) {
    std::string_view piece = std::string_view(bytes).substr(at, 1);
    event = decoder.Next(&piece);
    most = std::max(most, decoder.memory_bytes());
  }
  EXPECT_EQ(event.error, ProtocolError::kInflateRatio);
  EXPECT_LE(most, 3u << 20);
}

TEST(EntropyTest, RandomBytesLookRandom) {
  for (const std::size_t size : {512, 1000, 4096, 65536, 1'000'000}) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
      EXPECT_TRUE(LooksRandom(RandomBytes(size, seed))) << size << ' ' << seed;
    }
  }
}

TEST(EntropyTest, WhatCompressesDoesNot) {
  for (const std::size_t size : {512, 1000, 4096, 65536}) {
    EXPECT_FALSE(LooksRandom(Json(size))) << size;
    EXPECT_FALSE(LooksRandom(std::string(size, 'x'))) << size;
    // Base64: 6 bits in a byte.
    std::string base64 = RandomBytes(size);
    for (char& c : base64) c = static_cast<char>('0' + (c & 0x3f));
    EXPECT_FALSE(LooksRandom(base64)) << size;
  }
}

TEST(EntropyTest, ShortOnesNeverDo) {
  EXPECT_FALSE(LooksRandom(""));
  EXPECT_FALSE(LooksRandom(RandomBytes(511)));
}

TEST(EntropyTest, LooksBehindAHeader) {
  EXPECT_TRUE(LooksRandom(Json(100) + RandomBytes(100'000)));
  EXPECT_FALSE(LooksRandom(RandomBytes(100) + std::string(100'000, '\0')));
}

}  // namespace
}  // namespace strata::ws
