// Files below a folder. Each test runs twice: by openat2(2), and by walking name by name.

#include "strata/http/file_tree.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/testing/folder.h"

namespace strata::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using testing::TestFolder;
using testing::WithoutPrivileges;

constexpr std::int64_t kOld = 1'000'000'000;

std::string ContentOf(const FileVariant& variant) {
  if (variant.content != nullptr) return *variant.content;
  std::string content(variant.size_bytes(), '\0');
  const absl::StatusOr<std::size_t> size = variant.file->ReadAt(0, content);
  EXPECT_TRUE(size.ok() && *size == content.size());
  return content;
}

std::string NameOf(FileOutcome outcome) {
  switch (outcome) {
    case FileOutcome::kFile:
      return "file";
    case FileOutcome::kFolder:
      return "folder";
    case FileOutcome::kAddSlash:
      return "add slash";
    case FileOutcome::kNotFound:
      return "not found";
    case FileOutcome::kBadPath:
      return "bad path";
    case FileOutcome::kForbidden:
      return "forbidden";
    case FileOutcome::kTooManyFiles:
      return "too many files";
    case FileOutcome::kFailed:
      return "failed";
  }
  return "?";
}

// A root in a folder that has more.
class FileTreeTest : public ::testing::TestWithParam<bool> {
 protected:
  FileTreeTest() {
    folder_.MakeFolder("root");
    folder_.Write("secret.txt", "secret");
  }

  std::shared_ptr<const FileTree> Open(FileTreeOptions options = {}) const {
    options.use_openat2 = GetParam();
    absl::StatusOr<std::shared_ptr<const FileTree>> tree =
        FileTree::Open(folder_.Path("root"), std::move(options));
    EXPECT_TRUE(tree.ok()) << tree.status();
    return *std::move(tree);
  }

  std::shared_ptr<const FileTree> OpenWith(SymlinkPolicy policy) const {
    FileTreeOptions options;
    options.symlinks = policy;
    return Open(options);
  }

  // What a path leads to: the content of a file, or what it is instead, in brackets.
  static std::string Show(const FileTree& tree, std::string_view path) {
    const FileLookup found = tree.Lookup(path);
    EXPECT_EQ(found.file != nullptr, found.outcome == FileOutcome::kFile);
    if (found.file == nullptr) return "[" + NameOf(found.outcome) + "]";
    return ContentOf(found.file->variants.front());
  }

  // Under the three policies: kNever, kBeneathRoot, kFollow.
  std::vector<std::string> ShowAll(std::string_view path) const {
    return {Show(*OpenWith(SymlinkPolicy::kNever), path),
            Show(*OpenWith(SymlinkPolicy::kBeneathRoot), path),
            Show(*OpenWith(SymlinkPolicy::kFollow), path)};
  }

  const FileVariant& Variant(const FileTree& tree, std::string_view path) {
    lookups_.push_back(tree.Lookup(path));
    EXPECT_EQ(lookups_.back().outcome, FileOutcome::kFile) << path;
    return lookups_.back().file->variants.front();
  }

  TestFolder folder_;
  std::vector<FileLookup> lookups_;  // So that what Variant() answers lives.
};

INSTANTIATE_TEST_SUITE_P(Resolvers, FileTreeTest, ::testing::Values(true, false),
                         [](const ::testing::TestParamInfo<bool>& info) {
                           return info.param ? "Openat2" : "Walk";
                         });

using Strings = std::vector<std::string>;

TEST_P(FileTreeTest, FindsFilesByPath) {
  folder_.Write("root/a.txt", "a");
  folder_.Write("root/b/c/d.txt", "d");
  folder_.Write("root/empty", "");
  const auto tree = Open();
  EXPECT_EQ(Show(*tree, "/a.txt"), "a");
  EXPECT_EQ(Show(*tree, "a.txt"), "a");
  EXPECT_EQ(Show(*tree, "/b/c/d.txt"), "d");
  EXPECT_EQ(Show(*tree, "/empty"), "");
  EXPECT_EQ(tree->Lookup("/b/c/d.txt").file->path, "b/c/d.txt");
  EXPECT_EQ(Variant(*tree, "/a.txt").size_bytes(), 1u);
  EXPECT_EQ(Variant(*tree, "/a.txt").file->size(), 1u);
}

