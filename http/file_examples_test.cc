// The examples at the heads of the headers about files, as they stand there.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "strata/http/conditional.h"
#include "strata/http/file_cache.h"
#include "strata/http/file_listing.h"
#include "strata/http/file_tree.h"
#include "strata/http/http_date.h"
#include "strata/http/mime.h"
#include "strata/http/range.h"
#include "strata/http/testing/folder.h"

namespace strata::http {
namespace {

TEST(FileExamplesTest, HttpDate) {
  char text[kHttpDateBytes];
  FormatHttpDate(std::chrono::sys_seconds(std::chrono::seconds(784111777)), text);
  EXPECT_EQ(std::string_view(text, sizeof(text)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(FileExamplesTest, Conditional) {
  const std::chrono::sys_seconds now{std::chrono::seconds(1'700'000'000)};
  ConditionalFields fields = {.if_none_match = "\"v6\", \"v7\""};  // Of the request.
  Validators current = {.etag = ParseEntityTag("\"v7\"")};
  PreconditionResult result = EvaluatePreconditions(ConditionalMethod::kGet, fields, current, now);
  EXPECT_EQ(result.precondition, Precondition::kNotModified);

  int tags = 0;
  EntityTagList list(*fields.if_none_match);
  while (std::optional<EntityTag> tag = list.Next()) ++tags;
  if (list.malformed()) tags = 0;
  EXPECT_EQ(tags, 2);
}

TEST(FileExamplesTest, Range) {
  const std::string content(2000, 'x');
  const RangeSet set = ParseRange("bytes=0-499,-500", content.size());
  ASSERT_EQ(set.outcome(), RangeOutcome::kPartial);
  const std::span<const ByteRange> ranges = set.ranges();
  const MultipartRanges parts(ranges, content.size(), "text/html", "3d6b6a416f9b5");
  std::string sent;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    sent += parts.Head(i);
    sent += content.substr(ranges[i].offset, ranges[i].size);
  }
  sent += parts.Tail();
  EXPECT_EQ(sent.size(), parts.content_length());
}

TEST(FileExamplesTest, Mime) {
  EXPECT_EQ(MediaTypeOf("docs/index.HTML"), "text/html; charset=utf-8");
  EXPECT_EQ(MediaTypeOf("README"), "application/octet-stream");
  MediaTypes types;
  absl::Status status = types.Add("gmi", "text/gemini; charset=utf-8");
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(types.Of("page.gmi"), "text/gemini; charset=utf-8");
}

TEST(FileExamplesTest, FileTreeAndCache) {
  const testing::TestFolder folder;
  folder.Write("docs/index.html", "Hello");
  absl::StatusOr<std::shared_ptr<const FileTree>> tree = FileTree::Open(folder.Path());
  ASSERT_TRUE(tree.ok());
  FileLookup found = (*tree)->Lookup("/docs/");
  ASSERT_EQ(found.outcome, FileOutcome::kFile);
  const FileVariant& variant = found.file->Select({{FileCoding::kBrotli, FileCoding::kGzip}});
  EXPECT_FALSE(variant.etag.empty());

  FolderListing listing = (*tree)->List("/docs/").listing;
  std::string page = FormatListingHtml(listing, "/docs/");
  EXPECT_NE(page.find("index.html"), std::string::npos);

  FileCache cache(*tree);
  found = cache.Get("/docs/", std::chrono::steady_clock::now());
  EXPECT_EQ(*found.file->variants.front().content, "Hello");
}

}  // namespace
}  // namespace strata::http
