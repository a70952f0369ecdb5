// Ids that are made, and those that are taken over.

#include "strata/http/request_id.h"

#include <array>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(RequestIdTest, IdsDoNotRepeat) {
  RequestIdGenerator one;
  RequestIdGenerator two;
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) {
    ids.emplace(one.Next().view());
    ids.emplace(two.Next().view());
  }
  EXPECT_EQ(ids.size(), 20'000u);
}

TEST(RequestIdTest, AnIdIsHexadecimal) {
  RequestIdGenerator ids;
  for (int i = 0; i < 1000; ++i) {
    const RequestId id = ids.Next();
    ASSERT_EQ(id.view().size(), 32u);
    ASSERT_EQ(id.view().find_first_not_of("0123456789abcdef"), std::string_view::npos);
    ASSERT_TRUE(IsRequestId(id.view()));
  }
}

// Each digit of each place is as likely as any other: a half that stood still would show.
TEST(RequestIdTest, AllDigitsChange) {
  RequestIdGenerator ids;
  std::array<std::set<char>, 32> seen;
  for (int i = 0; i < 1000; ++i) {
    const RequestId id = ids.Next();
    for (std::size_t at = 0; at < 32; ++at) seen[at].insert(id.digits[at]);
    ASSERT_NE(id.view().substr(0, 16), id.view().substr(16));
  }
  for (const std::set<char>& digits : seen) EXPECT_EQ(digits.size(), 16u);
}

TEST(RequestIdTest, TakesOverWhatIsHarmless) {
  for (const char* id : {"1", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
                         "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                         "aGVsbG8+/w==", "Root=1-67891233-abcdef012345678912345678", "a.b_c~d:e"}) {
    EXPECT_TRUE(IsRequestId(id)) << id;
  }
  EXPECT_TRUE(IsRequestId(std::string(kMaxRequestIdBytes, 'x')));
}

TEST(RequestIdTest, RefusesWhatIsNot) {
  for (const char* id : {"", " ", "a b", "a\tb", "a\r\nSet-Cookie: x", "a\"b", "a'b", "a<b", "a;b",
                         "a,b", "a\\b", "a{b", "a$b", "a`b", "a%b", "\xc3\xa9", "\x7f"}) {
    EXPECT_FALSE(IsRequestId(id)) << id;
  }
  EXPECT_FALSE(IsRequestId(std::string_view("a\0b", 3)));
  EXPECT_FALSE(IsRequestId(std::string(kMaxRequestIdBytes + 1, 'x')));
}

}  // namespace
}  // namespace strata::http
