// Lines of an access log, and what cannot get into them.

#include "strata/http/access_record.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/network.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// 2026-01-02T03:04:05.678Z
constexpr std::chrono::system_clock::time_point kTime{milliseconds(1767323045678)};

std::string Line(AccessLogFormat format, const AccessRecord& record) {
  AccessRecordWriter writer(format);
  const std::size_t most = AccessRecordWriter::MaxBytes(record);
  std::string line(most, '\0');
  line.resize(static_cast<std::size_t>(writer.Write(record, line.data()) - line.data()));
  EXPECT_LE(line.size(), most);
  EXPECT_TRUE(line.ends_with('\n'));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  line.pop_back();
  return line;
}

const net::Address kPeer = *net::Address::Parse("192.0.2.1:4711");

const AccessRecord kRecord = {.time = kTime,
                              .peer = &kPeer,
                              .user = "alice",
                              .method = "GET",
                              .target = "/x?y=z",
                              .status = 200,
                              .bytes = 13,
                              .duration = microseconds(42),
                              .referer = "https://a.example/",
                              .user_agent = "curl/8.0",
                              .request_id = "0f1e"};

const AccessRecord kNothing = {.time = kTime};

AccessRecord With(std::string_view AccessRecord::*field, std::string_view value) {
  AccessRecord record = kRecord;
  record.*field = value;
  return record;
}

TEST(AccessRecordTest, Common) {
  EXPECT_EQ(Line(AccessLogFormat::kCommon, kRecord),
            R"(192.0.2.1 - alice [02/Jan/2026:03:04:05 +0000] "GET /x?y=z HTTP/1.1" 200 13)");
}