TEST_P(FileTreeTest, WhatIsNotThereIsNotFound) {
  folder_.Write("root/a.txt", "a");
  const auto tree = Open();
  EXPECT_EQ(Show(*tree, "/b.txt"), "[not found]");
  EXPECT_EQ(Show(*tree, "/A.TXT"), "[not found]");
  EXPECT_EQ(Show(*tree, "/a.txt/"), "[not found]");
  EXPECT_EQ(Show(*tree, "/a.txt/b"), "[not found]");
  EXPECT_EQ(Show(*tree, "/b/"), "[not found]");
  EXPECT_EQ(Show(*tree, "/b/c/d"), "[not found]");
  EXPECT_EQ(Show(*tree, "/" + std::string(256, 'a')), "[not found]");
  EXPECT_EQ(Show(*tree, "/" + std::string(5000, 'a')), "[not found]");
  EXPECT_EQ(Show(*tree, std::string(4095, '/')), "[not found]");
}

TEST_P(FileTreeTest, NamesMayBeAnyBytes) {
  for (const std::string& name :
       {std::string("a b"), std::string("\n\x01\x7f"), std::string("\xff\xfe"),
        std::string("%2e%2e"), std::string("a?b"), std::string("~"), std::string("-"),
        std::string(255, 'n')}) {
    folder_.Write("root/" + name, "is there");
    EXPECT_EQ(Show(*Open(), "/" + name), "is there") << name;
  }
}

TEST_P(FileTreeTest, DeepPathsAreFound) {
  std::string path;
  for (int i = 0; i < 300; ++i) path += "d/";
  folder_.Write("root/" + path + "f", "deep");
  EXPECT_EQ(Show(*Open(), path + "f"), "deep");
  EXPECT_EQ(Show(*Open(), path), "[folder]");
}

TEST_P(FileTreeTest, AFolderWantsASlash) {
  folder_.MakeFolder("root/a/b");
  const auto tree = Open();
  EXPECT_EQ(Show(*tree, "/a"), "[add slash]");
  EXPECT_EQ(Show(*tree, "/a/"), "[folder]");
  EXPECT_EQ(Show(*tree, "/a/b"), "[add slash]");
  EXPECT_EQ(Show(*tree, "/"), "[folder]");
  EXPECT_EQ(Show(*tree, ""), "[folder]");
}

TEST_P(FileTreeTest, AnIndexStandsForItsFolder) {
  folder_.Write("root/index.html", "root");
  folder_.Write("root/a/index.html", "a");
  folder_.MakeFolder("root/b/index.html");
  folder_.Write("root/c/start.htm", "start");
  const auto tree = Open();
  EXPECT_EQ(Show(*tree, "/"), "root");
  EXPECT_EQ(Show(*tree, "/a/"), "a");
  EXPECT_EQ(tree->Lookup("/").file->path, "index.html");
  EXPECT_EQ(tree->Lookup("/a/").file->path, "a/index.html");
  EXPECT_EQ(Show(*tree, "/a"), "[add slash]");
  EXPECT_EQ(Show(*tree, "/b/"), "[folder]");
  EXPECT_EQ(Show(*tree, "/c/"), "[folder]");
  FileTreeOptions options;
  options.index = "start.htm";
  EXPECT_EQ(Show(*Open(options), "/c/"), "start");
  options.index = "";
  EXPECT_EQ(Show(*Open(options), "/a/"), "[folder]");
}

