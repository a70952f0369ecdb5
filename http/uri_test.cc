// Percent-encoding, paths and queries.

#include "strata/http/uri.h"

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// With storage of exactly the text's size, on the heap so that the sanitizers see its ends.
std::string Show(const Decoded& decoded) {
  if (decoded.ok()) return std::string(decoded.text);
  EXPECT_TRUE(decoded.text.empty());
  return "(" + std::string(UriErrorName(decoded.error)) + ")";
}

std::string PathOf(std::string_view path, const PathPolicy& policy = {}) {
  std::vector<char> storage(path.size());
  const std::string decoded = Show(DecodePath(path, policy, storage));
  // In place it is the same.
  std::vector<char> copy(path.begin(), path.end());
  EXPECT_EQ(Show(DecodePath(std::string_view(copy.data(), copy.size()), policy, copy)), decoded);
  return decoded;
}

std::string SegmentOf(std::string_view segment, const PathPolicy& policy = {}) {
  std::vector<char> storage(segment.size());
  return Show(DecodeSegment(segment, policy, storage));
}

constexpr PathPolicy kKeepSlashes{.encoded_slashes = PathPolicy::Slashes::kKeepEncoded};
constexpr PathPolicy kRemoveDots{.dot_segments = PathPolicy::Dots::kRemove};
constexpr PathPolicy kMergeEmpties{.empty_segments = PathPolicy::Empties::kMerge};

TEST(UriTest, TheExampleOfTheHeaderHolds) {
  char storage[256];
  EXPECT_EQ(DecodePath("/caf%C3%A9/menu.txt", {}, storage).text, "/caf\xC3\xA9/menu.txt");
  EXPECT_EQ(DecodePath("/a/%2e%2e/etc/passwd", {}, storage).error, UriError::kDotSegment);
  EXPECT_EQ(QueryView("q=a+b&page=2").First("q", storage).text, "a b");
  EXPECT_EQ(PercentEncode("a b/c", UriPart::kSegment), "a%20b%2Fc");
}

TEST(PercentDecodeTest, DecodesEveryByteInBothCases) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* format : {"x%%%02x", "x%%%02X"}) {
      char text[8];
      std::snprintf(text, sizeof(text), format, byte);
      std::array<char, 2> storage;
      const Decoded decoded = PercentDecode(text, storage);
      ASSERT_TRUE(decoded.ok());
      EXPECT_EQ(decoded.text, std::string({'x', static_cast<char>(byte)}));
    }
  }
}

TEST(PercentDecodeTest, MalformedEscapesAreRefused) {
  for (const char* text :
       {"%", "%4", "a%", "a%f", "%g0", "%0g", "%%41", "%-1", "%+1", "% 1", "%4%"}) {
    std::array<char, 16> storage;
    EXPECT_EQ(PercentDecode(text, storage).error, UriError::kBadPercent) << text;
    EXPECT_EQ(DecodeForm(text, storage).error, UriError::kBadPercent) << text;
    EXPECT_EQ(DecodeSegment(text, {}, storage).error, UriError::kBadPercent) << text;
    EXPECT_EQ(DecodePath(std::string("/") + text, {}, storage).error, UriError::kBadPercent)
        << text;
  }
}

TEST(PercentDecodeTest, DecodesOnce) {
  std::array<char, 16> storage;
  EXPECT_EQ(PercentDecode("%252e%2525", storage).text, "%2e%25");
}

TEST(PercentDecodeTest, WhatIsNotEncodedIsNotCopied) {
  const std::string_view text = "/plain+text";
  const Decoded decoded = PercentDecode(text, {});
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded.text.data(), text.data());
  EXPECT_EQ(DecodePath(text, {}, {}).text.data(), text.data());
  EXPECT_EQ(DecodeSegment("plain", {}, {}).text, "plain");
  EXPECT_EQ(PercentDecode("", {}).error, UriError::kOk);
}

