// Random heads and bodies, right and wrong: the parsers say what the model says.

#include "strata/http/testing/model.h"

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "strata/http/testing/wire_stream.h"
#include "strata/http/testing/wire_text.h"

namespace strata::http {
namespace {

using testing::Escape;
using testing::ModelChunked;
using testing::ModelRequestHead;
using testing::TraceChunked;
using testing::TraceRequests;
using testing::WireOptions;

using std::literals::operator""sv;

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}

  std::uint64_t Below(std::uint64_t count) { return random_() % count; }
  bool OneIn(std::uint64_t count) { return Below(count) == 0; }

  template <std::size_t kSize>
  std::string Pick(const std::string_view (&from)[kSize]) {
    return std::string(from[Below(kSize)]);
  }

  // Mostly the first.
  template <std::size_t kSize>
  std::string PickRarely(const std::string_view (&from)[kSize]) {
    return OneIn(8) ? Pick(from) : std::string(from[0]);
  }

 private:
  std::mt19937_64 random_;
};

constexpr std::string_view kBytes =
    "\r\n\r\n\t  ::;,\"\\/#%?*=@[]<>{}|~-_.09aAzZx\x00\x01\x1f\x7f\x80\xff"sv;

std::string Target(Random& random) {
  std::string target = random.Pick({"/",
                                    "/",
                                    "/a/b",
                                    "/a?b=c",
                                    "/?",
                                    "*",
                                    "http://b.example/c",
                                    "http://b:81?q",
                                    "HTTP://[::1]",
                                    "http://b",
                                    "http://u@b/",
                                    "http:///",
                                    "b:443",
                                    "[1::2]:65535",
                                    "[::]:0",
                                    "b",
                                    "a/b",
                                    "//x",
                                    "x+y://b:/",
                                    "1x://b/",
                                    "http://b:99999/",
                                    "/a#b",
                                    "/\"",
                                    "/caf\xe9",
                                    ""});
  if (random.OneIn(10)) target += random.Pick({"/x", "?y", ":80", "%41", "%", "#", "@"});
  return target;
}

std::string FieldLine(Random& random) {
  static constexpr std::string_view kOwn[] = {
      "X-Own",         "x",     "Accept",          "Cookie",
      "Content-Lengt", "Hosts", "!#$%&'*+-.^_`|~", "Upgrade-Insecure-Requests"};
  static constexpr std::string_view kEnds[] = {"\r\n", "\n", "\r\r\n", " \r\n", "\t\r\n", "\r"};
  static constexpr std::string_view kColons[] = {": ", ":", ":\t ", " : ", "", " ", "::", "\t:"};
  const std::string colon = random.OneIn(20) ? random.Pick(kColons) : ": ";
  const std::string end = random.OneIn(20) ? random.Pick(kEnds) : "\r\n";
  switch (random.Below(20)) {
    case 0:
      return "Host" + colon +
             random.Pick({"a", "a:1", "[::1]:2", "[1:2:3:4:5:6:7:8]", "[1::2::3]", "[::1.2.3.4]",
                          "[v1.a]", "", "a b", "a:x", ":1", "a%41", "a%4", "A.b-c_d~"}) +
             end;
    case 1:
      return "Content-Length" + colon +
             random.Pick({"0", "5", "5", "005", "", "+5", "5,5", "-1", "0x5", "1000000",
                          "18446744073709551615", "18446744073709551616", "99999999999999999999999",
                          "5 5"}) +
             end;
    case 2:
      return random.Pick({"Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING"}) + colon +
             random.Pick({"chunked", "chunked", "Chunked", "gzip", "gzip, chunked", "chunked, gzip",
                          "chunked, chunked", "identity", "", ",chunked,", "chunked;a=b",
                          "gzip;a=\",\", chunked", "x\"y", ";", "chunked ;"}) +
             end;
    case 3:
    case 4:
      return random.Pick({"Connection", "connection"}) + colon +
             random.Pick({"close", "keep-alive", "Keep-Alive", "upgrade", "Upgrade, close",
                          "keep-alive,upgrade", "", "\"close\"", "closed", "x"}) +
             end;
    case 5:
      return "Upgrade" + colon + random.Pick({"websocket", "h2c", ""}) + end;
    case 6:
      return "Expect" + colon +
             random.Pick({"100-continue", "100-Continue", "", "x", "100-continue, 100-continue",
                          "100-continue, y"}) +
             end;
    case 7:
      return random.OneIn(6) ? random.Pick({" folded", "\tX: 1", " "}) + end : "";
    default: {
      std::string value;
      for (std::uint64_t size = random.Below(random.OneIn(10) ? 80 : 12); size > 0; --size) {
        value += static_cast<char>(' ' + random.Below('~' - ' '));
      }
      return random.Pick(kOwn) + colon + value + end;
    }
  }
}

