// Files that are kept. Time is the tests' own.

#include "strata/http/file_cache.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/testing/folder.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;
using testing::TestFolder;

constexpr std::int64_t kTime = 784111777;

class FileCacheTest : public ::testing::Test {
 protected:
  void Open(const FileCacheOptions& options = {}, const FileTreeOptions& tree_options = {}) {
    cache_.emplace(FileTree::Open(folder_.Path(), tree_options).value(), options);
  }

  void Advance(int ms) { now_ += milliseconds(ms); }

  static std::string Show(const FileLookup& found) {
    if (found.outcome != FileOutcome::kFile) {
      EXPECT_EQ(found.file, nullptr);
      return "[" + std::to_string(static_cast<int>(found.outcome)) + "]";
    }
    return Show(*found.file);
  }

  static std::string Show(const ServedFile& file) {
    const FileVariant& variant = file.variants.front();
    EXPECT_NE(variant.file == nullptr, variant.content == nullptr);
    if (variant.content != nullptr) return *variant.content;
    const std::shared_ptr<const std::string> content = FileTree::Read(variant);
    return content == nullptr ? "[changed]" : *content;
  }

  std::string Get(std::string_view path) { return Show(cache_->Get(path, now_)); }

  // Whether a path's file is kept, without changing what was asked for last.
  bool Keeps(std::string_view path) {
    const FileLookup before = {.outcome = FileOutcome::kFile, .file = cache_->Find(path, now_)};
    return before.file != nullptr;
  }

  TestFolder folder_;
  std::optional<FileCache> cache_;
  FileCache::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(FileCacheTest, AnswersWhatTheTreeAnswers) {
  folder_.Write("a.txt", "a");
  folder_.Write("d/index.html", "index");
  folder_.MakeFolder("e");
  Open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("/a.txt"), "a");
    EXPECT_EQ(Get("/d/"), "index");
    EXPECT_EQ(cache_->Get("/d", now_).outcome, FileOutcome::kAddSlash);
    EXPECT_EQ(cache_->Get("/e/", now_).outcome, FileOutcome::kFolder);
    EXPECT_EQ(cache_->Get("/b", now_).outcome, FileOutcome::kNotFound);
    EXPECT_EQ(cache_->Get("/../a.txt", now_).outcome, FileOutcome::kBadPath);
  }
  EXPECT_EQ(cache_->entries(), 2u);
}

TEST_F(FileCacheTest, AHitIsTheSameFile) {
  folder_.Write("a", "a");
  Open();
  const std::shared_ptr<const ServedFile> first = cache_->Get("a", now_).file;
  EXPECT_EQ(cache_->Get("a", now_).file, first);
  Advance(5000);
  EXPECT_EQ(cache_->Get("a", now_).file, first);  // Looked at again, and still the same.
}

TEST_F(FileCacheTest, AReplacedFileIsNoticedAfterMaxAge) {
  folder_.Write("a", "old");
  Open();
  EXPECT_EQ(Get("a"), "old");
  folder_.Replace("a", "new");
  Advance(1000);
  EXPECT_EQ(Get("a"), "old");
  Advance(1);
  EXPECT_EQ(Get("a"), "new");
  EXPECT_EQ(cache_->entries(), 1u);
}

TEST_F(FileCacheTest, AgeIsCountedFromTheLastLook) {
  folder_.Write("a", "old");
  Open();
  EXPECT_EQ(Get("a"), "old");
  Advance(900);
  EXPECT_EQ(Get("a"), "old");
  Advance(900);
  EXPECT_EQ(Get("a"), "old");  // Looks.
  folder_.Replace("a", "new");
  Advance(900);
  EXPECT_EQ(Get("a"), "old");  // A hit, which makes nothing younger.
  Advance(200);
  EXPECT_EQ(Get("a"), "new");
}

TEST_F(FileCacheTest, WithoutMaxAgeEachMomentLooks) {
  folder_.Write("a", "old");
  Open({.max_age = milliseconds(0)});
  EXPECT_EQ(Get("a"), "old");
  folder_.Replace("a", "new");
  Advance(1);
  EXPECT_EQ(Get("a"), "new");
}

TEST_F(FileCacheTest, ARemovedFileIsNoticed) {
  folder_.Write("a", "a");
  Open();
  EXPECT_EQ(Get("a"), "a");
  folder_.Remove("a");
  Advance(1001);
  EXPECT_EQ(cache_->Get("a", now_).outcome, FileOutcome::kNotFound);
  EXPECT_EQ(cache_->entries(), 0u);
  EXPECT_EQ(cache_->content_bytes(), 0u);
}

TEST_F(FileCacheTest, AFileThatBecameALinkOutIsRefused) {
  folder_.Write("a", "a");
  Open();
  EXPECT_EQ(Get("a"), "a");
  folder_.Remove("a");
  folder_.Link("a", "/etc/passwd");
  Advance(1001);
  EXPECT_EQ(cache_->Get("a", now_).outcome, FileOutcome::kForbidden);
}

