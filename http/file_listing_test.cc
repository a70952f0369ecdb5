// Listings of folders, whose names may be any bytes but a slash and a null.

#include "strata/http/file_listing.h"

#include <string>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

constexpr std::chrono::sys_seconds kTime{std::chrono::seconds(784111777)};

FolderListing Listing(std::initializer_list<FolderEntry> entries) {
  FolderListing listing;
  listing.entries = entries;
  return listing;
}

FolderEntry File(std::string name, std::uint64_t size = 1) {
  return {.name = std::move(name), .folder = false, .size_bytes = size, .modified = kTime};
}

FolderEntry Folder(std::string name) {
  return {.name = std::move(name), .folder = true, .size_bytes = 0, .modified = kTime};
}

// The row of one entry, from its link to the end of its name.
std::string HtmlOf(const FolderEntry& entry) {
  const std::string page = FormatListingHtml(Listing({entry}), "/");
  const std::size_t begin = page.find("<a href=");
  const std::size_t end = page.find("</a>");
  EXPECT_NE(begin, std::string::npos);
  EXPECT_NE(end, std::string::npos);
  return page.substr(begin, end + 4 - begin);
}

std::string JsonNameOf(const std::string& name) {
  const std::string text = FormatListingJson(Listing({File(name)}), "/");
  const std::string before = "{\"name\":";
  const std::size_t begin = text.find(before) + before.size();
  return text.substr(begin, text.find(",\"type\"") - begin);
}

TEST(FileListingTest, FoldersComeFirstThenNamesByTheirBytes) {
  FolderListing listing =
      Listing({File("b"), File("a"), Folder("z"), File("B"), Folder("c"), File("\xc3\xa4")});
  SortListing(listing);
  std::string order;
  for (const FolderEntry& entry : listing.entries) order += entry.name + " ";
  EXPECT_EQ(order, "c z B a b \xc3\xa4 ");
}

TEST(FileListingTest, IsAPage) {
  FolderListing listing = Listing({Folder("b"), File("a.mp3", 123)});
  EXPECT_EQ(FormatListingHtml(listing, "/music/"),
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n"
            "<title>Index of /music/</title>\n</head>\n<body>\n<h1>Index of /music/</h1>\n"
            "<table>\n<tr><th>Name</th><th>Size</th><th>Modified</th></tr>\n"
            "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n"
            "<tr><td><a href=\"b/\">b/</a></td><td></td>"
            "<td>Sun, 06 Nov 1994 08:49:37 GMT</td></tr>\n"
            "<tr><td><a href=\"a.mp3\">a.mp3</a></td><td>123</td>"
            "<td>Sun, 06 Nov 1994 08:49:37 GMT</td></tr>\n"
            "</table>\n</body>\n</html>\n");
}

TEST(FileListingTest, TheRootHasNothingAbove) {
  EXPECT_EQ(FormatListingHtml({}, "/").find("../"), std::string::npos);
  EXPECT_NE(FormatListingHtml({}, "/a/").find("../"), std::string::npos);
}

TEST(FileListingTest, SaysThatThereIsMore) {
  FolderListing listing;
  listing.truncated = true;
  EXPECT_NE(FormatListingHtml(listing, "/").find("There is more"), std::string::npos);
  EXPECT_EQ(FormatListingHtml({}, "/").find("There is more"), std::string::npos);
  EXPECT_EQ(FormatListingJson(listing, "/"),
            "{\"path\":\"/\",\"truncated\":true,\"entries\":[]}\n");
}

TEST(FileListingTest, ANameIsNoMarkup) {
  EXPECT_EQ(HtmlOf(File("<script>alert('x')</script>&\"")),
            "<a href=\"%3Cscript%3Ealert%28%27x%27%29%3C%2Fscript%3E%26%22\">"
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;</a>");
  const std::string page = FormatListingHtml({}, "/<script>\"'&/");
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("<title>Index of /&lt;script&gt;&quot;&#39;&amp;/</title>"),
            std::string::npos);
}

TEST(FileListingTest, ALinkLeadsToItsNameAlone) {
  EXPECT_EQ(HtmlOf(File("javascript:alert(1)")),
            "<a href=\"javascript%3Aalert%281%29\">javascript:alert(1)</a>");
  EXPECT_EQ(HtmlOf(File("a?b#c%41;d=e\\f")),
            "<a href=\"a%3Fb%23c%2541%3Bd%3De%5Cf\">a?b#c%41;d=e\\f</a>");
  EXPECT_EQ(HtmlOf(File("a b\n")), "<a href=\"a%20b%0A\">a b\n</a>");
  EXPECT_EQ(HtmlOf(Folder("x")), "<a href=\"x/\">x/</a>");
  EXPECT_EQ(HtmlOf(File("A-z_0.9~")), "<a href=\"A-z_0.9~\">A-z_0.9~</a>");
}

// RFC 3629.
TEST(FileListingTest, WhatIsNotUtf8IsReplaced) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(HtmlOf(File("\xff\xc3\xa4")), "<a href=\"%FF%C3%A4\">" + r + "\xc3\xa4</a>");
  const std::pair<std::string, std::string> cases[] = {
      {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
       "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
      {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
      {"\x80", r},  // A continuation alone.
      {"\xc3", r},  // The beginning of one.
      {"\xc3(", r + "("},
      {"\xe2\x82", r + r},
      {"\xe2\x82x", r + r + "x"},
      {"\xf0\x9f\x98", r + r + r},
      {"\xc0\xaf", r + r},  // Longer than need be: a slash.
      {"\xc1\xbf", r + r},
      {"\xe0\x80\xaf", r + r + r},
      {"\xe0\x9f\xbf", r + r + r},
      {"\xf0\x80\x80\xaf", r + r + r + r},
      {"\xf0\x8f\xbf\xbf", r + r + r + r},
      {"\xed\xa0\x80", r + r + r},          // A surrogate.
      {"\xf4\x90\x80\x80", r + r + r + r},  // Above U+10FFFF.
      {"\xf5\x80\x80\x80", r + r + r + r},
      {"\xfe\xff", r + r},
  };
  for (const auto& [name, shown] : cases) EXPECT_EQ(JsonNameOf(name), "\"" + shown + "\"");
}

TEST(FileListingTest, IsJson) {
  FolderListing listing = Listing({Folder("b"), File("a.mp3", 18446744073709551615u)});
  EXPECT_EQ(FormatListingJson(listing, "/music/"),
            "{\"path\":\"/music/\",\"truncated\":false,\"entries\":[\n"
            "{\"name\":\"b\",\"type\":\"folder\","
            "\"modified\":\"Sun, 06 Nov 1994 08:49:37 GMT\"},\n"
            "{\"name\":\"a.mp3\",\"type\":\"file\",\"size\":18446744073709551615,"
            "\"modified\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}]}\n");
}

TEST(FileListingTest, AJsonStringHoldsAnyName) {
  EXPECT_EQ(JsonNameOf("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(JsonNameOf("\n\t\x01\x1f\x7f "), "\"\\u000A\\u0009\\u0001\\u001F\\u007F \"");
  EXPECT_EQ(JsonNameOf("</script>"), "\"</script>\"");
  EXPECT_EQ(FormatListingJson({}, "/\"/"),
            "{\"path\":\"/\\\"/\",\"truncated\":false,\"entries\":[]}\n");
}

}  // namespace
}  // namespace strata::http