TEST_P(FileTreeTest, NoPathLeadsOut) {
  folder_.Write("root/a/b.txt", "b");
  folder_.Write("root/index.html", "index");
  for (const SymlinkPolicy policy :
       {SymlinkPolicy::kNever, SymlinkPolicy::kBeneathRoot, SymlinkPolicy::kFollow}) {
    FileTreeOptions options;
    options.symlinks = policy;
    options.dot_names = DotNames::kAll;
    options.merge_slashes = true;
    const auto tree = Open(options);
    for (const char* const path :
         {"../secret.txt", "/../secret.txt", "/a/../../secret.txt", "/..", "/../", "/a/..", "/.",
          "/a/./b.txt", "//../secret.txt", "/a//../../secret.txt", "..\\secret.txt",
          "\\..\\secret.txt", "/a\\..\\..\\secret.txt"}) {
      EXPECT_EQ(Show(*tree, path), "[bad path]") << path;
    }
    EXPECT_EQ(Show(*tree, std::string_view("/a/b.txt\0.html", 14)), "[bad path]");
    EXPECT_EQ(Show(*tree, folder_.Path("secret.txt")), "[not found]");
    EXPECT_EQ(Show(*tree, "/" + folder_.Path("secret.txt")), "[not found]");
    EXPECT_EQ(Show(*tree, "//etc/passwd"), "[not found]");
    EXPECT_EQ(Show(*tree, "/%2e%2e/secret.txt"), "[not found]");
    EXPECT_EQ(Show(*tree, "/..%2fsecret.txt"), "[not found]");
    EXPECT_EQ(Show(*tree, "/.../secret.txt"), "[not found]");
  }
}

TEST_P(FileTreeTest, DotNamesAreServedByOption) {
  folder_.Write("root/.env", "env");
  folder_.Write("root/a/.git/config", "config");
  folder_.Write("root/.well-known/x", "x");
  const std::vector<std::pair<DotNames, Strings>> cases = {
      {DotNames::kNone, {"[not found]", "[not found]", "[not found]"}},
      {DotNames::kWellKnown, {"[not found]", "[not found]", "x"}},
      {DotNames::kAll, {"env", "config", "x"}}};
  for (const auto& [dot_names, shown] : cases) {
    FileTreeOptions options;
    options.dot_names = dot_names;
    const auto tree = Open(options);
    EXPECT_EQ(Show(*tree, "/.env"), shown[0]);
    EXPECT_EQ(Show(*tree, "/a/.git/config"), shown[1]);
    EXPECT_EQ(Show(*tree, "/.well-known/x"), shown[2]);
  }
}

TEST_P(FileTreeTest, SlashesAreMergedByOption) {
  folder_.Write("root/a/b", "b");
  EXPECT_EQ(Show(*Open(), "/a//b"), "[not found]");
  FileTreeOptions options;
  options.merge_slashes = true;
  EXPECT_EQ(Show(*Open(options), "//a///b"), "b");
  EXPECT_EQ(Show(*Open(options), "/a//b/"), "[not found]");
}

TEST_P(FileTreeTest, LinksWithinTheRootAreFollowedButByKNever) {
  folder_.Write("root/a/b.txt", "b");
  folder_.Link("root/file", "a/b.txt");
  folder_.Link("root/folder", "a");
  folder_.Link("root/slash", "a/");
  folder_.Link("root/a/up", "../a/b.txt");
  folder_.Link("root/a/over", "../a/../a/./b.txt");
  folder_.Link("root/chain", "file");
  folder_.Link("root/dot", ".");
  folder_.Link("root/a/root", "..");
  for (const char* const path :
       {"/file", "/folder/b.txt", "/slash/b.txt", "/a/up", "/a/over", "/chain", "/dot/a/b.txt",
        "/a/root/a/b.txt", "/folder/root/dot/folder/up", "/dot/dot/dot/file"}) {
    EXPECT_EQ(ShowAll(path), (Strings{"[forbidden]", "b", "b"})) << path;
  }
  EXPECT_EQ(ShowAll("/folder"), (Strings{"[forbidden]", "[add slash]", "[add slash]"}));
  EXPECT_EQ(ShowAll("/folder/"), (Strings{"[forbidden]", "[folder]", "[folder]"}));
  EXPECT_EQ(ShowAll("/slash"), (Strings{"[forbidden]", "[add slash]", "[add slash]"}));
  EXPECT_EQ(ShowAll("/a/root/"), (Strings{"[forbidden]", "[folder]", "[folder]"}));
  EXPECT_EQ(ShowAll("/file/"), (Strings{"[forbidden]", "[not found]", "[not found]"}));
}