TEST_F(FileCacheTest, ALargeFileChangedInPlaceIsNoticed) {
  const std::string large(100'000, 'x');
  folder_.Write("a", large);
  Open();
  EXPECT_EQ(Get("a"), large);
  EXPECT_EQ(cache_->open_files(), 1u);
  folder_.Write("a", "short");
  EXPECT_EQ(Get("a"), "[changed]");  // Of the old size still, which a stream cannot send.
  Advance(1001);
  EXPECT_EQ(Get("a"), "short");
  EXPECT_EQ(cache_->open_files(), 0u);
}

TEST_F(FileCacheTest, WhoSendsTheOldFileKeepsIt) {
  const std::string large(100'000, 'x');
  folder_.Write("a", large);
  Open();
  const std::shared_ptr<const ServedFile> sending = cache_->Get("a", now_).file;
  folder_.Replace("a", "new");
  Advance(1001);
  EXPECT_EQ(Get("a"), "new");
  cache_->Clear();
  EXPECT_EQ(Show(*sending), large);
}

TEST_F(FileCacheTest, SmallFilesAreKeptByContentAndWithoutDescriptor) {
  folder_.Write("small", std::string(16 * 1024, 's'));
  folder_.Write("large", std::string(16 * 1024 + 1, 'l'));
  folder_.Write("empty", "");
  Open();
  EXPECT_EQ(Get("small").size(), 16u * 1024);
  EXPECT_EQ(cache_->open_files(), 0u);
  EXPECT_EQ(cache_->content_bytes(), 16u * 1024);
  EXPECT_EQ(Get("large").size(), 16u * 1024 + 1);
  EXPECT_EQ(cache_->open_files(), 1u);
  EXPECT_EQ(cache_->content_bytes(), 16u * 1024);
  EXPECT_EQ(Get("empty"), "");
  EXPECT_EQ(cache_->open_files(), 1u);
  EXPECT_EQ(cache_->Get("small", now_).file->variants.front().size_bytes(), 16u * 1024);
}

TEST_F(FileCacheTest, CompressedSiblingsAreKeptToo) {
  folder_.Write("a", std::string(100'000, 'x'));
  folder_.Write("a.gz", "gzip");
  FileTreeOptions tree_options;
  tree_options.precompressed = {FileCoding::kGzip};
  Open({}, tree_options);
  const std::shared_ptr<const ServedFile> file = cache_->Get("a", now_).file;
  ASSERT_EQ(file->variants.size(), 2u);
  EXPECT_NE(file->variants[0].file, nullptr);
  EXPECT_EQ(*file->variants[1].content, "gzip");
  EXPECT_EQ(cache_->open_files(), 1u);
  EXPECT_EQ(cache_->content_bytes(), 4u);
  folder_.Replace("a.gz", "gzip2");
  Advance(1001);
  EXPECT_EQ(*cache_->Get("a", now_).file->variants[1].content, "gzip2");
  EXPECT_EQ(cache_->content_bytes(), 5u);
}

TEST_F(FileCacheTest, TheOneNotAskedForLongestGoesFirst) {
  for (const char* const name : {"a", "b", "c", "d"}) folder_.Write(name, name);
  Open({.max_entries = 3});
  Get("a");
  Get("b");
  Get("c");
  Get("a");
  Get("d");
  EXPECT_EQ(cache_->entries(), 3u);
  EXPECT_EQ(cache_->content_bytes(), 3u);
  EXPECT_FALSE(Keeps("b"));
  EXPECT_TRUE(Keeps("a"));
  EXPECT_TRUE(Keeps("c"));
  EXPECT_TRUE(Keeps("d"));
}

TEST_F(FileCacheTest, OpenFilesAreBounded) {
  for (const char* const name : {"a", "b", "c"}) folder_.Write(name, std::string(20'000, 'x'));
  folder_.Write("small", "s");
  Open({.max_open_files = 2});
  Get("a");
  Get("b");
  Get("small");
  Get("c");
  EXPECT_EQ(cache_->open_files(), 2u);
  EXPECT_FALSE(Keeps("a"));
  EXPECT_TRUE(Keeps("c"));
}

TEST_F(FileCacheTest, ContentIsBounded) {
  for (const char* const name : {"a", "b", "c"}) folder_.Write(name, std::string(100, 'x'));
  Open({.max_content_bytes = 250});
  Get("a");
  Get("b");
  Get("c");
  EXPECT_EQ(cache_->content_bytes(), 200u);
  EXPECT_FALSE(Keeps("a"));
}

TEST_F(FileCacheTest, ACacheOfNothingStillAnswers) {
  folder_.Write("a", "a");
  Open({.max_entries = 0});
  EXPECT_EQ(Get("a"), "a");
  EXPECT_EQ(Get("a"), "a");
  EXPECT_EQ(cache_->entries(), 0u);
  EXPECT_EQ(cache_->content_bytes(), 0u);
}

TEST_F(FileCacheTest, GivesUpFilesWhenNoDescriptorIsLeft) {
  constexpr int kFiles = 8;
  for (int i = 0; i < kFiles; ++i) {
    folder_.Write(std::to_string(i), std::string(20'000, 'x'));
  }
  Open();
  for (int i = 0; i < kFiles; ++i) Get(std::to_string(i));
  EXPECT_EQ(cache_->open_files(), std::size_t{kFiles});
  folder_.Write("new", std::string(20'000, 'n'));
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit full = {.rlim_cur = static_cast<rlim_t>(next), .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
  const FileLookup found = cache_->Get("new", now_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(Show(found), std::string(20'000, 'n'));
  EXPECT_EQ(cache_->open_files(), kFiles / 2 + 1u);
  EXPECT_TRUE(Keeps("7"));
  EXPECT_FALSE(Keeps("0"));
}

TEST_F(FileCacheTest, SaysThatNoDescriptorIsLeftIfItHasNoneToGive) {
  folder_.Write("a", "a");
  folder_.Write("b", "b");
  Open();
  Get("a");
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const FileLookup kept = cache_->Get("a", now_);
  const FileLookup other = cache_->Get("b", now_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(kept.outcome, FileOutcome::kFile);  // Hot files are served all the same.
  EXPECT_EQ(other.outcome, FileOutcome::kTooManyFiles);
}

// The way of a loop whose workers look.
TEST_F(FileCacheTest, FindAndInsertAreTheTwoHalvesOfGet) {
  folder_.Write("a", "a");
  Open();
  EXPECT_EQ(cache_->Find("a", now_), nullptr);
  FileLookup found = cache_->tree().Lookup("a");
  EXPECT_EQ(Show(*cache_->Insert("a", found.file, now_)), "a");
  EXPECT_EQ(cache_->Find("a", now_)->variants.front().content->size(), 1u);
  Advance(1001);
  EXPECT_EQ(cache_->Find("a", now_), nullptr);
  // It takes the place of the old one.
  folder_.Write("a", "new");
  found = cache_->tree().Lookup("a");
  EXPECT_EQ(Show(*cache_->Insert("a", found.file, now_)), "new");
  EXPECT_EQ(cache_->entries(), 1u);
  EXPECT_EQ(cache_->content_bytes(), 3u);
  EXPECT_EQ(Get("a"), "new");
}

TEST_F(FileCacheTest, ClearKeepsNothing) {
  folder_.Write("a", "a");
  folder_.Write("b", std::string(20'000, 'b'));
  Open();
  Get("a");
  Get("b");
  cache_->Clear();
  EXPECT_EQ(cache_->entries(), 0u);
  EXPECT_EQ(cache_->open_files(), 0u);
  EXPECT_EQ(cache_->content_bytes(), 0u);
  EXPECT_EQ(Get("a"), "a");
}

// Random files, changed and asked for; what is answered is at most max_age old.
TEST_F(FileCacheTest, IsNeverOlderThanMaxAgeAndWithinItsBounds) {
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const FileCacheOptions options = {.max_entries = 5,
                                    .max_open_files = 3,
                                    .max_content_file_bytes = 60,
                                    .max_content_bytes = 150,
                                    .max_age = milliseconds(100)};
  Open(options);
  // What each file was, with the time since when; empty is missing.
  struct State {
    FileCache::TimePoint since;
    std::string content;
  };
  std::vector<std::vector<State>> history(8, {{now_, ""}});
  for (int i = 0; i < 3000; ++i) {
    const std::size_t which = random() % history.size();
    const std::string name = std::to_string(which);
    std::vector<State>& states = history[which];
    switch (random() % 8) {
      case 0: {
        std::string content = std::to_string(i) + std::string(random() % 100, 'x');
        folder_.Replace(name, content, kTime + i);
        states.push_back({now_, std::move(content)});
        break;
      }
      case 1:
        folder_.Remove(name);
        states.push_back({now_, ""});
        break;
      case 2:
        Advance(static_cast<int>(random() % 60));
        break;
      default: {
        const FileLookup found = cache_->Get(name, now_);
        const std::string shown = found.file == nullptr ? "" : Show(*found.file);
        // From the present back to what has been replaced for longer than it may be believed.
        bool allowed = false;
        for (std::size_t at = states.size(); at-- > 0 && !allowed;) {
          allowed = states[at].content == shown;
          if (now_ - states[at].since > options.max_age) break;
        }
        ASSERT_TRUE(allowed) << name << " " << shown << " after " << i;
      }
    }
    ASSERT_LE(cache_->entries(), options.max_entries);
    ASSERT_LE(cache_->open_files(), options.max_open_files);
    ASSERT_LE(cache_->content_bytes(), options.max_content_bytes);
  }
}

}  // namespace
}  // namespace strata::http
