// The opening handshake, RFC 6455 section 4.

#include "strata/ws/handshake.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/ws/sha1_internal.h"

namespace strata::ws {
namespace {

std::string Sha1Hex(std::string_view bytes) {
  const Sha1Digest digest = Sha1::Of(bytes);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// FIPS 180-4's examples (NIST, "SHA1.pdf"), and sizes around the ends of blocks, whose digests are
// those of sha1sum.
TEST(Sha1Test, IsThatOfTheStandard) {
  EXPECT_EQ(Sha1Hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha1Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(Sha1Hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
  EXPECT_EQ(Sha1Hex(std::string(55, 'a')), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  EXPECT_EQ(Sha1Hex(std::string(56, 'a')), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  EXPECT_EQ(Sha1Hex(std::string(63, 'a')), "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
  EXPECT_EQ(Sha1Hex(std::string(64, 'a')), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
  EXPECT_EQ(Sha1Hex(std::string(65, 'a')), "11655326c708d70319be2610e8a57d9a5b959d3b");
  static_assert(Sha1::Of("abc")[0] == 0xa9);
}

TEST(HandshakeTest, AcceptIsTheExampleOfTheStandard) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(HandshakeTest, KeyIsTheNonceInBase64) {
  const std::string nonce = "the sample nonce";
  std::array<std::uint8_t, 16> bytes;
  std::copy(nonce.begin(), nonce.end(), bytes.begin());
  EXPECT_EQ(WebSocketKey(bytes), "dGhlIHNhbXBsZSBub25jZQ==");
  bytes.fill(0xff);
  EXPECT_EQ(WebSocketKey(bytes), "/////////////////////w==");
}

TEST(HandshakeTest, KeyIsOf16Bytes) {
  EXPECT_TRUE(IsValidWebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(IsValidWebSocketKey("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(IsValidWebSocketKey("+/+/+/+/+/+/+/+/+/+/+w=="));
  const std::string_view bad[] = {
      "",
      "dGhlIHNhbXBsZSBub25jZQ",
      "dGhlIHNhbXBsZSBub25jZQ=",
      "dGhlIHNhbXBsZSBub25jZQ===",
      "dGhlIHNhbXBsZSBub25jZSE=",
      "dGhlIHNhbXBsZSBub25jZWVl",
      "dGhlIHNhbXBsZSBub25jZ===",
      "dGhlIHNhbXBsZSBub25jZ Q==",
      " dGhlIHNhbXBsZSBub25jZQ==",
      "dGhlIHNhbXBsZSB-b25jZQ==",
      "dGhlIHNhbXBsZSB=b25jZQ==",
      "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
  };
  for (const std::string_view key : bad) EXPECT_FALSE(IsValidWebSocketKey(key)) << key;
}

std::string Choice(std::string_view offered, std::vector<std::string_view> supported) {
  std::string_view chosen;
  switch (ChooseSubprotocol(offered, supported, &chosen)) {
    case SubprotocolChoice::kNone:
      return "none";
    case SubprotocolChoice::kChosen:
      return std::string(chosen);
    case SubprotocolChoice::kBad:
      return "bad";
  }
  return "";
}

TEST(SubprotocolTest, TheClientsFirstThatIsSupportedIsChosen) {
  EXPECT_EQ(Choice("chat", {"chat"}), "chat");
  EXPECT_EQ(Choice("superchat, chat", {"chat", "superchat"}), "superchat");
  EXPECT_EQ(Choice("a, b , c", {"c", "b"}), "b");
  EXPECT_EQ(Choice("a,b", {"c"}), "none");
  EXPECT_EQ(Choice("a", {}), "none");
  // Case counts (section 4.1).
  EXPECT_EQ(Choice("Chat", {"chat"}), "none");
  EXPECT_EQ(Choice(",, a ,,b,", {"b"}), "b");
  EXPECT_EQ(Choice("v1.json.example!#$%&'*+-.^_`|~", {"v1.json.example!#$%&'*+-.^_`|~"}),
            "v1.json.example!#$%&'*+-.^_`|~");
}

TEST(SubprotocolTest, WhatIsNoListOfDifferentTokensIsBad) {
  for (const std::string_view offered :
       {"",       ",",      " ",   "a b", "a;b", "a, \"b\"", "a/b", "\xc3\xa9", "a,a", "x, y, x",
        "a\r\nb", "chat=1", "a:b", "[x]", "{x}", "<x>",      "(x)", "a@b",      "a?",  "a\\b"}) {
    EXPECT_EQ(Choice(offered, {"a", "b"}), "bad") << offered;
  }
  EXPECT_EQ(Choice(std::string_view("a\0b", 3), {"a"}), "bad");
}

TEST(SubprotocolTest, TooManyAreBad) {
  std::string offered = "p0";
  for (std::size_t i = 1; i < kMaxSubprotocols; ++i) absl::StrAppend(&offered, ",p", i);
  EXPECT_EQ(Choice(offered, {"p63"}), "p63");
  EXPECT_EQ(Choice(offered + ",one-more", {"p63"}), "bad");
}

// What took a server minutes: CVE-2021-32640.
TEST(SubprotocolTest, LongFieldsTakeNoLonger) {
  const std::string blanks(5'000'000, ' ');
  EXPECT_EQ(Choice("a" + blanks + "b", {"b"}), "bad");
  EXPECT_EQ(Choice("a," + blanks + "b" + blanks, {"b"}), "b");
  EXPECT_EQ(Choice(std::string(5'000'000, ','), {"b"}), "bad");
  EXPECT_EQ(Choice(std::string(5'000'000, 'x'), {"b"}), "none");
}

}  // namespace
}  // namespace strata::ws
