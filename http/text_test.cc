#include "strata/http/text.h"

#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::literals::operator""sv;

TEST(TextTest, TokensAreOfTheirBytesAlone) {
  EXPECT_TRUE(IsToken("Content-Type"));
  EXPECT_TRUE(IsToken("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(IsToken(""));
  for (const std::string_view no : {"a b", "a\t", "a:", "a/b", "(a)", "a,b", "\"a\"", "[a]", "{a}",
                                    "a@b", "a\\b", "a;b", "a=b", "a<b>", "a?", "\x7f", "caf\xe9"}) {
    EXPECT_FALSE(IsToken(no)) << no;
  }
  EXPECT_FALSE(IsToken("a\0b"sv));
}

TEST(TextTest, FieldValuesHaveNoControlBytes) {
  EXPECT_TRUE(IsFieldValue(""));
  EXPECT_TRUE(IsFieldValue("a b\tc, \"d\"; caf\xe9 \xff"));
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    EXPECT_EQ(IsFieldValue("a" + std::string(1, static_cast<char>(byte)) + "b"), !is_control)
        << byte;
  }
}

TEST(TextTest, AControlByteIsSeenWhereverItIs) {
  for (const char around : {'a', ' ', '\x80', '\xff', '\t', '~'}) {
    for (std::size_t size = 1; size <= 26; ++size) {
      std::string text(size, around);
      EXPECT_TRUE(IsFieldValue(text));
      for (std::size_t at = 0; at < size; ++at) {
        for (const char byte : {'\0', '\x01', '\n', '\r', '\x1f', '\x7f'}) {
          text[at] = byte;
          EXPECT_FALSE(IsFieldValue(text)) << size << ": " << int{byte} << " at " << at;
        }
        text[at] = around;
      }
    }
  }
}

TEST(TextTest, TheCaseOfLettersAloneIsIgnored) {
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_TRUE(EqualsIgnoreCase("Keep-Alive", "kEEP-aLIVE"));
  EXPECT_FALSE(EqualsIgnoreCase("close", "closed"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "b"));
  // They differ in the bit of the case.
  EXPECT_FALSE(EqualsIgnoreCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoreCase("\r", "-"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
}

TEST(TextTest, SpacesAndTabsAreTakenOff) {
  EXPECT_EQ(TrimWhitespace(" \t text \t"), "text");
  EXPECT_EQ(TrimWhitespace("a b"), "a b");
  EXPECT_EQ(TrimWhitespace(" \t "), "");
  EXPECT_EQ(TrimWhitespace(""), "");
  EXPECT_EQ(TrimWhitespace("\r\na\v"), "\r\na\v");
}

}  // namespace
}  // namespace strata::http
