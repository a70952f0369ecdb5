// Ranges of bytes, by the sections of RFC 9110.

#include "strata/http/range.h"

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;

// "whole", "416", or the ranges as "offset+size ...".
std::string Show(const RangeSet& set) {
  if (set.outcome() == RangeOutcome::kWhole) return set.ranges().empty() ? "whole" : "bad";
  if (set.outcome() == RangeOutcome::kUnsatisfiable) return set.ranges().empty() ? "416" : "bad";
  std::string text;
  for (const ByteRange& range : set.ranges()) {
    text +=
        (text.empty() ? "" : " ") + std::to_string(range.offset) + "+" + std::to_string(range.size);
  }
  return text;
}

std::string Parse(std::string_view field, std::uint64_t size = 10000) {
  return Show(ParseRange(field, size));
}

// The examples of section 14.1.2, for a representation of 10000 bytes.
TEST(RangeTest, ExamplesOfSection1412) {
  EXPECT_EQ(Parse("bytes=0-499"), "0+500");
  EXPECT_EQ(Parse("bytes=500-999"), "500+500");
  EXPECT_EQ(Parse("bytes=-500"), "9500+500");
  EXPECT_EQ(Parse("bytes=9500-"), "9500+500");
  EXPECT_EQ(Parse("bytes=0-0,-1"), "0+1 9999+1");
  EXPECT_EQ(Parse("bytes= 0-999, 4500-5499, -1000"), "0+1000 4500+1000 9000+1000");
  EXPECT_EQ(Parse("bytes=500-600,601-999"), "500+500");
  EXPECT_EQ(Parse("bytes=500-700,601-999"), "500+500");
}

TEST(RangeTest, EndsAtTheEnd) {
  EXPECT_EQ(Parse("bytes=0-"), "0+10000");
  EXPECT_EQ(Parse("bytes=0-9999"), "0+10000");
  EXPECT_EQ(Parse("bytes=0-10000"), "0+10000");
  EXPECT_EQ(Parse("bytes=9999-"), "9999+1");
  EXPECT_EQ(Parse("bytes=9999-20000"), "9999+1");
  EXPECT_EQ(Parse("bytes=-10000"), "0+10000");
  EXPECT_EQ(Parse("bytes=-10001"), "0+10000");
  EXPECT_EQ(Parse("bytes=-1"), "9999+1");
}

TEST(RangeTest, IsUnsatisfiableIfNoneOfItIsThere) {
  EXPECT_EQ(Parse("bytes=10000-"), "416");
  EXPECT_EQ(Parse("bytes=10000-10001"), "416");
  EXPECT_EQ(Parse("bytes=-0"), "416");
  EXPECT_EQ(Parse("bytes=10000-,20000-30000,-00"), "416");
  // One that is there is enough.
  EXPECT_EQ(Parse("bytes=10000-,1-1,-0"), "1+1");
}

TEST(RangeTest, OfNothingASuffixIsTheWhole) {
  EXPECT_EQ(Parse("bytes=-1", 0), "whole");
  EXPECT_EQ(Parse("bytes=0-,-1", 0), "whole");
  EXPECT_EQ(Parse("bytes=-0", 0), "416");
  EXPECT_EQ(Parse("bytes=0-", 0), "416");
  EXPECT_EQ(Parse("bytes=0-0", 0), "416");
}

// Section 14.1: "Range units are case-insensitive"; section 14.2: others are ignored.
TEST(RangeTest, KnowsBytesAlone) {
  EXPECT_EQ(Parse("BYTES=0-1"), "0+2");
  EXPECT_EQ(Parse("Bytes=0-1"), "0+2");
  EXPECT_EQ(Parse("lines=0-1"), "whole");
  EXPECT_EQ(Parse("byte=0-1"), "whole");
  EXPECT_EQ(Parse("bytess=0-1"), "whole");
  EXPECT_EQ(Parse("none"), "whole");
}