TEST_P(FileTreeTest, LinksOutOfTheRootAreFollowedByKFollowAlone) {
  folder_.Write("outside/x.txt", "x");
  folder_.Write("root/a/in.txt", "in");
  folder_.Link("root/absolute", folder_.Path("secret.txt"));
  folder_.Link("root/relative", "../secret.txt");
  folder_.Link("root/a/deep", "../../secret.txt");
  folder_.Link("root/folder", "../outside");
  folder_.Link("root/absolute_folder", folder_.Path("outside"));
  folder_.Link("root/chain", "a/deep");
  for (const char* const path : {"/absolute", "/relative", "/a/deep", "/chain"}) {
    EXPECT_EQ(ShowAll(path), (Strings{"[forbidden]", "[forbidden]", "secret"})) << path;
  }
  EXPECT_EQ(ShowAll("/folder/x.txt"), (Strings{"[forbidden]", "[forbidden]", "x"}));
  EXPECT_EQ(ShowAll("/absolute_folder/x.txt"), (Strings{"[forbidden]", "[forbidden]", "x"}));
  EXPECT_EQ(ShowAll("/folder"), (Strings{"[forbidden]", "[forbidden]", "[add slash]"}));
  EXPECT_EQ(ShowAll("/folder/"), (Strings{"[forbidden]", "[forbidden]", "[folder]"}));
  // Also if it comes back, and if it is absolute and would stay.
  folder_.Link("root/and_back", "../root/a/in.txt");
  folder_.Link("root/absolute_inside", folder_.Path("root/a/in.txt"));
  EXPECT_EQ(ShowAll("/and_back"), (Strings{"[forbidden]", "[forbidden]", "in"}));
  EXPECT_EQ(ShowAll("/absolute_inside"), (Strings{"[forbidden]", "[forbidden]", "in"}));
}

TEST_P(FileTreeTest, LinksThatLeadNowhere) {
  folder_.Link("root/dangling", "nothing");
  folder_.Link("root/self", "self");
  folder_.Link("root/ping", "pong");
  folder_.Link("root/pong", "ping");
  folder_.Write("root/file", "f");
  folder_.Link("root/not_folder", "file/");
  folder_.Link("root/through_file", "file/../file");
  folder_.Link("root/through_nothing", "nothing/../file");
  EXPECT_EQ(ShowAll("/dangling"), (Strings{"[forbidden]", "[not found]", "[not found]"}));
  EXPECT_EQ(ShowAll("/self"), (Strings{"[forbidden]", "[forbidden]", "[forbidden]"}));
  EXPECT_EQ(ShowAll("/ping"), (Strings{"[forbidden]", "[forbidden]", "[forbidden]"}));
  EXPECT_EQ(ShowAll("/not_folder"), (Strings{"[forbidden]", "[not found]", "[not found]"}));
  EXPECT_EQ(ShowAll("/through_file"), (Strings{"[forbidden]", "[not found]", "[not found]"}));
  EXPECT_EQ(ShowAll("/through_nothing"), (Strings{"[forbidden]", "[not found]", "[not found]"}));
}

TEST_P(FileTreeTest, LinksAreCounted) {
  folder_.Write("root/0", "end");
  for (int i = 1; i <= 41; ++i) folder_.Link("root/" + std::to_string(i), std::to_string(i - 1));
  EXPECT_EQ(Show(*Open(), "/40"), "end");
  EXPECT_EQ(Show(*Open(), "/41"), "[forbidden]");
}

// Each link doubles the way: 2^20 names, if nobody counts.
TEST_P(FileTreeTest, LinksThatMultiplyEnd) {
  folder_.MakeFolder("root/d");
  folder_.Link("root/x0", "d/../d/../d");
  for (int i = 1; i < 20; ++i) {
    const std::string before = "x" + std::to_string(i - 1);
    folder_.Link("root/x" + std::to_string(i), before + "/../" + before);
  }
  EXPECT_EQ(Show(*Open(), "/x2/"), "[folder]");
  EXPECT_EQ(Show(*Open(), "/x19/"), "[forbidden]");
}