TEST(PercentDecodeTest, StorageThatIsTooSmallIsToldAndNotWrittenBeyond) {
  std::array<char, 3> storage = {'-', '-', '-'};
  EXPECT_EQ(PercentDecode("a%62c", std::span(storage).first(2)).error, UriError::kNoRoom);
  EXPECT_EQ(PercentDecode("abc%64", std::span(storage).first(2)).error, UriError::kNoRoom);
  EXPECT_EQ(storage[2], '-');
  EXPECT_EQ(PercentDecode("a%62c", storage).text, "abc");
  EXPECT_EQ(DecodeSegment("%61bcd", {}, storage).error, UriError::kNoRoom);
  EXPECT_EQ(DecodePath("/%61/b", {}, storage).error, UriError::kNoRoom);
  EXPECT_EQ(DecodePath("/%61/b", {}, {}).error, UriError::kNoRoom);
  EXPECT_EQ(DecodePath("/%61/", {}, std::span(storage).first(2)).error, UriError::kNoRoom);
  EXPECT_EQ(DecodePath("/%61/", {}, storage).text, "/a/");
  EXPECT_EQ(DecodeSegment("%2Fa", kKeepSlashes, std::span(storage).first(2)).error,
            UriError::kNoRoom);
}

TEST(PercentDecodeTest, TheStorageMayBeTheTextItself) {
  std::string text = "a%20%62+c";
  EXPECT_EQ(PercentDecode(text, text).text, "a b+c");
  text = "a%20%62+c";
  EXPECT_EQ(DecodeForm(text, text).text, "a b c");
}

TEST(DecodeFormTest, PlusIsASpaceAndAnEncodedPlusIsNot) {
  std::array<char, 16> storage;
  EXPECT_EQ(DecodeForm("+a+%2B+", storage).text, " a + ");
  EXPECT_EQ(DecodeForm("plain", {}).text, "plain");
  EXPECT_EQ(PercentDecode("+a%20", storage).text, "+a ");
}

TEST(DecodePathTest, DecodesWhatIsNoDanger) {
  EXPECT_EQ(PathOf("/"), "/");
  EXPECT_EQ(PathOf("/a/b.txt"), "/a/b.txt");
  EXPECT_EQ(PathOf("/a/"), "/a/");
  EXPECT_EQ(PathOf("/%61/%62/"), "/a/b/");
  EXPECT_EQ(PathOf("/a%20b/%C3%A9"), "/a b/\xC3\xA9");
  EXPECT_EQ(PathOf("/a+b;c=d%3Fe%23"), "/a+b;c=d?e#");
  EXPECT_EQ(PathOf("/.hidden"), "/.hidden");
  EXPECT_EQ(PathOf("/..."), "/...");
  EXPECT_EQ(PathOf("/..a/a../%2e%2e%2e"), "/..a/a../...");
  EXPECT_EQ(PathOf("/%252e%252e/%2500/%252f"), "/%2e%2e/%00/%2f");
}

TEST(DecodePathTest, DotSegmentsAreRefusedHoweverTheyAreWritten) {
  for (const char* dots : {".", "..", "%2e", "%2E", ".%2e", "%2e.", "%2e%2E"}) {
    for (const char* format : {"/%s", "/%s/", "/a/%s", "/a/%s/b", "/%s/b", "/%%61/%s"}) {
      char path[32];
      std::snprintf(path, sizeof(path), format, dots);
      EXPECT_EQ(PathOf(path), "(a segment of dots)") << path;
    }
    EXPECT_EQ(SegmentOf(dots), "(a segment of dots)");
    EXPECT_EQ(SegmentOf(dots, kRemoveDots), "(a segment of dots)");
  }
}