TEST(RangeTest, IgnoresWhatIsMalformed) {
  for (const char* const field : {"",
                                  "bytes",
                                  "bytes=",
                                  "bytes=,",
                                  "bytes= , ",
                                  "=0-1",
                                  "0-1",
                                  "bytes 0-1",
                                  "bytes:0-1",
                                  "bytes =0-1",
                                  " bytes=0-1",
                                  "bytes=0",
                                  "bytes=-",
                                  "bytes=--1",
                                  "bytes=0--1",
                                  "bytes=1-0",
                                  "bytes=0-1,5-4",
                                  "bytes=0-1,x",
                                  "bytes=0-1;2-3",
                                  "bytes=0-1 2-3",
                                  "bytes=0 -1",
                                  "bytes=0- 1",
                                  "bytes=- 1",
                                  "bytes=+0-1",
                                  "bytes=0-+1",
                                  "bytes=0x0-1",
                                  "bytes=0.0-1",
                                  "bytes=a-b",
                                  "bytes=0-1-2",
                                  "bytes=0-1/2",
                                  "bytes=0-1=",
                                  "bytes=0-\v1",
                                  "bytes=0-1,bytes=2-3",
                                  "bytes=20000-1",
                                  "bytes=*",
                                  "bytes=0-*"}) {
    EXPECT_EQ(Parse(field), "whole") << field;
  }
  EXPECT_EQ(Parse(std::string_view("bytes=0-1\0", 10)), "whole");
  EXPECT_EQ(Parse(std::string_view("bytes=0\0-1", 10)), "whole");
}

// Section 5.6.1.2.
TEST(RangeTest, PassesOverEmptyElementsAndBlanks) {
  EXPECT_EQ(Parse("bytes=,0-1"), "0+2");
  EXPECT_EQ(Parse("bytes= ,\t, 0-1 \t,, ,\t500-500 ,"), "0+2 500+1");
}

// Section 14.1.2: "recipients MUST anticipate potentially large decimal numerals".
TEST(RangeTest, NumbersMayBeOfAnyLength) {
  const std::string digits(1000, '9');
  EXPECT_EQ(Parse("bytes=0-" + digits), "0+10000");
  EXPECT_EQ(Parse("bytes=-" + digits), "0+10000");
  EXPECT_EQ(Parse("bytes=" + digits + "-"), "416");
  EXPECT_EQ(Parse("bytes=" + digits + "-" + digits), "416");
  EXPECT_EQ(Parse("bytes=" + digits + "-1"), "whole");
  EXPECT_EQ(Parse("bytes=" + std::string(1000, '0') + "1-0002"), "1+2");
  EXPECT_EQ(Parse("bytes=18446744073709551615-"), "416");
  EXPECT_EQ(Parse("bytes=18446744073709551616-"), "416");  // 0, if it wrapped.
  EXPECT_EQ(Parse("bytes=0-18446744073709551616"), "0+10000");
  EXPECT_EQ(Parse("bytes=0-18446744073709551615"), "0+10000");
  EXPECT_EQ(Parse("bytes=-18446744073709551617"), "0+10000");
  EXPECT_EQ(Parse("bytes=0-", kHuge), "0+9223372036854775808");
  EXPECT_EQ(Parse("bytes=9223372036854775807-", kHuge), "9223372036854775807+1");
  EXPECT_EQ(Parse("bytes=-1,0-0", kHuge), "9223372036854775807+1 0+1");
}

// Section 15.3.7.2: those that overlap, or that little lies between, may be one.
TEST(RangeTest, RangesThatNearlyTouchBecomeOne) {
  EXPECT_EQ(Parse("bytes=0-9,10-19"), "0+20");
  EXPECT_EQ(Parse("bytes=0-9,90-99"), "0+100");      // 80 bytes between.
  EXPECT_EQ(Parse("bytes=0-9,91-99"), "0+10 91+9");  // 81.
  EXPECT_EQ(Parse("bytes=90-99,0-9"), "0+100");
  EXPECT_EQ(Parse("bytes=0-999,100-199"), "0+1000");
  EXPECT_EQ(Parse("bytes=100-199,0-999"), "0+1000");
  EXPECT_EQ(Parse("bytes=0-,0-,0-,0-"), "0+10000");
  EXPECT_EQ(Parse("bytes=-1,0-"), "0+10000");
  // A chain of them, each in reach of the next alone.
  EXPECT_EQ(Parse("bytes=0-0,160-160,80-80"), "0+161");
}

TEST(RangeTest, OrderIsThatOfTheRequest) {
  EXPECT_EQ(Parse("bytes=5000-5009,0-9,9000-"), "5000+10 0+10 9000+1000");
  // The merged one stands where its first was.
  EXPECT_EQ(Parse("bytes=5000-5009,0-9,5010-5019"), "5000+20 0+10");
  EXPECT_EQ(Parse("bytes=0-9,5010-5019,2000-2000,5000-5009"), "0+10 5000+20 2000+1");
}