// /proc has links that lead to where no path leads.
TEST_P(FileTreeTest, MagicLinksAreNotFollowed) {
  for (const SymlinkPolicy policy : {SymlinkPolicy::kNever, SymlinkPolicy::kBeneathRoot}) {
    FileTreeOptions options;
    options.symlinks = policy;
    options.use_openat2 = GetParam();
    const auto tree = FileTree::Open("/proc/self", options);
    ASSERT_TRUE(tree.ok());
    EXPECT_EQ((*tree)->Lookup("/stat").outcome, FileOutcome::kFile);
    for (const char* const path : {"root/etc/passwd", "/cwd/", "/exe"}) {
      EXPECT_EQ(Show(**tree, path), "[forbidden]") << path;
    }
  }
  folder_.Link("root/proc", "/proc/self/root/etc/passwd");
  EXPECT_EQ(Show(*OpenWith(SymlinkPolicy::kBeneathRoot), "/proc"), "[forbidden]");
  if (GetParam()) {
    EXPECT_EQ(Show(*OpenWith(SymlinkPolicy::kFollow), "/proc"), "[forbidden]");
  }
}

TEST_P(FileTreeTest, OnlyRegularFilesAreFiles) {
  ASSERT_EQ(::mkfifo(folder_.Path("root/fifo").c_str(), 0644), 0);
  // A socket's path must be short, and a sandbox's are long.
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int root = ::open(folder_.Path("root").c_str(), O_PATH | O_CLOEXEC);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(root) + "/socket";
  std::copy(path.begin(), path.end(), address.sun_path);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const auto tree = Open();
  EXPECT_EQ(Show(*tree, "/fifo"), "[forbidden]");
  EXPECT_EQ(Show(*tree, "/socket"), "[forbidden]");
  EXPECT_EQ(Show(*tree, "/fifo/"), "[not found]");
  ::close(socket);
  ::close(root);

  FileTreeOptions options;
  options.use_openat2 = GetParam();
  const auto devices = FileTree::Open("/dev", options);
  ASSERT_TRUE(devices.ok());
  EXPECT_EQ(Show(**devices, "/null"), "[forbidden]");
  EXPECT_EQ(Show(**devices, "/zero"), "[forbidden]");
}

TEST_P(FileTreeTest, PermissionsHold) {
  folder_.Write("root/closed.txt", "x");
  folder_.Write("root/open/index.html", "index");
  folder_.Write("root/shut/index.html", "index");
  ::chmod(folder_.Path("root/closed.txt").c_str(), 0);
  ::chmod(folder_.Path("root/open").c_str(), 0111);  // To be entered, not read.
  ::chmod(folder_.Path("root/shut").c_str(), 0);
  {
    const auto tree = Open();
    const WithoutPrivileges nobody;
    EXPECT_EQ(Show(*tree, "/closed.txt"), "[forbidden]");
    EXPECT_EQ(Show(*tree, "/closed.txt/"), "[not found]");
    EXPECT_EQ(Show(*tree, "/open"), "[add slash]");
    EXPECT_EQ(Show(*tree, "/open/"), "index");
    EXPECT_EQ(NameOf(tree->List("/open/").outcome), "forbidden");
    EXPECT_EQ(Show(*tree, "/shut"), "[add slash]");
    EXPECT_EQ(Show(*tree, "/shut/"), "[forbidden]");
    EXPECT_EQ(Show(*tree, "/shut/x"), "[forbidden]");
    EXPECT_EQ(NameOf(tree->List("/shut/").outcome), "forbidden");
  }
  ::chmod(folder_.Path("root/shut").c_str(), 0755);
  ::chmod(folder_.Path("root/open").c_str(), 0755);
}

TEST_P(FileTreeTest, SaysThatNoDescriptorIsLeft) {
  folder_.Write("root/a/b.txt", "b");
  const auto tree = Open();
  rlimit limit;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string file = Show(*tree, "/a/b.txt");
  const std::string folder = Show(*tree, "/a/");
  const std::string list = NameOf(tree->List("/a/").outcome);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(file, "[too many files]");
  EXPECT_EQ(folder, "[too many files]");
  EXPECT_EQ(list, "too many files");
  EXPECT_EQ(Show(*tree, "/a/b.txt"), "b");
}