std::string RequestHead(Random& random) {
  std::string head;
  if (random.OneIn(12)) head += random.Pick({"\r\n", "\r\n\r\n", "\n", " ", "\r"});
  head += random.PickRarely({"GET", "POST", "CONNECT", "OPTIONS", "M-SEARCH", "get"});
  head += random.PickRarely({" ", " ", "  ", "\t", ""});
  head += Target(random);
  head += random.PickRarely({" ", " ", "  ", "\t", ""});
  head += random.OneIn(8) ? random.Pick({"HTTP/1.0", "HTTP/1.9", "HTTP/2.0", "HTTP/0.9", "http/1.1",
                                         "HTTP/1.", "HTTP/1.1 ", "HTTP/11.1", ""})
                          : random.Pick({"HTTP/1.1", "HTTP/1.1", "HTTP/1.0"});
  head += random.PickRarely({"\r\n", "\n", "\r\r\n", " \r\n"});
  if (!random.OneIn(6)) head += "Host: a\r\n";
  for (std::uint64_t fields = random.Below(7); fields > 0; --fields) head += FieldLine(random);
  head += random.PickRarely({"\r\n", "\n", "\r", "", "\r\r\n"});
  while (random.OneIn(5) && !head.empty()) {
    const std::size_t at = random.Below(head.size());
    const char byte = kBytes[random.Below(kBytes.size())];
    switch (random.Below(3)) {
      case 0:
        head[at] = byte;
        break;
      case 1:
        head.insert(at, 1, byte);
        break;
      default:
        head.erase(at, 1 + random.Below(3));
    }
  }
  return head;
}

// Without what follows the head, and without the offset of an error.
std::string FirstHead(const std::string& trace) {
  std::string first;
  for (std::size_t begin = 0; begin < trace.size();) {
    const std::size_t end = trace.find('\n', begin) + 1;
    std::string line = trace.substr(begin, end - begin);
    begin = end;
    const bool is_head = line.starts_with("request ") || line.starts_with("incomplete") ||
                         line.starts_with("error ");
    if (is_head && !first.empty()) break;
    if (line.starts_with("body ") || line.starts_with("rest ") || line.starts_with("trailer "))
      break;
    if (line.starts_with("error ")) line = line.substr(0, line.find(" at ")) + "\n";
    first += line;
  }
  return first;
}

