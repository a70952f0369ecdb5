// Whatever a client sends, a JSON parser reads the line as an object, and the fields as they were
// but for what is no UTF-8.

#include <random>
#include <string>

#include "gtest/gtest.h"
#include "simdjson.h"
#include "strata/http/access_record.h"
#include "strata/http/utf8_internal.h"

namespace strata::http {
namespace {

// What a field should come back as.
std::string Valid(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const Utf8Char c = FirstUtf8Char(text);
    valid += c.size ? text.substr(0, c.size) : kReplacement;
    text.remove_prefix(c.size ? c.size : 1);
  }
  return valid;
}

TEST(AccessRecordJsonTest, IsReadByAParser) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  simdjson::dom::parser parser;
  AccessRecordWriter writer(AccessLogFormat::kJson);
  for (int i = 0; i < 20'000; ++i) {
    std::string target = "/";
    std::string agent = "x";
    for (std::string* value : {&target, &agent}) {
      for (std::uint64_t size = random() % 40; size > 0; --size) {
        constexpr std::string_view kLikely =
            "\"\\\n\x01,}x\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\xc2\x85";
        *value += random() % 4 ? kLikely[random() % kLikely.size()] : static_cast<char>(random());
      }
    }
    const AccessRecord record = {
        .time = std::chrono::system_clock::time_point(std::chrono::hours(random() % 1'000'000)),
        .method = "GET",
        .target = target,
        .status = 404,
        .bytes = random() >> 1,
        .user_agent = agent};
    std::string line(AccessRecordWriter::MaxBytes(record), '\0');
    line.resize(static_cast<std::size_t>(writer.Write(record, line.data()) - line.data()));
    simdjson::dom::element object;
    ASSERT_EQ(parser.parse(line).get(object), simdjson::SUCCESS) << line;
    EXPECT_EQ(std::string_view(object["target"]), Valid(target));
    EXPECT_EQ(std::string_view(object["user_agent"]), Valid(agent));
    EXPECT_EQ(std::uint64_t(object["bytes"]), record.bytes);
    EXPECT_EQ(std::uint64_t(object["status"]), 404u);
  }
}

}  // namespace
}  // namespace strata::http