// Section 17.15 (denial of service by ranges).
TEST(RangeTest, MoreThanTheBoundAreIgnored) {
  std::string field = "bytes=0-0";
  for (std::size_t i = 1; i < kMaxRanges; ++i) field += "," + std::to_string(i * 200) + "-";
  EXPECT_EQ(ParseRange(field, kHuge).ranges().size(), 2u);
  EXPECT_EQ(Parse(field + ",-1"), "whole");
  // Those that are not there count too.
  EXPECT_EQ(Parse(field + ",20000-"), "whole");

  std::string apart = "bytes=0-0";
  for (std::size_t i = 1; i < kMaxRanges; ++i) {
    apart += "," + std::to_string(i * 200) + "-" + std::to_string(i * 200);
  }
  EXPECT_EQ(ParseRange(apart, kHuge).ranges().size(), kMaxRanges);
  EXPECT_EQ(Parse(apart + ",4000-4000"), "whole");

  EXPECT_EQ(Show(ParseRange("bytes=0-0,500-500", 10000, 1)), "whole");
  EXPECT_EQ(Show(ParseRange("bytes=0-0", 10000, 1)), "0+1");
  EXPECT_EQ(Show(ParseRange("bytes=0-0", 10000, 0)), "whole");
  EXPECT_EQ(Show(ParseRange(apart + ",4000-4000", 10000, 100)), "whole");
}

// What a field should come to, by looking at each byte of the representation.
struct Model {
  std::string text;
  bool valid = true;
  bool suffix_of_nothing = false;
  std::vector<std::vector<bool>> specs;  // The bytes of each that are there.

  std::string Expected(std::size_t size) const {
    if (!valid || specs.empty() || specs.size() > kMaxRanges || suffix_of_nothing) return "whole";
    std::vector<bool> bytes(size);
    for (const std::vector<bool>& spec : specs) {
      for (std::size_t i = 0; i < size; ++i) bytes[i] = bytes[i] || spec[i];
    }
    std::string shown;
    std::vector<std::size_t> begun;
    // In the order of the request, the run of bytes that each of them lies in, once.
    for (const std::vector<bool>& spec : specs) {
      std::size_t begin = std::find(spec.begin(), spec.end(), true) - spec.begin();
      if (begin == size) continue;
      std::size_t end = begin;
      for (std::size_t at = begin; at-- > 0 && begin - at <= kMaxRangeGapBytes + 1;) {
        if (bytes[at]) begin = at;
      }
      for (std::size_t at = end; at < size && at - end <= kMaxRangeGapBytes + 1; ++at) {
        if (bytes[at]) end = at;
      }
      if (std::find(begun.begin(), begun.end(), begin) != begun.end()) continue;
      begun.push_back(begin);
      shown += (shown.empty() ? "" : " ") + std::to_string(begin) + "+" +
               std::to_string(end - begin + 1);
    }
    return shown.empty() ? "416" : shown;
  }
};

Model RandomField(std::size_t size, std::mt19937_64& random) {
  const auto below = [&random](std::size_t count) { return random() % count; };
  const auto blanks = [&] { return std::string(below(4) == 0 ? 1 : 0, below(2) ? ' ' : '\t'); };
  Model model;
  model.text = below(4) == 0 ? "ByTeS=" : "bytes=";
  const std::size_t count = 1 + (below(4) == 0 ? below(20) : below(4));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = below(size * 5 / 4 + 2);
    const std::size_t last =
        below(8) == 0 ? below(size + 1) : first + below(below(2) ? 8 : size + 1);
    const std::string zeros(below(8) == 0 ? 25 : 0, '0');
    std::vector<bool> bytes(size);
    if (i > 0) model.text += "," + blanks();
    if (below(16) == 0) model.text += "," + blanks();
    switch (below(4)) {
      case 0:  // A suffix.
        model.text += "-" + zeros + std::to_string(first);
        if (size == 0 && first > 0) model.suffix_of_nothing = true;
        for (std::size_t at = 0; at < size; ++at) bytes[at] = size - at <= first;
        break;
      case 1:
        model.text += zeros + std::to_string(first) + "-";
        for (std::size_t at = 0; at < size; ++at) bytes[at] = at >= first;
        break;
      default:
        model.text += std::to_string(first) + "-" + zeros + std::to_string(last);
        if (last < first) model.valid = false;
        for (std::size_t at = 0; at < size; ++at) bytes[at] = at >= first && at <= last;
    }
    model.text += blanks();
    model.specs.push_back(std::move(bytes));
  }
  return model;
}

