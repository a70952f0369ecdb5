// Close codes and the table of errors.

#include "strata/ws/close_code.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "strata/ws/protocol_error.h"

namespace strata::ws {
namespace {

// RFC 6455 section 7.4, and the codes registered since.
TEST(CloseCodeTest, OfAllNumbersTheseMayBeSent) {
  const std::set<int> registered = {1000, 1001, 1002, 1003, 1007, 1008,
                                    1009, 1010, 1011, 1012, 1013, 1014};
  for (int code = 0; code <= 0xffff; ++code) {
    const bool valid = registered.contains(code) || (code >= 3000 && code <= 4999);
    EXPECT_EQ(IsValidOnWire(static_cast<std::uint16_t>(code)), valid) << code;
  }
  EXPECT_TRUE(IsValidOnWire(CloseCode::kGoingAway));
  EXPECT_FALSE(IsValidOnWire(CloseCode::kNoStatus));
  EXPECT_FALSE(IsValidOnWire(CloseCode::kAbnormal));
  EXPECT_FALSE(IsValidOnWire(CloseCode::kTlsHandshake));
}

TEST(CloseCodeTest, EachHasAName) {
  std::set<std::string_view> names;
  for (int code = 1000; code <= 1015; ++code) {
    names.insert(CloseCodeName(static_cast<CloseCode>(code)));
  }
  EXPECT_EQ(names.size(), 16u);
  EXPECT_EQ(CloseCodeName(CloseCode::kTryAgainLater), "try again later");
  EXPECT_EQ(CloseCodeName(static_cast<CloseCode>(1004)), "unknown");
  EXPECT_EQ(CloseCodeName(static_cast<CloseCode>(2999)), "unknown");
  EXPECT_EQ(CloseCodeName(static_cast<CloseCode>(3000)), "library");
  EXPECT_EQ(CloseCodeName(static_cast<CloseCode>(4999)), "application");
  EXPECT_EQ(CloseCodeName(static_cast<CloseCode>(5000)), "unknown");
}

TEST(ProtocolErrorTest, EachHasACodeToSendATextAndASection) {
  std::set<std::string_view> texts;
  constexpr int kCount = static_cast<int>(ProtocolError::kInflateRatio) + 1;
  for (int i = 0; i < kCount; ++i) {
    const auto error = static_cast<ProtocolError>(i);
    texts.insert(TextOf(error));
    if (error == ProtocolError::kNone) continue;
    EXPECT_TRUE(IsValidOnWire(CloseCodeOf(error))) << i;
    EXPECT_NE(CloseCodeOf(error), CloseCode::kNormal) << i;
    EXPECT_TRUE(SectionOf(error).starts_with("RFC ")) << i;
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(kCount));
}

TEST(ProtocolErrorTest, EachLimitHasTheCodeOfItsKind) {
  EXPECT_EQ(CloseCodeOf(ProtocolError::kFrameTooLarge), CloseCode::kMessageTooBig);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kMessageTooLarge), CloseCode::kMessageTooBig);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kFragmentsTooLarge), CloseCode::kMessageTooBig);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kTooManyFragments), CloseCode::kPolicyViolation);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kInflateRatio), CloseCode::kPolicyViolation);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kTextNotUtf8), CloseCode::kInvalidPayload);
  EXPECT_EQ(CloseCodeOf(ProtocolError::kReservedBit), CloseCode::kProtocolError);
}

}  // namespace
}  // namespace strata::ws
