// What is known of a file that was found: its representations, validators, and whether it is still
// the same.

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/file_tree.h"
#include "strata/http/testing/folder.h"

namespace strata::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using std::chrono::system_clock;
using testing::TestFolder;
using enum FileCoding;

constexpr std::int64_t kTime = 784111777;

std::int64_t Now() {
  return std::chrono::duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

std::string ContentOf(const FileVariant& variant) {
  const std::shared_ptr<const std::string> content = FileTree::Read(variant);
  return content == nullptr ? "[changed]" : *content;
}

class ServedFileTest : public ::testing::Test {
 protected:
  std::shared_ptr<const FileTree> Open(const FileTreeOptions& options = {}) const {
    return FileTree::Open(folder_.Path(), options).value();
  }

  std::shared_ptr<const FileTree> OpenWith(std::vector<FileCoding> precompressed) const {
    FileTreeOptions options;
    options.precompressed = std::move(precompressed);
    return Open(options);
  }

  std::shared_ptr<const ServedFile> Find(std::string_view path,
                                         const FileTreeOptions& options = {}) const {
    return Open(options)->Lookup(path).file;
  }

  std::string Etag(std::string_view path, const FileTreeOptions& options = {}) const {
    return Find(path, options)->variants.front().etag;
  }

  // The content selected by what a client accepts.
  static std::string Selected(const FileTree& tree, std::string_view path,
                              std::vector<FileCoding> accepted) {
    return ContentOf(tree.Lookup(path).file->Select(accepted));
  }

  TestFolder folder_;
};

// RFC 9110 section 8.8.3.
TEST_F(ServedFileTest, TheEntityTagIsStrongAndOfInodeSizeAndTime) {
  folder_.Write("a", "12345");
  folder_.SetModified("a", kTime, 123456789);
  struct stat status;
  ASSERT_EQ(::stat(folder_.Path("a").c_str(), &status), 0);
  char expected[80];
  std::snprintf(expected, sizeof(expected), "\"%llx-5-%llx\"",
                static_cast<unsigned long long>(status.st_ino),
                static_cast<unsigned long long>(kTime) * 1'000'000'000 + 123456789);
  EXPECT_EQ(Etag("a"), expected);
  ASSERT_TRUE(ParseEntityTag(expected));
  const std::shared_ptr<const ServedFile> file = Find("a");
  ASSERT_TRUE(file->variants.front().validators().etag);
  EXPECT_TRUE(StrongMatch(*file->variants.front().validators().etag, *ParseEntityTag(expected)));
}

TEST_F(ServedFileTest, TheEntityTagChangesWithTheFile) {
  folder_.Write("a", "12345", kTime);
  const std::string first = Etag("a");
  EXPECT_EQ(Etag("a"), first);
  folder_.Write("a", "123456", kTime);
  const std::string longer = Etag("a");
  EXPECT_NE(longer, first);
  folder_.SetModified("a", kTime, 1);
  const std::string later = Etag("a");
  EXPECT_NE(later, longer);
  folder_.Replace("a", "123456", kTime);
  folder_.SetModified("a", kTime, 1);
  EXPECT_NE(Etag("a"), later);  // Another inode.
}

TEST_F(ServedFileTest, TheEntityTagMayLeaveOutTheInode) {
  folder_.Write("a", "12345", kTime);
  folder_.Write("b", "12345", kTime);
  FileTreeOptions options;
  options.etag_has_inode = false;
  EXPECT_EQ(Etag("a", options), Etag("b", options));
  EXPECT_NE(Etag("a"), Etag("b"));
  folder_.Write("b", "123456", kTime);
  EXPECT_NE(Etag("a", options), Etag("b", options));
}

TEST_F(ServedFileTest, TheEntityTagOfAYoungFileIsWeak) {
  folder_.Write("a", "a", Now());
  EXPECT_TRUE(Etag("a").starts_with("W/\""));
  folder_.SetModified("a", Now() + 1000);
  EXPECT_TRUE(Etag("a").starts_with("W/\""));
  folder_.SetModified("a", Now() - kEtagSettles.count() - 1);
  EXPECT_TRUE(Etag("a").starts_with("\""));
  FileTreeOptions options;
  options.weak_etags = true;
  EXPECT_TRUE(Etag("a", options).starts_with("W/\""));
  EXPECT_TRUE(Find("a", options)->variants.front().validators().etag->weak);
}

// RFC 9110 section 8.8.2.
TEST_F(ServedFileTest, LastModifiedIsTheFilesTimeInWholeSeconds) {
  folder_.Write("a", "a");
  folder_.SetModified("a", kTime, 999'999'999);
  const FileVariant variant = Find("a")->variants.front();
  EXPECT_EQ(variant.last_modified, sys_seconds(seconds(kTime)));
  EXPECT_EQ(variant.last_modified_text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(variant.validators().last_modified, sys_seconds(seconds(kTime)));
  EXPECT_FALSE(variant.validators().last_modified_is_strong);
  folder_.SetModified("a", -1, 500'000'000);
  EXPECT_EQ(Find("a")->variants.front().last_modified_text(), "Wed, 31 Dec 1969 23:59:59 GMT");
}

// "An origin server with a clock MUST NOT generate a Last-Modified date that is later than the
// server's time of message origination."
TEST_F(ServedFileTest, LastModifiedIsNeverInTheFuture) {
  folder_.Write("a", "a", Now() + 100000);
  const sys_seconds before{seconds(Now())};
  const FileVariant variant = Find("a")->variants.front();
  const sys_seconds after{seconds(Now())};
  EXPECT_GE(variant.last_modified, before);
  EXPECT_LE(variant.last_modified, after);
}

TEST_F(ServedFileTest, CompressedSiblingsAreOfferedByOption) {
  folder_.Write("a.js", "plain");
  folder_.Write("a.js.gz", "gzip");
  folder_.Write("a.js.br", "brotli");
  folder_.Write("a.js.zst", "zstd");
  EXPECT_EQ(Open()->Lookup("a.js").file->variants.size(), 1u);
  const auto tree = OpenWith({kBrotli, kGzip, kZstd});
  EXPECT_EQ(tree->Lookup("a.js").file->variants.size(), 4u);
  EXPECT_EQ(Selected(*tree, "a.js", {}), "plain");
  EXPECT_EQ(Selected(*tree, "a.js", {kGzip}), "gzip");
  EXPECT_EQ(Selected(*tree, "a.js", {kGzip, kBrotli}), "gzip");
  EXPECT_EQ(Selected(*tree, "a.js", {kBrotli, kGzip}), "brotli");
  EXPECT_EQ(Selected(*tree, "a.js", {kZstd}), "zstd");
  EXPECT_EQ(Selected(*tree, "a.js", {kIdentity, kGzip}), "plain");
  EXPECT_EQ(Selected(*OpenWith({kGzip}), "a.js", {kBrotli}), "plain");
  EXPECT_EQ(Selected(*OpenWith({kGzip}), "a.js", {kBrotli, kGzip}), "gzip");
  // Asked for by its own name it is a file as others.
  EXPECT_EQ(Selected(*tree, "a.js.gz", {kBrotli}), "gzip");
}

TEST_F(ServedFileTest, AnIndexHasSiblingsToo) {
  folder_.Write("d/index.html", "plain");
  folder_.Write("d/index.html.gz", "gzip");
  const auto tree = OpenWith({kGzip});
  EXPECT_EQ(tree->Lookup("d/").file->path, "d/index.html");
  EXPECT_EQ(Selected(*tree, "d/", {kGzip}), "gzip");
}

// RFC 9110 section 8.8.3.3: each encoding is another representation.
TEST_F(ServedFileTest, EachVariantHasItsOwnValidators) {
  folder_.Write("a", "same", kTime);
  ASSERT_EQ(::link(folder_.Path("a").c_str(), folder_.Path("a.gz").c_str()), 0);
  folder_.Write("a.br", "more", kTime + 1);
  const auto tree = OpenWith({kGzip, kBrotli});
  const std::shared_ptr<const ServedFile> file = tree->Lookup("a").file;
  ASSERT_EQ(file->variants.size(), 3u);
  EXPECT_EQ(file->variants[0].stamp.inode, file->variants[1].stamp.inode);
  EXPECT_NE(file->variants[0].etag, file->variants[1].etag);
  EXPECT_NE(file->variants[0].etag, file->variants[2].etag);
  EXPECT_EQ(file->variants[2].last_modified_text(), "Sun, 06 Nov 1994 08:49:38 GMT");
}

TEST_F(ServedFileTest, ASiblingThatIsOlderIsStale) {
  folder_.Write("a", "new", kTime);
  folder_.SetModified("a", kTime, 500);
  folder_.Write("a.gz", "old", kTime);
  const auto tree = OpenWith({kGzip});
  folder_.SetModified("a.gz", kTime, 499);
  EXPECT_EQ(Selected(*tree, "a", {kGzip}), "new");
  folder_.SetModified("a.gz", kTime, 500);  // As gzip(1) leaves it.
  EXPECT_EQ(Selected(*tree, "a", {kGzip}), "old");
}

TEST_F(ServedFileTest, ASiblingIsAFileThatMayBeServed) {
  folder_.Write("a", "plain");
  folder_.MakeFolder("a.gz");
  folder_.Link("a.br", "/etc/passwd");
  ASSERT_EQ(::mkfifo(folder_.Path("a.zst").c_str(), 0644), 0);
  const auto tree = OpenWith({kGzip, kBrotli, kZstd});
  EXPECT_EQ(tree->Lookup("a").file->variants.size(), 1u);
  // Without the file itself a sibling is nothing.
  folder_.Write("b.gz", "gzip");
  EXPECT_EQ(tree->Lookup("b").outcome, FileOutcome::kNotFound);
}

TEST_F(ServedFileTest, CodingsHaveTheNamesOfContentEncoding) {
  EXPECT_EQ(FileCodingName(kGzip), "gzip");
  EXPECT_EQ(FileCodingName(kBrotli), "br");
  EXPECT_EQ(FileCodingName(kZstd), "zstd");
  EXPECT_EQ(FileCodingName(kIdentity), "");
}

TEST_F(ServedFileTest, IsCurrentUntilTheFileChanges) {
  folder_.Write("d/a", "12345", kTime);
  const auto tree = Open();
  const auto current_after = [&](auto change) {
    const std::shared_ptr<const ServedFile> file = tree->Lookup("d/a").file;
    EXPECT_TRUE(tree->IsCurrent(*file));
    change();
    return tree->IsCurrent(*file);
  };
  EXPECT_TRUE(current_after([] {}));
  EXPECT_FALSE(current_after([&] { folder_.Write("d/a", "123456", kTime); }));
  EXPECT_FALSE(current_after([&] { folder_.Write("d/a", "654321", kTime + 1); }));
  EXPECT_FALSE(current_after([&] { folder_.SetModified("d/a", kTime, 1); }));
  EXPECT_FALSE(current_after([&] { folder_.Replace("d/a", "123456", kTime); }));
  EXPECT_FALSE(current_after([&] {
    // The content, and its time put back: the time of any change tells, once its clock has ticked.
    const std::int64_t before = tree->Lookup("d/a").file->variants.front().stamp.changed_ns;
    do {
      folder_.Write("d/a", "abcdef", kTime);
    } while (tree->Lookup("d/a").file->variants.front().stamp.changed_ns == before);
  }));
  EXPECT_FALSE(current_after([&] { folder_.Remove("d/a"); }));
  folder_.Write("d/a", "12345", kTime);
  EXPECT_FALSE(current_after([&] { folder_.Rename("d", "e"); }));
  folder_.MakeFolder("d");
  folder_.Write("d/a", "12345", kTime);
  EXPECT_FALSE(current_after([&] {
    folder_.Remove("d/a");
    folder_.MakeFolder("d/a");
  }));
}

TEST_F(ServedFileTest, IsCurrentUntilASiblingChanges) {
  folder_.Write("a", "plain", kTime);
  const auto tree = OpenWith({kGzip});
  std::shared_ptr<const ServedFile> file = tree->Lookup("a").file;
  EXPECT_TRUE(tree->IsCurrent(*file));
  folder_.Write("a.gz", "gzip", kTime - 1);  // Too old to count.
  EXPECT_TRUE(tree->IsCurrent(*file));
  folder_.Write("a.gz", "gzip", kTime);
  EXPECT_FALSE(tree->IsCurrent(*file));
  file = tree->Lookup("a").file;
  EXPECT_TRUE(tree->IsCurrent(*file));
  folder_.Write("a.br", "br", kTime);  // Not looked for.
  EXPECT_TRUE(tree->IsCurrent(*file));
  folder_.Write("a.gz", "gzip2", kTime);
  EXPECT_FALSE(tree->IsCurrent(*file));
  file = tree->Lookup("a").file;
  folder_.Remove("a.gz");
  EXPECT_FALSE(tree->IsCurrent(*file));
}

TEST_F(ServedFileTest, IsNotCurrentOnceAWeakTagCouldBeStrong) {
  folder_.Write("a", "a", Now());
  const auto tree = Open();
  ServedFile file = *tree->Lookup("a").file;
  EXPECT_TRUE(tree->IsCurrent(file));
  // As if it had been found when it was young.
  folder_.SetModified("a", kTime);
  file = *tree->Lookup("a").file;
  EXPECT_TRUE(tree->IsCurrent(file));
  file.variants[0].etag = "W/" + file.variants[0].etag;
  EXPECT_FALSE(tree->IsCurrent(file));
  FileTreeOptions options;
  options.weak_etags = true;
  EXPECT_TRUE(Open(options)->IsCurrent(file));
}

TEST_F(ServedFileTest, ReadsAWholeFile) {
  const std::string large(300'000, 'x');
  folder_.Write("a", "abc");
  folder_.Write("large", large);
  folder_.Write("empty", "");
  EXPECT_EQ(ContentOf(Find("a")->variants.front()), "abc");
  EXPECT_EQ(ContentOf(Find("large")->variants.front()), large);
  EXPECT_EQ(ContentOf(Find("empty")->variants.front()), "");
}

TEST_F(ServedFileTest, DoesNotReadWhatHasChangedSince) {
  const auto read_after = [&](auto change) {
    folder_.Write("a", "12345", kTime);
    const FileVariant variant = Find("a")->variants.front();
    change();
    return ContentOf(variant);
  };
  EXPECT_EQ(read_after([] {}), "12345");
  EXPECT_EQ(read_after([&] { folder_.Write("a", "123", kTime); }), "[changed]");
  EXPECT_EQ(read_after([&] { folder_.Write("a", "", kTime); }), "[changed]");
  EXPECT_EQ(read_after([&] { folder_.Write("a", "1234567", kTime); }), "[changed]");
  EXPECT_EQ(read_after([&] { folder_.Write("a", "54321", kTime + 1); }), "[changed]");
  // Another file took its place: the open one is as it was.
  EXPECT_EQ(read_after([&] { folder_.Replace("a", "54321", kTime); }), "12345");
  EXPECT_EQ(read_after([&] { folder_.Remove("a"); }), "12345");
}

}  // namespace
}  // namespace strata::http
