// The grammar of RFC 9110 section 5.6, and UTF-8.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/field_syntax_internal.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

TEST(FieldSyntaxTest, WeightsHaveThreeDecimals) {
  EXPECT_EQ(ParseWeight("0"), 0);
  EXPECT_EQ(ParseWeight("1"), 1000);
  EXPECT_EQ(ParseWeight("0."), 0);
  EXPECT_EQ(ParseWeight("1."), 1000);
  EXPECT_EQ(ParseWeight("0.5"), 500);
  EXPECT_EQ(ParseWeight("0.05"), 50);
  EXPECT_EQ(ParseWeight("0.001"), 1);
  EXPECT_EQ(ParseWeight("0.999"), 999);
  EXPECT_EQ(ParseWeight("1.000"), 1000);
  for (const std::string_view bad : {"", "2", "01", "1.001", "1.1", "0.0001", "0,5", ".5", "-0",
                                     "+1", "0.5 ", " 0.5", "0x1", "1e0", "0.a", "00", "10"}) {
    EXPECT_EQ(ParseWeight(bad), std::nullopt) << bad;
  }
}

// The parameters of a text, as "name|value"; "BAD" at the end if it is malformed.
std::vector<std::string> Parameters(std::string_view text) {
  FieldReader reader(text);
  std::vector<std::string> found;
  for (;;) {
    FieldParameter parameter;
    switch (reader.Parameter(&parameter)) {
      case FieldReader::Next::kFound:
        found.push_back(std::string(parameter.name) + "|" + UnquoteFieldValue(parameter.value));
        break;
      case FieldReader::Next::kNone:
        if (!reader.AtEnd()) found.push_back("REST " + std::string(reader.rest()));
        return found;
      case FieldReader::Next::kBad:
        found.push_back("BAD");
        return found;
    }
  }
}

using Strings = std::vector<std::string>;

TEST(FieldSyntaxTest, ParametersAreTokensOrQuoted) {
  EXPECT_EQ(Parameters(";a=b"), Strings{"a|b"});
  EXPECT_EQ(Parameters(" ; a=b\t;\tc=d"), (Strings{"a|b", "c|d"}));
  EXPECT_EQ(Parameters(";a=\"\""), Strings{"a|"});
  EXPECT_EQ(Parameters(";a=\"x;y=\\\"z\\\\\""), Strings{"a|x;y=\"z\\"});
  EXPECT_EQ(Parameters(";a=\"\t\xc3\xb6\";b=c"), (Strings{"a|\t\xc3\xb6", "b|c"}));
  // Empty ones are none (section 5.6.6).
  EXPECT_EQ(Parameters(";;; a=b;"), Strings{"a|b"});
}

TEST(FieldSyntaxTest, MalformedParameters) {
  for (const std::string_view bad :
       {";a", ";a=", ";a =b", ";a= b", ";a=\"", ";a=\"b", ";a=\"\\", ";a=\"\\\"", ";a=\"\n\"",
        ";a=\"\x7f\"", ";a=\"\\\x01\"", ";a=;b=c"}) {
    EXPECT_EQ(Parameters(bad).back(), "BAD") << bad;
  }
  EXPECT_EQ(Parameters(";=b").back(), "REST =b");
  EXPECT_EQ(Parameters(";a=b c").back(), "REST c");
  EXPECT_EQ(Parameters(";a=\"b\"c").back(), "REST c");
}

TEST(FieldSyntaxTest, ElementsOfListsMayBeEmpty) {
  FieldReader reader(" , ,a,, b\t,c ,");
  Strings found;
  while (reader.Element() == FieldReader::Next::kFound) found.emplace_back(reader.Token());
  EXPECT_EQ(found, (Strings{"a", "b", "c"}));
  EXPECT_TRUE(reader.AtEnd());

  FieldReader without_comma("a b");
  EXPECT_EQ(without_comma.Element(), FieldReader::Next::kFound);
  without_comma.Token();
  EXPECT_EQ(without_comma.Element(), FieldReader::Next::kBad);
}

TEST(FieldSyntaxTest, ValuesAreComparedByWhatTheyMean) {
  EXPECT_TRUE(SameFieldValue("utf-8", "UTF-8"));
  EXPECT_TRUE(SameFieldValue("a\\bc", "abc"));
  EXPECT_FALSE(SameFieldValue("ab", "abc"));
  EXPECT_FALSE(SameFieldValue("abc", "ab"));
  EXPECT_FALSE(SameFieldValue("a", "b"));
}

TEST(FieldSyntaxTest, ExtendedValuesOfRfc8187) {
  // Section 3.2.3.
  EXPECT_EQ(DecodeExtendedValue("UTF-8''%c2%a3%20and%20%e2%82%ac%20rates"),
            "\u00a3 and \u20ac rates");
  EXPECT_EQ(DecodeExtendedValue("iso-8859-1'en'%A3%20rates"), "\u00a3 rates");
  EXPECT_EQ(DecodeExtendedValue("utf-8''"), "");
  EXPECT_EQ(DecodeExtendedValue("utf-8'de-CH'a%00b"), std::string("a\0b", 3));
  for (const std::string_view bad :
       {"", "a", "UTF-8", "UTF-8'", "UTF-8'en", "''a", "windows-1252''a", "UTF-8''%", "UTF-8''%4",
        "UTF-8''%4g", "UTF-8''%g4", "UTF-8''a b", "UTF-8''a*", "UTF-8''a'b", "UTF-8''%c3",
        "UTF-8''%ff", "UTF-8''\xc3\xb6"}) {
    EXPECT_EQ(DecodeExtendedValue(bad), std::nullopt) << bad;
  }
}

TEST(Utf8Test, TextIsThatOfRfc3629) {
  for (const std::string_view good :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "12345678\xc3\xb6"
        "12345678"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0", "\xe0\x9f\xbf",
        "\xe0\xa0", "\xe1\x80\x7f", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
        "1234567\xff"
        "12345678"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace strata::http