TEST(DecodePathTest, DotSegmentsAreRemovedByOption) {
  EXPECT_EQ(PathOf("/a/b/../c", kRemoveDots), "/a/c");
  EXPECT_EQ(PathOf("/a/b/./c", kRemoveDots), "/a/b/c");
  EXPECT_EQ(PathOf("/a/%2e%2e/c", kRemoveDots), "/c");
  EXPECT_EQ(PathOf("/..", kRemoveDots), "/");
  EXPECT_EQ(PathOf("/.", kRemoveDots), "/");
  EXPECT_EQ(PathOf("/a/..", kRemoveDots), "/");
  EXPECT_EQ(PathOf("/a/.", kRemoveDots), "/a/");
  EXPECT_EQ(PathOf("/a/b/..", kRemoveDots), "/a/");
  EXPECT_EQ(PathOf("/../../../etc/passwd", kRemoveDots), "/etc/passwd");
  EXPECT_EQ(PathOf("/a/../../%2e./b/", kRemoveDots), "/b/");
}

TEST(DecodePathTest, EncodedSlashesAreRefused) {
  EXPECT_EQ(PathOf("/a%2Fb"), "(a slash in a segment)");
  EXPECT_EQ(PathOf("/a%2fb"), "(a slash in a segment)");
  EXPECT_EQ(PathOf("/..%2f..%2fetc"), "(a slash in a segment)");
  EXPECT_EQ(PathOf("/a%5Cb"), "(a backslash)");
  EXPECT_EQ(PathOf("/a%5cb"), "(a backslash)");
  EXPECT_EQ(PathOf("/..\\etc"), "(a backslash)");
  EXPECT_EQ(SegmentOf("a/b"), "(a slash in a segment)");
  EXPECT_EQ(SegmentOf("/"), "(a slash in a segment)");
  EXPECT_EQ(SegmentOf("a%2fb"), "(a slash in a segment)");
  EXPECT_EQ(SegmentOf("a\\b"), "(a backslash)");
}

TEST(DecodePathTest, EncodedSlashesStayEncodedByOptionWithoutAmbiguity) {
  EXPECT_EQ(PathOf("/a%2fb%5cc/d", kKeepSlashes), "/a%2Fb%5Cc/d");
  // What was "%2F" as text does not become a slash when decoded once more.
  EXPECT_EQ(PathOf("/a%252fb", kKeepSlashes), "/a%252fb");
  EXPECT_EQ(SegmentOf("%61%2F%2562", kKeepSlashes), "a%2F%2562");
  EXPECT_EQ(PathOf("/a\\b", kKeepSlashes), "(a backslash)");
  EXPECT_EQ(SegmentOf("a/b", kKeepSlashes), "(a slash in a segment)");
}

TEST(DecodePathTest, NulIsRefused) {
  EXPECT_EQ(PathOf("/a%00.txt"), "(a NUL)");
  EXPECT_EQ(PathOf("/a%00", kKeepSlashes), "(a NUL)");
  EXPECT_EQ(PathOf(std::string_view("/a\0b", 4)), "(a NUL)");
  EXPECT_EQ(SegmentOf("%00"), "(a NUL)");
  EXPECT_EQ(SegmentOf(std::string_view("a\0", 2)), "(a NUL)");
}

TEST(DecodePathTest, EmptySegmentsAreRefusedOrMerged) {
  for (const char* path : {"//", "//a", "/a//b", "/a//", "/%61//"}) {
    EXPECT_EQ(PathOf(path), "(an empty segment)") << path;
  }
  EXPECT_EQ(SegmentOf(""), "(an empty segment)");
  EXPECT_EQ(PathOf("//", kMergeEmpties), "/");
  EXPECT_EQ(PathOf("//etc/passwd", kMergeEmpties), "/etc/passwd");
  EXPECT_EQ(PathOf("/a///b//", kMergeEmpties), "/a/b/");
  EXPECT_EQ(PathOf("/a//..//b", {.dot_segments = PathPolicy::Dots::kRemove,
                                 .empty_segments = PathPolicy::Empties::kMerge}),
            "/b");
}

TEST(DecodePathTest, PathsThatAreNotAbsoluteAreRefused) {
  for (const char* path : {"", "a", "*", "%2F", "http://a/", "?"}) {
    EXPECT_EQ(PathOf(path), "(a path that does not begin with a slash)") << path;
  }
}

