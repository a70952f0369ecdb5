// Which paths may be asked for: attacks first, in the bytes that percent-decoding leaves.

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/file_path_internal.h"

namespace strata::http {
namespace {

constexpr FilePathRules kStrict = {};
constexpr FilePathRules kWellKnown = {.well_known = true};
constexpr FilePathRules kAllDots = {.all_dot_names = true};
constexpr FilePathRules kMerge = {.merge_slashes = true};

// "bad", "missing", or the name, with a slash behind it if a folder is asked for.
std::string Parse(std::string_view path, const FilePathRules& rules = kStrict) {
  std::string name = "untouched";
  bool folder = false;
  switch (ParseFilePath(path, rules, &name, &folder)) {
    case FilePathVerdict::kGood:
      return name + (folder ? "/" : "");
    case FilePathVerdict::kBad:
      EXPECT_EQ(name, "untouched");
      return "bad";
    case FilePathVerdict::kMissing:
      EXPECT_EQ(name, "untouched");
      return "missing";
  }
  return "?";
}

TEST(FilePathTest, NamesFilesAndFolders) {
  EXPECT_EQ(Parse("/a"), "a");
  EXPECT_EQ(Parse("a"), "a");
  EXPECT_EQ(Parse("/a/b.txt"), "a/b.txt");
  EXPECT_EQ(Parse("a/b.txt"), "a/b.txt");
  EXPECT_EQ(Parse("/a/"), "a/");
  EXPECT_EQ(Parse("/a/b/"), "a/b/");
  EXPECT_EQ(Parse("/"), "/");
  EXPECT_EQ(Parse(""), "/");
}

TEST(FilePathTest, NothingGoesUp) {
  for (const char* const path : {"..",
                                 "/..",
                                 "../",
                                 "/../",
                                 "../x",
                                 "/../x",
                                 "a/..",
                                 "a/../",
                                 "a/../b",
                                 "/a/../../b",
                                 "a/b/..",
                                 ".",
                                 "/.",
                                 "./",
                                 "./x",
                                 "a/.",
                                 "a/./b",
                                 "//..",
                                 "a//..",
                                 "a//../b",
                                 "../../../../etc/passwd",
                                 "/..//../x",
                                 "a/b/../../../c"}) {
    for (const FilePathRules& rules : {kStrict, kWellKnown, kAllDots, kMerge}) {
      EXPECT_EQ(Parse(path, rules), "bad") << path;
    }
  }
}

TEST(FilePathTest, WhatIsASlashElsewhereIsRefused) {
  for (const char* const path : {"\\", "a\\b", "..\\x", "a\\..\\..\\x", "\\\\host\\share", "/\\",
                                 "a/..\\", "C:\\x", ".\\.\\x"}) {
    EXPECT_EQ(Parse(path), "bad") << path;
  }
}

TEST(FilePathTest, NullBytesAreRefused) {
  EXPECT_EQ(Parse(std::string_view("\0", 1)), "bad");
  EXPECT_EQ(Parse(std::string_view("a\0", 2)), "bad");
  EXPECT_EQ(Parse(std::string_view("a.html\0.gif", 11)), "bad");
  EXPECT_EQ(Parse(std::string_view("a/\0/b", 5)), "bad");
  EXPECT_EQ(Parse(std::string_view("\0/../x", 6)), "bad");
}

// Decoded once, and never again: these are names as any others.
TEST(FilePathTest, NothingIsDecodedHere) {
  EXPECT_EQ(Parse("%2e%2e/x"), "%2e%2e/x");
  EXPECT_EQ(Parse("..%2fx", kAllDots), "..%2fx");
  EXPECT_EQ(Parse("a%00b"), "a%00b");
  EXPECT_EQ(Parse("%5c"), "%5c");
  EXPECT_EQ(Parse("a+b"), "a+b");
  EXPECT_EQ(Parse("a?b#c"), "a?b#c");
  EXPECT_EQ(Parse("~root/x"), "~root/x");
  EXPECT_EQ(Parse("C:/x"), "C:/x");
  // Longer forms of '.' and '/' that are no UTF-8, and characters that only look so.
  EXPECT_EQ(Parse("\xc0\xae\xc0\xae/x"), "\xc0\xae\xc0\xae/x");
  EXPECT_EQ(Parse("\xc0\xaf"), "\xc0\xaf");
  EXPECT_EQ(Parse("\xe2\x80\xa5/x"), "\xe2\x80\xa5/x");
  EXPECT_EQ(Parse("\xef\xbc\x8e\xef\xbc\x8e/x"), "\xef\xbc\x8e\xef\xbc\x8e/x");
  EXPECT_EQ(Parse("a\n\x01\x7f\xff"), "a\n\x01\x7f\xff");
}

TEST(FilePathTest, EmptyNamesAreMissingUnlessSlashesAreMerged) {
  EXPECT_EQ(Parse("//"), "missing");
  EXPECT_EQ(Parse("//a"), "missing");
  EXPECT_EQ(Parse("/a//b"), "missing");
  EXPECT_EQ(Parse("/a//"), "missing");
  EXPECT_EQ(Parse("//", kMerge), "/");
  EXPECT_EQ(Parse("///a", kMerge), "a");
  EXPECT_EQ(Parse("/a///b", kMerge), "a/b");
  EXPECT_EQ(Parse("/a//", kMerge), "a/");
}

TEST(FilePathTest, DotNamesAreHidden) {
  for (const char* const path : {".git/config", "/.htaccess", "a/.env", ".a/", "...", "..a",
                                 "a/..b", ".well-known/x", "/.well-known", ".well-known/"}) {
    EXPECT_EQ(Parse(path), "missing") << path;
    EXPECT_NE(Parse(path, kAllDots), "missing") << path;
  }
  EXPECT_EQ(Parse("a.b/c.d."), "a.b/c.d.");
  EXPECT_EQ(Parse("a..b"), "a..b");
  EXPECT_EQ(Parse("a.."), "a..");
}

// RFC 8615 section 3: at the root, and there alone.
TEST(FilePathTest, WellKnownIsServedAtTheRoot) {
  EXPECT_EQ(Parse("/.well-known/acme-challenge/x", kWellKnown), ".well-known/acme-challenge/x");
  EXPECT_EQ(Parse(".well-known/", kWellKnown), ".well-known/");
  EXPECT_EQ(Parse("/a/.well-known/x", kWellKnown), "missing");
  EXPECT_EQ(Parse("/.well-known/.x", kWellKnown), "missing");
  EXPECT_EQ(Parse("/.well-known2/x", kWellKnown), "missing");
  EXPECT_EQ(Parse("/.Well-Known/x", kWellKnown), "missing");
  EXPECT_EQ(Parse("/.well-known/../x", kWellKnown), "bad");
}

TEST(FilePathTest, WhatIsTooLongForTheSystemIsMissing) {
  EXPECT_EQ(Parse(std::string(kMaxFilePathBytes, 'a')).size(), kMaxFilePathBytes);
  EXPECT_EQ(Parse(std::string(kMaxFilePathBytes + 1, 'a')), "missing");
  std::string deep;
  while (deep.size() < kMaxFilePathBytes - 1) deep += "a/";
  EXPECT_EQ(Parse(deep), deep);
  EXPECT_EQ(Parse(deep + "a"), deep + "a");
  EXPECT_EQ(Parse(deep + "aa"), "missing");
  EXPECT_EQ(Parse(std::string(1 << 20, 'a')), "missing");
  EXPECT_EQ(Parse(std::string(1 << 20, '/'), kMerge), "/");
  EXPECT_EQ(Parse(std::string(1 << 20, 'a') + "/.."), "bad");
}

TEST(FilePathTest, WhatIsGoodHasNamesAndSingleSlashesAlone) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kPieces[] = {"/", "/", ".", "..", "a", "bc", "\\", "\xff", "-", "%2e"};
  int good = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string path;
    for (std::size_t n = random() % 10; n > 0; --n) path += kPieces[random() % std::size(kPieces)];
    const FilePathRules rules = {.all_dot_names = random() % 2 == 0,
                                 .well_known = random() % 2 == 0,
                                 .merge_slashes = random() % 2 == 0};
    std::string name;
    bool folder;
    if (ParseFilePath(path, rules, &name, &folder) != FilePathVerdict::kGood) continue;
    ++good;
    const std::string slashes = "/" + name + "/";
    ASSERT_EQ(slashes.find("/./"), std::string::npos) << path;
    ASSERT_EQ(slashes.find("/../"), std::string::npos) << path;
    ASSERT_EQ(name.find('\\'), std::string::npos) << path;
    if (!name.empty()) {
      ASSERT_EQ(slashes.find("//"), std::string::npos) << path;
    }
    if (!rules.all_dot_names) {
      ASSERT_EQ(slashes.find("/."), std::string::npos) << path;
    }
    ASSERT_EQ(folder, path.empty() || path.ends_with('/')) << path;
    // The path as it was, but for slashes.
    std::string rest = path;
    std::erase(rest, '/');
    std::string names = name;
    std::erase(names, '/');
    ASSERT_EQ(rest, names);
  }
  EXPECT_GT(good, 1000);
}

}  // namespace
}  // namespace strata::http