TEST_P(FileTreeTest, NoDescriptorIsLeaked) {
  folder_.Write("root/a/b.txt", "b");
  folder_.Write("root/a/b.txt.gz", "b");
  folder_.Write("root/old.txt", "b", kOld + 1);
  folder_.Write("root/old.txt.gz", "b", kOld);
  folder_.Link("root/in", "a/b.txt");
  folder_.Link("root/a/over", "../a/b.txt");
  folder_.Link("root/out", "../secret.txt");
  ASSERT_EQ(::mkfifo(folder_.Path("root/fifo").c_str(), 0644), 0);
  FileTreeOptions options;
  options.precompressed = {FileCoding::kGzip};
  const auto next_descriptor = [] {
    const int next = ::dup(0);
    ::close(next);
    return next;
  };
  const int before = next_descriptor();
  {
    const auto tree = Open(options);
    for (const char* const path : {"/a/b.txt", "/old.txt", "/in", "/a/over", "/out", "/fifo", "/a",
                                   "/a/", "/nothing", "/a/b.txt/", "/..", "/in/x"}) {
      tree->Lookup(path);
      tree->List(path);
      EXPECT_EQ(next_descriptor(), before + 1) << path;  // The root.
    }
  }
  EXPECT_EQ(next_descriptor(), before);
}

TEST_P(FileTreeTest, TheRootIsTheFolderThatWasOpened) {
  folder_.Write("root/a.txt", "old");
  const auto tree = Open();
  folder_.Rename("root", "moved");
  folder_.Write("root/a.txt", "new");
  EXPECT_EQ(Show(*tree, "/a.txt"), "old");
  EXPECT_EQ(Show(*Open(), "/a.txt"), "new");
}

TEST_P(FileTreeTest, OpensFoldersAlone) {
  folder_.Write("root/a.txt", "a");
  const auto code = [this](const std::string& path, const FileTreeOptions& options = {}) {
    return FileTree::Open(folder_.Path(path), options).status().code();
  };
  EXPECT_EQ(code("root"), absl::StatusCode::kOk);
  EXPECT_EQ(code("nothing"), absl::StatusCode::kNotFound);
  EXPECT_EQ(code("root/a.txt"), absl::StatusCode::kFailedPrecondition);
  FileTreeOptions options;
  for (const char* const index : {"a/b", "..", ".", "/a", "a/", "/", "a\\b"}) {
    options.index = index;
    EXPECT_EQ(code("root", options), absl::StatusCode::kInvalidArgument) << index;
  }
  options.index = std::string("a\0b", 3);
  EXPECT_EQ(code("root", options), absl::StatusCode::kInvalidArgument);
  options.index = ".index";
  EXPECT_EQ(code("root", options), absl::StatusCode::kOk);
}

// The names of a listing, folders with a slash, "..." if there are more.
std::string Names(const FolderLookup& found) {
  if (found.outcome != FileOutcome::kFolder) return "[" + NameOf(found.outcome) + "]";
  std::string names;
  for (const FolderEntry& entry : found.listing.entries) {
    names += (names.empty() ? "" : " ") + entry.name + (entry.folder ? "/" : "");
  }
  return names + (found.listing.truncated ? " ..." : "");
}

TEST_P(FileTreeTest, ListsWhatAFolderHolds) {
  folder_.Write("root/b.txt", "12345", 784111777);
  folder_.Write("root/a.txt", "");
  folder_.MakeFolder("root/z/y");
  const auto tree = Open();
  const FolderLookup found = tree->List("/");
  EXPECT_EQ(Names(found), "z/ a.txt b.txt");
  EXPECT_EQ(found.listing.entries[2].size_bytes, 5u);
  EXPECT_EQ(found.listing.entries[2].modified, sys_seconds(seconds(784111777)));
  EXPECT_EQ(found.listing.entries[0].size_bytes, 0u);
  EXPECT_EQ(Names(tree->List("")), "z/ a.txt b.txt");
  EXPECT_EQ(Names(tree->List("/z/")), "y/");
  EXPECT_EQ(Names(tree->List("/z")), "y/");
  EXPECT_EQ(Names(tree->List("/z/y/")), "");
  EXPECT_EQ(Names(tree->List("/a.txt")), "[not found]");
  EXPECT_EQ(Names(tree->List("/nothing/")), "[not found]");
  EXPECT_EQ(Names(tree->List("/../")), "[bad path]");
}