TEST(AccessRecordTest, Combined) {
  EXPECT_EQ(Line(AccessLogFormat::kCombined, kRecord),
            R"(192.0.2.1 - alice [02/Jan/2026:03:04:05 +0000] "GET /x?y=z HTTP/1.1" 200 13 )"
            R"("https://a.example/" "curl/8.0")");
}

TEST(AccessRecordTest, Json) {
  EXPECT_EQ(Line(AccessLogFormat::kJson, kRecord),
            R"({"time":"2026-01-02T03:04:05.678Z","peer":"192.0.2.1","user":"alice",)"
            R"("method":"GET","target":"/x?y=z","protocol":"HTTP/1.1","status":200,"bytes":13,)"
            R"("duration_us":42,"referer":"https://a.example/","user_agent":"curl/8.0",)"
            R"("request_id":"0f1e"})");
}

TEST(AccessRecordTest, WhatIsNotThere) {
  EXPECT_EQ(Line(AccessLogFormat::kCommon, kNothing),
            R"(- - - [02/Jan/2026:03:04:05 +0000] "-" 0 0)");
  EXPECT_EQ(Line(AccessLogFormat::kCombined, kNothing),
            R"(- - - [02/Jan/2026:03:04:05 +0000] "-" 0 0 "-" "-")");
  EXPECT_EQ(Line(AccessLogFormat::kJson, kNothing),
            R"({"time":"2026-01-02T03:04:05.678Z","peer":"-","protocol":"HTTP/1.1",)"
            R"("status":0,"bytes":0,"duration_us":0})");
}

TEST(AccessRecordTest, NumbersOfAnySize) {
  AccessRecord record = kRecord;
  record.status = 65535;
  record.bytes = ~std::uint64_t{0};
  EXPECT_TRUE(Line(AccessLogFormat::kCommon, record).ends_with(" 65535 18446744073709551615"));
  record.duration = std::chrono::nanoseconds(-1'000'000);
  EXPECT_NE(Line(AccessLogFormat::kJson, record).find("\"duration_us\":0,"), std::string::npos);
  record.duration = std::chrono::nanoseconds::max();
  EXPECT_NE(Line(AccessLogFormat::kJson, record).find("\"duration_us\":9223372036854775,"),
            std::string::npos);
}

TEST(AccessRecordTest, TimesOfAllSeconds) {
  AccessRecordWriter common(AccessLogFormat::kCommon);
  AccessRecordWriter json(AccessLogFormat::kJson);
  const auto line = [](AccessRecordWriter& writer, std::int64_t ms) {
    const AccessRecord record = {.time = std::chrono::system_clock::time_point(milliseconds(ms))};
    std::string text(AccessRecordWriter::MaxBytes(record), '\0');
    text.resize(static_cast<std::size_t>(writer.Write(record, text.data()) - text.data()));
    return text;
  };
  struct Case {
    std::int64_t ms;
    const char* common;
    const char* json;
  };
  for (const Case& c : {
           Case{0, "[01/Jan/1970:00:00:00 +0000]", "1970-01-01T00:00:00.000Z"},
           Case{999, "[01/Jan/1970:00:00:00 +0000]", "1970-01-01T00:00:00.999Z"},
           Case{1000, "[01/Jan/1970:00:00:01 +0000]", "1970-01-01T00:00:01.000Z"},
           Case{951782399001, "[28/Feb/2000:23:59:59 +0000]", "2000-02-28T23:59:59.001Z"},
           Case{951782400010, "[29/Feb/2000:00:00:00 +0000]", "2000-02-29T00:00:00.010Z"},
           Case{1798761599123, "[31/Dec/2026:23:59:59 +0000]", "2026-12-31T23:59:59.123Z"},
           Case{-1, "[31/Dec/1969:23:59:59 +0000]", "1969-12-31T23:59:59.999Z"},
       }) {
    EXPECT_NE(line(common, c.ms).find(c.common), std::string::npos) << line(common, c.ms);
    EXPECT_NE(line(json, c.ms).find(c.json), std::string::npos) << line(json, c.ms);
  }
}

TEST(AccessRecordTest, PeersAreWrittenAsAddressesWriteThemselves) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto expect_as_itself = [](const net::Address& peer) {
    const std::string line = Line(AccessLogFormat::kCommon, {.time = kTime, .peer = &peer});
    EXPECT_EQ(line.substr(0, line.find(' ')), peer.Unmapped().ToStringWithoutPort());
  };
  for (int i = 0; i < 2000; ++i) {
    std::array<std::uint8_t, 16> bytes;
    // Many zeros, so that there are gaps; and numbers of one, two and three digits.
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random() % 3 ? 0 : random() >> random() % 8);
    }
    expect_as_itself(net::Address::Ipv6(bytes, 1));
    expect_as_itself(net::Address::Ipv4(std::span(bytes).first<4>(), 1));
  }
  for (const char* text : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:0:0:2:0:0:0:3", "1:0:2::",
                           "0:0:1::", "::ffff:1.2.3.4", "255.255.255.255", "10.100.9.0"}) {
    expect_as_itself(*ParseIp(text));
  }
#ifndef _WIN32
  const net::Address socket = *net::Address::Parse("unix:/a b\n");
  EXPECT_TRUE(
      Line(AccessLogFormat::kCommon, {.time = kTime, .peer = &socket}).starts_with("unix: "));
#endif
}

TEST(AccessRecordTest, NoFieldOfTextCanForgeAnother) {
  const std::string_view attack("/\" 200 0 \"x\" \"y\"\r\n6.6.6.6 - - \\\t\x1b[2J\x7f\x80\xff\0z",
                                41);
  const std::string escaped =
      R"(/\" 200 0 \"x\" \"y\"\x0d\x0a6.6.6.6 - - \\\x09\x1b[2J\x7f\x80\xff\x00z)";
  EXPECT_EQ(
      Line(AccessLogFormat::kCommon, With(&AccessRecord::target, attack)),
      "192.0.2.1 - alice [02/Jan/2026:03:04:05 +0000] \"GET " + escaped + " HTTP/1.1\" 200 13");
  for (std::string_view AccessRecord::*field :
       {&AccessRecord::method, &AccessRecord::protocol, &AccessRecord::referer,
        &AccessRecord::user_agent}) {
    EXPECT_NE(Line(AccessLogFormat::kCombined, With(field, attack)).find(escaped),
              std::string::npos);
  }
}

TEST(AccessRecordTest, AUserIsOneWord) {
  EXPECT_EQ(Line(AccessLogFormat::kCommon, With(&AccessRecord::user, "a b\"c\\d\n[\xc3\xa9]")),
            "192.0.2.1 - a\\x20b\\x22c\\x5cd\\x0a[\\xc3\\xa9] [02/Jan/2026:03:04:05 +0000] "
            "\"GET /x?y=z HTTP/1.1\" 200 13");
}

