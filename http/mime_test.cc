// Media types by name.

#include "strata/http/mime.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

TEST(MimeTest, KnowsWhatTheWebIsMadeOf) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"index.html", "text/html; charset=utf-8"},
      {"style.css", "text/css; charset=utf-8"},
      {"app.js", "text/javascript; charset=utf-8"},  // RFC 9239
      {"app.mjs", "text/javascript; charset=utf-8"},
      {"notes.txt", "text/plain; charset=utf-8"},
      {"README.md", "text/markdown; charset=utf-8"},
      {"data.json", "application/json"},
      {"feed.xml", "application/xml"},
      {"logo.svg", "image/svg+xml"},
      {"photo.jpeg", "image/jpeg"},
      {"icon.png", "image/png"},
      {"film.mp4", "video/mp4"},
      {"font.woff2", "font/woff2"},
      {"program.wasm", "application/wasm"},
      {"paper.pdf", "application/pdf"},
      {"all.tar.gz", "application/gzip"},
      {"all.zst", "application/zstd"},
      {"site.webmanifest", "application/manifest+json"},
  };
  for (const auto& [path, type] : cases) EXPECT_EQ(MediaTypeOf(path), type) << path;
}

TEST(MimeTest, CaseDoesNotMatter) {
  EXPECT_EQ(MediaTypeOf("INDEX.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(MediaTypeOf("a.JpEg"), "image/jpeg");
  EXPECT_EQ(FindMediaType("PnG"), "image/png");
}

TEST(MimeTest, TheExtensionIsThatOfTheLastName) {
  EXPECT_EQ(ExtensionOf("/a/b.html"), "html");
  EXPECT_EQ(ExtensionOf("a.b/c"), "");
  EXPECT_EQ(ExtensionOf("a.b/c.css"), "css");
  EXPECT_EQ(ExtensionOf("a.html."), "");
  EXPECT_EQ(ExtensionOf(".html"), "");
  EXPECT_EQ(ExtensionOf("a/.html"), "");
  EXPECT_EQ(ExtensionOf("a/.x.html"), "html");
  EXPECT_EQ(ExtensionOf("a.html/"), "");
  EXPECT_EQ(ExtensionOf("."), "");
  EXPECT_EQ(ExtensionOf(""), "");
}

TEST(MimeTest, WhatIsNotKnownIsBytes) {
  EXPECT_EQ(MediaTypeOf(""), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("Makefile"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a.htm1"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a.htmlx"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a.zzzz"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a.0"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a." + std::string(100, 'h')), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf(std::string("a.html\0", 7)), "application/octet-stream");
  EXPECT_EQ(FindMediaType("zzzz"), "");
  EXPECT_EQ(FindMediaType(""), "");
  // As long as can be found, and one more.
  EXPECT_EQ(FindMediaType(std::string(kMaxExtensionBytes, 'a')), "");
  EXPECT_EQ(FindMediaType(std::string(kMaxExtensionBytes + 1, 'a')), "");
}

TEST(MimeTest, TheFirstAndTheLastAreFound) {
  EXPECT_EQ(FindMediaType("3g2"), "video/3gpp2");
  EXPECT_EQ(FindMediaType("zst"), "application/zstd");
}

TEST(MediaTypesTest, WithoutAdditionsIsTheTable) {
  const MediaTypes types;
  EXPECT_EQ(types.Of("a.html"), "text/html; charset=utf-8");
  EXPECT_EQ(types.Of("a.unknown"), "application/octet-stream");
  EXPECT_EQ(MediaTypes("text/plain").Of("a.unknown"), "text/plain");
  EXPECT_EQ(MediaTypes("").Of("a.unknown"), "");
}

TEST(MediaTypesTest, AdditionsCountFirst) {
  MediaTypes types;
  ASSERT_TRUE(types.Add("gmi", "text/gemini").ok());
  ASSERT_TRUE(types.Add("HTML", "application/xhtml+xml").ok());
  ASSERT_TRUE(types.Add("aaa", "a/a").ok());
  ASSERT_TRUE(types.Add("zzz", "z/z").ok());
  EXPECT_EQ(types.Of("a.gmi"), "text/gemini");
  EXPECT_EQ(types.Of("a.GMI"), "text/gemini");
  EXPECT_EQ(types.Of("a.html"), "application/xhtml+xml");
  EXPECT_EQ(types.Of("a.aaa"), "a/a");
  EXPECT_EQ(types.Of("a.zzz"), "z/z");
  EXPECT_EQ(types.Of("a.css"), "text/css; charset=utf-8");
  ASSERT_TRUE(types.Add("gmi", "text/plain; charset=us-ascii").ok());
  EXPECT_EQ(types.Of("a.gmi"), "text/plain; charset=us-ascii");
  EXPECT_EQ(MediaTypeOf("a.html"), "text/html; charset=utf-8");
}

TEST(MediaTypesTest, RefusesWhatCouldNotBeFoundOrSent) {
  MediaTypes types;
  for (const std::string extension :
       {"", ".html", "tar.gz", "a/b", "a\\b", "a b", "a\n", "\x80", "12345678901234567"}) {
    EXPECT_EQ(types.Add(extension, "a/b").code(), absl::StatusCode::kInvalidArgument) << extension;
  }
  for (const std::string type : {"", "html", "/", "text/", "/html", "text/html\r\nX: y", "a/b\n",
                                 "a/b\x80", " a/b", "a/b ", "a/\tb"}) {
    EXPECT_EQ(types.Add("x", type).code(), absl::StatusCode::kInvalidArgument) << type;
  }
  EXPECT_EQ(types.Of("a.x"), kDefaultMediaType);
}

}  // namespace
}  // namespace strata::http