TEST_P(FileTreeTest, ListsNothingThatIsNotServed) {
  folder_.Write("root/a", "a");
  folder_.Write("root/back\\slash", "x");
  folder_.Write("root/.hidden", "x");
  folder_.Write("root/.well-known/x", "x");
  folder_.Write("root/a.d/.well-known/x", "x");
  ASSERT_EQ(::mkfifo(folder_.Path("root/fifo").c_str(), 0644), 0);
  folder_.Link("root/in", "a");
  folder_.Link("root/in_folder", "a.d");
  folder_.Link("root/out", "../secret.txt");
  folder_.Link("root/dangling", "nothing");
  folder_.Link("root/to_fifo", "fifo");
  EXPECT_EQ(Names(Open()->List("/")), ".well-known/ a.d/ in_folder/ a in");
  EXPECT_EQ(Names(Open()->List("/a.d/")), "");
  EXPECT_EQ(Names(Open()->List("/in_folder/")), "");
  EXPECT_EQ(Names(OpenWith(SymlinkPolicy::kNever)->List("/")), ".well-known/ a.d/ a");
  EXPECT_EQ(Names(OpenWith(SymlinkPolicy::kNever)->List("/in_folder/")), "[forbidden]");
  EXPECT_EQ(Names(OpenWith(SymlinkPolicy::kFollow)->List("/")),
            ".well-known/ a.d/ in_folder/ a in out");
  FileTreeOptions options;
  options.dot_names = DotNames::kAll;
  EXPECT_EQ(Names(Open(options)->List("/")), ".well-known/ a.d/ in_folder/ .hidden a in");
  options.dot_names = DotNames::kNone;
  EXPECT_EQ(Names(Open(options)->List("/")), "a.d/ in_folder/ a in");
}

TEST_P(FileTreeTest, WhatIsListedIsFound) {
  for (const std::string& name : {std::string("a"), std::string("\xff\n"), std::string("b c"),
                                  std::string("d/e"), std::string("%"), std::string(255, 'n')}) {
    folder_.Write("root/x/" + name, "is there");
  }
  folder_.Link("root/x/link", "d");
  for (const SymlinkPolicy policy :
       {SymlinkPolicy::kNever, SymlinkPolicy::kBeneathRoot, SymlinkPolicy::kFollow}) {
    const auto tree = OpenWith(policy);
    const FolderLookup found = tree->List("/x/");
    EXPECT_EQ(found.listing.entries.size(), policy == SymlinkPolicy::kNever ? 6u : 7u);
    for (const FolderEntry& entry : found.listing.entries) {
      EXPECT_EQ(Show(*tree, "/x/" + entry.name + (entry.folder ? "/" : "")),
                entry.folder ? "[folder]" : "is there");
    }
  }
}

TEST_P(FileTreeTest, AListIsBounded) {
  constexpr int kFiles = 1000;
  for (int i = 0; i < kFiles; ++i) folder_.Write("root/" + std::to_string(i), "");
  FolderLookup found = Open()->List("/");
  EXPECT_EQ(found.listing.entries.size(), std::size_t{kFiles});
  EXPECT_FALSE(found.listing.truncated);
  FileTreeOptions options;
  options.max_listed = 100;
  found = Open(options)->List("/");
  EXPECT_EQ(found.listing.entries.size(), 100u);
  EXPECT_TRUE(found.listing.truncated);
  options.max_listed = kFiles;
  found = Open(options)->List("/");
  EXPECT_EQ(found.listing.entries.size(), std::size_t{kFiles});
  EXPECT_FALSE(found.listing.truncated);
  options.max_listed = 0;
  EXPECT_EQ(Names(Open(options)->List("/")), " ...");
}

TEST_P(FileTreeTest, AListDoesNotLookAtAnyNumberOfHiddenNames) {
  for (int i = 0; i < 200; ++i) folder_.Write("root/.hidden" + std::to_string(i), "");
  FileTreeOptions options;
  options.max_listed = 10;
  EXPECT_EQ(Names(Open(options)->List("/")), " ...");
  options.max_listed = 20;
  EXPECT_EQ(Names(Open(options)->List("/")), "");
}

}  // namespace
}  // namespace strata::http