// The promise, on random texts of the characters that matter: nothing that comes out leads out.
TEST(DecodePathTest, NothingThatIsDecodedTraverses) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> pieces = {
      "/",   "/",   ".", "..", "%2e", "%2E",   "%2f", "%5C", "\\",   "a",      "b",
      "%61", "%00", "%", "%2", "%25", "%252e", "//",  "/./", "/../", "%2e%2e", "é"};
  int decoded_paths = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string path = "/";
    for (std::size_t n = random() % 8; n > 0; --n) path += pieces[random() % pieces.size()];
    PathPolicy policy;
    if (random() % 2) policy.dot_segments = PathPolicy::Dots::kRemove;
    if (random() % 2) policy.empty_segments = PathPolicy::Empties::kMerge;
    std::vector<char> storage(path.size());
    const Decoded decoded = DecodePath(path, policy, storage);
    if (!decoded.ok()) {
      ASSERT_NE(decoded.error, UriError::kNoRoom) << path;
      continue;
    }
    ++decoded_paths;
    const std::string around = std::string(decoded.text) + "/";
    for (const std::string_view bad : {"//", "/./", "/../"}) {
      // A "/" at the end is doubled by the one of this test.
      const std::size_t at = around.find(bad);
      ASSERT_TRUE(at == std::string::npos || (bad == "//" && at + 2 == around.size()))
          << path << " is " << decoded.text;
    }
    ASSERT_TRUE(around.starts_with('/'));
    ASSERT_EQ(around.find('\\'), std::string::npos) << path;
    ASSERT_EQ(around.find('\0'), std::string::npos) << path;
  }
  EXPECT_GT(decoded_paths, 1000);
}

TEST(PercentEncodeTest, EachPartKeepsItsCharacters) {
  const std::string_view all = "azAZ09-._~!$&'()*+,;=:@/?#[]{}|\\^`\"<> %\x7f\xC3\xA9";
  EXPECT_EQ(PercentEncode(all, UriPart::kComponent),
            "azAZ09-._~%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40%2F%3F%23%5B%5D%7B%7D%7C%5C%5E%60%22"
            "%3C%3E%20%25%7F%C3%A9");
  EXPECT_EQ(PercentEncode(all, UriPart::kSegment),
            "azAZ09-._~!$&'()*+,;=:@%2F%3F%23%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E%20%25%7F%C3%A9");
  EXPECT_EQ(PercentEncode(all, UriPart::kPath),
            "azAZ09-._~!$&'()*+,;=:@/%3F%23%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E%20%25%7F%C3%A9");
  EXPECT_EQ(PercentEncode(all, UriPart::kQuery),
            "azAZ09-._~!$&'()*+,;=:@/?%23%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E%20%25%7F%C3%A9");
  EXPECT_EQ(PercentEncode(all, UriPart::kForm),
            "azAZ09-._%7E%21%24%26%27%28%29*%2B%2C%3B%3D%3A%40%2F%3F%23%5B%5D%7B%7D%7C%5C%5E%60%22"
            "%3C%3E+%25%7F%C3%A9");
}

TEST(PercentEncodeTest, EveryByteComesBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (const UriPart part :
       {UriPart::kComponent, UriPart::kSegment, UriPart::kPath, UriPart::kQuery, UriPart::kForm}) {
    const std::string encoded = PercentEncode(all, part);
    EXPECT_EQ(encoded.size(), PercentEncodedSize(all, part));
    std::vector<char> storage(encoded.size());
    const Decoded decoded =
        part == UriPart::kForm ? DecodeForm(encoded, storage) : PercentDecode(encoded, storage);
    EXPECT_EQ(decoded.text, all);
  }
}

TEST(PercentEncodeTest, StorageHasToHoldAllOfIt) {
  std::array<char, 5> storage;
  EXPECT_EQ(PercentEncode("a b", UriPart::kPath, storage), "a%20b");
  EXPECT_EQ(PercentEncode("a b", UriPart::kPath, std::span(storage).first(4)), std::nullopt);
  EXPECT_EQ(PercentEncode("", UriPart::kPath, {}), "");
}

