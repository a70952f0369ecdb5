// Files as clients get them. What a path may lead to is tested with file_tree.h, and the rules
// alone with conditional.h and range.h.

#include "strata/http/static_files.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/folder.h"
#include "strata/http/testing/wire.h"
#include "strata/net/testing/server_test.h"

namespace strata::http {
namespace {

using net::testing::Pattern;
using testing::Get;
using testing::WireClient;
using testing::WireResponse;

constexpr char kThen[] = "Sun, 09 Sep 2001 01:46:40 GMT";  // 1,000,000,000

class StaticFilesTest : public testing::WireTest {
 protected:
  void Start(FileTreeOptions tree = {}, StaticFilesOptions files = {}) {
    auto opened = FileTree::Open(folder_.Path(), std::move(tree));
    ASSERT_TRUE(opened.ok()) << opened.status();
    Router router;
    router.Get("/files/{path...}", StaticFiles(*opened, std::move(files)));
    Serve(std::move(router));
  }

  WireResponse Ask(std::string_view path, std::string_view fields = {}) {
    return Connect().Ask(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a\r\n", fields, "\r\n"));
  }

  testing::TestFolder folder_;
};

TEST_F(StaticFilesTest, AFileComesWithWhatIsKnownOfIt) {
  folder_.Write("a/page.html", "<p>page</p>");
  Start({}, {.cache_control = "max-age=60"});
  const WireResponse response = Ask("/files/a/page.html");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "<p>page</p>");
  EXPECT_EQ(response.Field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(response.Field("Last-Modified"), kThen);
  EXPECT_EQ(response.Field("Accept-Ranges"), "bytes");
  EXPECT_EQ(response.Field("Cache-Control"), "max-age=60");
  EXPECT_EQ(response.Field("Vary"), "-");
  EXPECT_GT(response.Field("ETag").size(), 4u);
}

TEST_F(StaticFilesTest, LargeFilesComeWholeAndTheConnectionGoesOn) {
  const std::string text = Pattern(3'000'000);
  folder_.Write("large.bin", text);
  folder_.Write("small.txt", "small");
  folder_.Write("empty", "");
  Start();
  WireClient client = Connect();
  client.Send(Get("/files/large.bin") + Get("/files/small.txt") + Get("/files/empty") +
              "HEAD /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/files/large.bin"));
  EXPECT_TRUE(client.Read().body == text);
  EXPECT_EQ(client.Read().body, "small");
  EXPECT_EQ(client.Read().Field("Content-Length"), "0");
  EXPECT_EQ(client.Read(/*to_head=*/true).Field("Content-Length"), "3000000");
  EXPECT_TRUE(client.Read().body == text);
}

TEST_F(StaticFilesTest, WhatTheClientHasIsNotSentAgain) {
  folder_.Write("a.txt", "text");
  Start();
  const std::string etag = Ask("/files/a.txt").Field("ETag");
  WireResponse response = Ask("/files/a.txt", absl::StrCat("If-None-Match: \"x\", ", etag, "\r\n"));
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.Field("ETag"), etag);
  EXPECT_EQ(response.Field("Content-Type"), "-");
  EXPECT_EQ(Ask("/files/a.txt", "If-None-Match: \"x\"\r\n").status, 200);
  EXPECT_EQ(
      Ask("/files/a.txt", absl::StrCat("If-None-Match: \"x\"\r\nIf-None-Match: ", etag, "\r\n"))
          .status,
      304)
      << "two lines are one list";
  EXPECT_EQ(Ask("/files/a.txt", absl::StrCat("If-Modified-Since: ", kThen, "\r\n")).status, 304);
  EXPECT_EQ(Ask("/files/a.txt", "If-Match: \"x\"\r\n").status, 412);
  EXPECT_EQ(Ask("/files/a.txt", "If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n").status,
            412);
}

TEST_F(StaticFilesTest, RangesOfSmallAndLargeFiles) {
  for (const std::size_t size : {1'000u, 1'000'000u}) {
    const std::string text = Pattern(size);
    const std::string name = absl::StrCat(size, ".txt");
    folder_.Write(name, text);
  }
  Start();
  for (const std::size_t size : {1'000u, 1'000'000u}) {
    const std::string text = Pattern(size);
    const std::string path = absl::StrCat("/files/", size, ".txt");
    WireResponse response = Ask(path, "Range: bytes=10-19\r\n");
    EXPECT_EQ(response.status, 206);
    EXPECT_EQ(response.body, text.substr(10, 10));
    EXPECT_EQ(response.Field("Content-Range"), absl::StrCat("bytes 10-19/", size));
    EXPECT_EQ(Ask(path, "Range: bytes=-5\r\n").body, text.substr(size - 5));
    response = Ask(path, absl::StrCat("Range: bytes=", size, "-\r\n"));
    EXPECT_EQ(response.status, 416);
    EXPECT_EQ(response.Field("Content-Range"), absl::StrCat("bytes */", size));
    EXPECT_EQ(Ask(path, "Range: lines=1-2\r\n").status, 200);
    EXPECT_EQ(Ask(path, "Range: bytes=1-2\r\nIf-Range: \"other\"\r\n").status, 200);

    response = Ask(path, "Range: bytes=0-1,500-503\r\n");
    EXPECT_EQ(response.status, 206);
    const std::string type = response.Field("Content-Type");
    ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary=")) << type;
    const std::string boundary = type.substr(type.find('=') + 1);
    const auto part = [&](std::string_view range, std::string_view bytes) {
      return absl::StrCat("--", boundary, "\r\nContent-Type: text/plain; charset=utf-8\r\n",
                          "Content-Range: bytes ", range, "/", size, "\r\n\r\n", bytes, "\r\n");
    };
    const std::string expected =
        absl::StrCat(part("0-1", text.substr(0, 2)), part("500-503", text.substr(500, 4)));
    EXPECT_NE(response.body.find(expected), std::string::npos) << response.body;
    EXPECT_TRUE(response.body.ends_with(absl::StrCat("--", boundary, "--\r\n")));
  }
}

TEST_F(StaticFilesTest, CompressedSiblingsByWhatIsAccepted) {
  folder_.Write("app.js", "plain");
  folder_.Write("app.js.gz", "gzipped");
  folder_.Write("app.js.br", "brotli");
  Start({.precompressed = {FileCoding::kGzip, FileCoding::kBrotli}});
  WireResponse response = Ask("/files/app.js", "Accept-Encoding: gzip, br;q=0.5\r\n");
  EXPECT_EQ(response.body, "gzipped");
  EXPECT_EQ(response.Field("Content-Encoding"), "gzip");
  EXPECT_EQ(response.Field("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(response.Field("Vary"), "Accept-Encoding");
  const std::string gzip_etag = response.Field("ETag");
  EXPECT_EQ(Ask("/files/app.js", "Accept-Encoding: br, gzip\r\n").body, "brotli");
  response = Ask("/files/app.js", "Accept-Encoding: gzip;q=0\r\n");
  EXPECT_EQ(response.body, "plain");
  EXPECT_EQ(response.Field("Content-Encoding"), "-");
  EXPECT_EQ(response.Field("Vary"), "Accept-Encoding");
  EXPECT_NE(response.Field("ETag"), gzip_etag);
}

TEST_F(StaticFilesTest, FoldersHaveAnIndexASlashOrAList) {
  folder_.Write("site/index.html", "index");
  folder_.Write("list/<b>.txt", "x");
  Start();
  EXPECT_EQ(Ask("/files/site/").body, "index");
  WireResponse response = Ask("/files/site?q=1");
  EXPECT_EQ(response.status, 301);
  EXPECT_EQ(response.Field("Location"), "/files/site/?q=1");
  EXPECT_EQ(Ask("/files/list/").status, 403);
  Stop();
  Start({}, {.list_folders = true});
  response = Ask("/files/list/");
  EXPECT_EQ(response.Field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_NE(response.body.find("&lt;b&gt;.txt"), std::string::npos) << response.body;
  response = Ask("/files/list/", "Accept: application/json\r\n");
  EXPECT_EQ(response.Field("Content-Type"), "application/json");
  EXPECT_NE(response.body.find("\"<b>.txt\""), std::string::npos) << response.body;
}

TEST_F(StaticFilesTest, NothingElseIsServed) {
  folder_.Write("a.txt", "text");
  folder_.Write(".secret", "secret");
  folder_.Link("out", "/etc/passwd");
  Start();
  EXPECT_EQ(Ask("/files/none.txt").status, 404);
  EXPECT_EQ(Ask("/files/.secret").status, 404);
  EXPECT_EQ(Ask("/files/out").status, 403);
  EXPECT_EQ(Ask("/files/%2e%2e/etc/passwd").status, 400);
  EXPECT_EQ(Ask("/files/a.txt%00.html").status, 400);
  EXPECT_EQ(Connect().Ask("POST /files/a.txt HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
}

TEST_F(StaticFilesTest, AChangedFileIsNoticed) {
  folder_.Write("a.txt", "one");
  Start({}, {.cache = {.max_age = std::chrono::milliseconds(0)}});
  EXPECT_EQ(Ask("/files/a.txt").body, "one");
  folder_.Replace("a.txt", "two!", 1'000'000'001);
  EXPECT_EQ(Ask("/files/a.txt").body, "two!");
  folder_.Remove("a.txt");
  EXPECT_EQ(Ask("/files/a.txt").status, 404);
}

}  // namespace
}  // namespace strata::http