TEST(AccessRecordTest, JsonEscapes) {
  struct Case {
    std::string_view value;
    const char* written;
  };
  for (const Case& c : {
           Case{"a\"b\\c/d", R"(a\"b\\c/d)"},
           Case{{"\0\x01\n\r\t\x1b\x7f", 7}, R"(\u0000\u0001\u000a\u000d\u0009\u001b\u007f)"},
           Case{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
           Case{"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
           // Controls of C1 (next line), line separators, direction of writing (CVE-2021-42574).
           Case{"\xc2\x85\xc2\x9b", R"(\u0085\u009b)"},
           Case{"\xe2\x80\xa8\xe2\x80\xa9", R"(\u2028\u2029)"},
           Case{"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f", R"(\u202e\u2066\u061c\u200f)"},
           // No UTF-8: RFC 3629 section 10, a stray byte, overlong, a surrogate, too high, cut off.
           Case{"\x80\xc0\xaf\xff", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
           Case{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
           Case{"\xc3", "\xef\xbf\xbd"},
           Case{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
           Case{"\xc3\"", "\xef\xbf\xbd\\\""},
       }) {
    EXPECT_NE(Line(AccessLogFormat::kJson, With(&AccessRecord::user_agent, c.value))
                  .find("\"user_agent\":\"" + std::string(c.written) + "\","),
              std::string::npos)
        << c.written;
  }
}

TEST(AccessRecordTest, LongFieldsAreCut) {
  const std::string is_long(kMaxAccessFieldBytes, 'x');
  const std::string too_long = is_long + "y";
  for (const AccessLogFormat format : {AccessLogFormat::kCombined, AccessLogFormat::kJson}) {
    for (std::string_view AccessRecord::*field :
         {&AccessRecord::target, &AccessRecord::user, &AccessRecord::user_agent}) {
      EXPECT_NE(Line(format, With(field, is_long)).find(is_long), std::string::npos);
      EXPECT_EQ(Line(format, With(field, is_long)).find(is_long + "..."), std::string::npos);
      EXPECT_NE(Line(format, With(field, too_long)).find(is_long + "..."), std::string::npos);
    }
  }
}

// Any bytes in any field: a line is one line of ASCII, or of UTF-8, and has the fields it should.
TEST(AccessRecordTest, AnyBytesGiveOneLineOfItsFields) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::string> values(7);
    for (std::string& value : values) {
      for (std::uint64_t size = 1 + random() % 40; size > 0; --size) {
        constexpr std::string_view kLikely = "\"\\ \n\r[]{}:,x\xc3\xa9\xe2\x80\xa8";
        value += random() % 2 ? kLikely[random() % kLikely.size()] : static_cast<char>(random());
      }
    }
    const AccessRecord record = {.time = kTime,
                                 .peer = &kPeer,
                                 .user = values[0],
                                 .method = values[1],
                                 .target = values[2],
                                 .protocol = values[3],
                                 .status = 400,
                                 .referer = values[4],
                                 .user_agent = values[5],
                                 .request_id = values[6]};
    const std::string text = Line(AccessLogFormat::kCombined, record);
    for (const char c : text) ASSERT_TRUE(c >= ' ' && c <= '~') << text;
    // host ident user [date zone] "..." status bytes "..." "..."
    std::size_t quotes = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\\' && quotes % 2 == 1)
        ++at;
      else
        quotes += text[at] == '"';
    }
    ASSERT_EQ(quotes, 6u) << text;
    std::size_t blanks = 0;
    for (const char c : text.substr(0, text.find('"'))) blanks += c == ' ';
    ASSERT_EQ(blanks, 5u) << text;

    const std::string json = Line(AccessLogFormat::kJson, record);
    for (std::string_view rest = json; !rest.empty();) {
      const Utf8Char c = FirstUtf8Char(rest);
      ASSERT_GT(c.size, 0u) << json;
      ASSERT_GE(c.code, char32_t{' '});
      rest.remove_prefix(c.size);
    }
  }
}

}  // namespace
}  // namespace strata::http