Pairs PairsOf(const QueryView& query) {
  Pairs pairs;
  for (const QueryView::Pair& pair : query) {
    pairs.emplace_back(std::string(pair.name), std::string(pair.value));
  }
  return pairs;
}

TEST(QueryViewTest, SplitsPairs) {
  EXPECT_EQ(PairsOf(QueryView("")), Pairs());
  EXPECT_EQ(PairsOf(QueryView("a=1")), (Pairs{{"a", "1"}}));
  EXPECT_EQ(PairsOf(QueryView("a=1&b=2&a=3")), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  EXPECT_EQ(PairsOf(QueryView("a&b=&=c&=")), (Pairs{{"a", ""}, {"b", ""}, {"", "c"}, {"", ""}}));
  EXPECT_EQ(PairsOf(QueryView("a=b=c")), (Pairs{{"a", "b=c"}}));
  EXPECT_EQ(PairsOf(QueryView("&&a=1&&b&&")), (Pairs{{"a", "1"}, {"b", ""}}));
  EXPECT_EQ(PairsOf(QueryView("a=1;b=2")), (Pairs{{"a", "1;b=2"}}));
  EXPECT_EQ(PairsOf(QueryView("%61=%62+")), (Pairs{{"%61", "%62+"}}));
}

TEST(QueryViewTest, FindsTheFirstValueByItsDecodedName) {
  std::array<char, 32> storage;
  const QueryView query("a=1&%61=2&b+c=x%20y&d&caf%C3%A9=1&%zz=3&e=%zz&=empty");
  EXPECT_EQ(query.First("a", storage).text, "1");
  EXPECT_EQ(query.FirstRaw("b c"), "x%20y");
  EXPECT_EQ(query.First("b c", storage).text, "x y");
  EXPECT_EQ(query.First("d", storage).text, "");
  EXPECT_TRUE(query.First("d", storage).ok());
  EXPECT_EQ(query.First("caf\xC3\xA9", storage).text, "1");
  EXPECT_EQ(query.First("", storage).text, "empty");
  EXPECT_EQ(query.First("f", storage).error, UriError::kNotFound);
  EXPECT_EQ(query.First("b", storage).error, UriError::kNotFound);
  EXPECT_EQ(query.First("b c ", storage).error, UriError::kNotFound);
  EXPECT_EQ(query.First("%zz", storage).error, UriError::kNotFound);
  EXPECT_EQ(query.First("e", storage).error, UriError::kBadPercent);
  EXPECT_EQ(query.First("b c", std::span(storage).first(2)).error, UriError::kNoRoom);
  EXPECT_EQ(QueryView("%61=2").FirstRaw("a"), "2");
}

TEST(QueryViewTest, LooksAtNoMorePairsThanItsBound) {
  const QueryView query("a=1&&b=2&c=3", 2);
  EXPECT_EQ(PairsOf(query), (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(query.FirstRaw("c"), std::nullopt);
  EXPECT_TRUE(query.Truncated());
  EXPECT_FALSE(QueryView("a=1&b=2&&", 2).Truncated());
  EXPECT_FALSE(QueryView("", 0).Truncated());
  EXPECT_TRUE(QueryView("a", 0).Truncated());

  std::string many;
  for (std::size_t i = 0; i < QueryView::kMaxPairs + 1; ++i) many += "a&";
  EXPECT_EQ(PairsOf(QueryView(many)).size(), QueryView::kMaxPairs);
  EXPECT_TRUE(QueryView(many).Truncated());
}

TEST(UriErrorTest, EachHasAName) {
  for (int i = 0; i <= static_cast<int>(UriError::kNotFound); ++i) {
    EXPECT_NE(UriErrorName(static_cast<UriError>(i)), "unknown error") << i;
  }
  EXPECT_EQ(UriErrorName(static_cast<UriError>(200)), "unknown error");
}

}  // namespace
}  // namespace strata::http