std::uint64_t Seed() {
  const char* const text = std::getenv("STRATA_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

TEST(ModelTest, RequestHeads) {
  const std::uint64_t seed = Seed();
  std::printf("STRATA_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  WireOptions options;
  options.fields = true;
  int good = 0;
  for (int i = 0; i < 60'000; ++i) {
    options.limits = {};
    if (random.OneIn(4)) {
      options.limits.max_start_line_bytes = 20 + random.Below(20);
      options.limits.max_field_bytes = 20 + random.Below(60);
      options.limits.max_fields = random.Below(5);
      options.limits.max_body_bytes = random.Below(10);
      options.limits.max_empty_lines = random.Below(3);
    }
    const std::string head = RequestHead(random);
    const std::array<std::string_view, 1> whole = {head};
    std::string model = ModelRequestHead(head, options.limits);
    // Of nothing but empty lines the stream says that a message has begun, of nothing at all it
    // says nothing.
    if (head.empty()) model.clear();
    ASSERT_EQ(FirstHead(TraceRequests(whole, options)), model)
        << Escape(head) << "\nSTRATA_TEST_SEED=" << seed;
    good += model.starts_with("request ");

    const std::size_t cut = random.Below(head.size() + 1);
    const std::string_view view = head;
    const std::array<std::string_view, 2> pieces = {view.substr(0, cut), view.substr(cut)};
    ASSERT_EQ(FirstHead(TraceRequests(pieces, options)), model)
        << Escape(head) << " cut at " << cut << "\nSTRATA_TEST_SEED=" << seed;
  }
  // Enough of each kind that the comparison means something.
  EXPECT_GT(good, 3'000);
  EXPECT_LT(good, 50'000);
}

std::string ChunkedBody(Random& random) {
  std::string body;
  for (std::uint64_t chunks = random.Below(4); chunks > 0; --chunks) {
    const std::size_t size = 1 + random.Below(20);
    char digits[20];
    std::snprintf(digits, sizeof(digits), random.OneIn(3) ? "%03zX" : "%zx", size);
    body += digits;
    if (random.OneIn(2)) {
      body += random.Pick({";a", ";a=b", ";a=\"b;\\\"c\"", " ; a = b ;c", ";a;b;c", ";", ";a=", " ",
                           ";a b", ";a=\"b", ";=b", ";a\x01", ";a=\"\x7f\"", "\t;\ta\t=\t\"\""});
    }
    body += random.PickRarely({"\r\n", "\n", "\r\r\n", ""});
    body.append(size, static_cast<char>('a' + random.Below(26)));
    body += random.PickRarely({"\r\n", "\n", "", "x\r\n"});
  }
  body += random.PickRarely({"0\r\n\r\n", "0;a\r\n\r\n", "00\r\n\r\n", "0\r\n", "", "0\n\n"});
  if (random.OneIn(4)) body += "GET";
  while (random.OneIn(4) && !body.empty()) {
    body[random.Below(body.size())] = kBytes[random.Below(kBytes.size())];
  }
  return body;
}

TEST(ModelTest, ChunkedBodies) {
  const std::uint64_t seed = Seed();
  std::printf("STRATA_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  int good = 0;
  for (int i = 0; i < 60'000; ++i) {
    WireOptions options;
    options.limits.max_body_bytes = random.OneIn(4) ? random.Below(40) : 1000;
    options.limits.max_chunk_extension_bytes = random.OneIn(4) ? random.Below(12) : 256;
    const std::string body = ChunkedBody(random);
    const std::array<std::string_view, 1> whole = {body};
    const std::string trace = TraceChunked(whole, options);
    const std::string model = ModelChunked(body, options.limits);
    const std::string message = Escape(body) + "\nSTRATA_TEST_SEED=" + std::to_string(seed);
    const std::size_t line = model.find('\n') + 1;
    ASSERT_EQ(trace.substr(0, line), model.substr(0, line)) << message;
    const std::string rest = trace.substr(line);
    const std::string_view expected = std::string_view(model).substr(line);
    if (expected == "error\n") {
      ASSERT_TRUE(rest.starts_with("error ")) << rest << message;
    } else if (expected == "incomplete or error\n") {
      ASSERT_TRUE(rest.starts_with("error ") || rest == "incomplete\n") << rest << message;
    } else if (!expected.starts_with("trailers")) {
      ASSERT_EQ(rest, expected) << message;
      ++good;
    }
  }
  EXPECT_GT(good, 5'000);
  EXPECT_LT(good, 50'000);
}

}  // namespace
}  // namespace strata::http