TEST(RangeTest, IsWhatLookingAtEachByteComesTo) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  int partial = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::size_t size = random() % 8 == 0 ? random() % 3 : random() % 600;
    const Model model = RandomField(size, random);
    const std::string shown = Parse(model.text, size);
    ASSERT_EQ(shown, model.Expected(size)) << model.text << " of " << size;
    if (shown.find(' ') != std::string::npos) ++partial;
  }
  EXPECT_GT(partial, 100);  // Else the model has looked at nothing.
}

// Section 14.4.
TEST(ContentRangeTest, NamesFirstLastAndSize) {
  EXPECT_EQ(ContentRange({42, 1234 - 42}, 1234).text(), "bytes 42-1233/1234");
  EXPECT_EQ(ContentRange({0, 1}, 1).text(), "bytes 0-0/1");
  EXPECT_EQ(UnsatisfiedRange(47022).text(), "bytes */47022");
  EXPECT_EQ(UnsatisfiedRange(0).text(), "bytes */0");
  EXPECT_EQ(ContentRange({~std::uint64_t{1}, 1}, ~std::uint64_t{0}).text(),
            "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
}

std::string Body(const MultipartRanges& parts, std::span<const ByteRange> ranges,
                 std::string_view content) {
  std::string body;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    body += parts.Head(i);
    body += content.substr(ranges[i].offset, ranges[i].size);
  }
  return body + parts.Tail();
}

// Section 14.6 and RFC 2046 section 5.1.
TEST(MultipartRangesTest, FramesEachRange) {
  const std::vector<ByteRange> ranges = {{2, 3}, {7, 1}};
  const MultipartRanges parts(ranges, 10, "text/plain", "THIS_STRING_SEPARATES");
  EXPECT_EQ(parts.ContentType(), "multipart/byteranges; boundary=THIS_STRING_SEPARATES");
  const std::string body = Body(parts, ranges, "0123456789");
  EXPECT_EQ(body,
            "--THIS_STRING_SEPARATES\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Range: bytes 2-4/10\r\n"
            "\r\n"
            "234\r\n"
            "--THIS_STRING_SEPARATES\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Range: bytes 7-7/10\r\n"
            "\r\n"
            "7\r\n"
            "--THIS_STRING_SEPARATES--\r\n");
  EXPECT_EQ(parts.content_length(), body.size());
}

TEST(MultipartRangesTest, ARepresentationWithoutTypeHasPartsWithoutType) {
  const std::vector<ByteRange> ranges = {{0, 1}};
  const MultipartRanges parts(ranges, 1, "", "b");
  const std::string body = Body(parts, ranges, "x");
  EXPECT_EQ(body, "--b\r\nContent-Range: bytes 0-0/1\r\n\r\nx\r\n--b--\r\n");
  EXPECT_EQ(parts.content_length(), body.size());
}

TEST(MultipartRangesTest, LengthIsExactForAnyRanges) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t size = kHuge >> random() % 63;
    std::string field = "bytes=-1";
    for (std::size_t n = random() % kMaxRanges; n > 0; --n) {
      const std::uint64_t first = random() % size;
      field += "," + std::to_string(first) + "-" + std::to_string(first + random() % 100);
    }
    const RangeSet set = ParseRange(field, size);
    const std::string boundary(1 + random() % kMaxBoundaryBytes, 'b');
    const MultipartRanges parts(set.ranges(), size, random() % 2 ? "text/html" : "", boundary);
    std::uint64_t length = parts.Tail().size();
    for (std::size_t part = 0; part < set.ranges().size(); ++part) {
      length += parts.Head(part).size() + set.ranges()[part].size;
    }
    ASSERT_EQ(parts.content_length(), length) << field;
    // What makes a Range field no weapon.
    ASSERT_LE(length, size + kMaxRanges * 300);
  }
}

}  // namespace
}  // namespace strata::http
