// The two ways to open below a folder, against each other and against renames.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/path_resolver_internal.h"
#include "strata/http/testing/folder.h"

namespace strata::http {
namespace {

using testing::TestFolder;

constexpr SymlinkPolicy kPolicies[] = {SymlinkPolicy::kNever, SymlinkPolicy::kBeneathRoot,
                                       SymlinkPolicy::kFollow};

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

class Root : public Descriptor {
 public:
  explicit Root(const std::string& path)
      : Descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
};

bool KernelHasOpenat2() {
  const Root root("/");
  return PathResolver(root.get(), SymlinkPolicy::kBeneathRoot, true).uses_openat2();
}

// What opening comes to: the inode that was found, or an error.
std::string Open(const PathResolver& resolver, const std::string& path, int flags) {
  const int file = resolver.Open(path, flags);
  if (file < 0) return "error " + std::to_string(-file);
  struct stat status;
  EXPECT_EQ(::fstat(file, &status), 0);
  ::close(file);
  return "inode " + std::to_string(status.st_ino);
}

TEST(PathResolverTest, UsesOpenat2IfAskedTo) {
  const Root root("/");
  EXPECT_FALSE(PathResolver(root.get(), SymlinkPolicy::kNever, false).uses_openat2());
  if (!KernelHasOpenat2()) GTEST_SKIP() << "the kernel has no openat2(2)";
}

TEST(PathResolverTest, TheEmptyPathIsTheRoot) {
  const TestFolder folder;
  folder.MakeFolder("a");
  const Root root(folder.Path("a"));
  struct stat status;
  ASSERT_EQ(::stat(folder.Path("a").c_str(), &status), 0);
  for (const SymlinkPolicy policy : kPolicies) {
    for (const bool use_openat2 : {true, false}) {
      const PathResolver resolver(root.get(), policy, use_openat2);
      EXPECT_EQ(Open(resolver, "", O_RDONLY | O_DIRECTORY),
                "inode " + std::to_string(status.st_ino));
    }
  }
}

// A tree of folders, files and links to anywhere, from few names, so that links meet.
void MakeRandomTree(const TestFolder& folder, std::mt19937_64& random) {
  constexpr std::string_view kNames[] = {"a", "b", "c"};
  const auto name = [&] { return std::string(kNames[random() % std::size(kNames)]); };
  const auto path = [&](std::size_t most) {
    std::string text = name();
    for (std::size_t n = random() % most; n > 0; --n) text += "/" + name();
    return text;
  };
  for (int i = 0; i < 12; ++i) folder.MakeFolder("root/" + path(3));
  // Nothing is made by way of the links that are there already.
  const Root root(folder.Path("root"));
  const PathResolver no_links(root.get(), SymlinkPolicy::kNever, false);
  for (int i = 0; i < 30; ++i) {
    const std::string parent = random() % 4 == 0 ? "" : path(3);
    const Descriptor place(no_links.Open(parent, O_PATH | O_DIRECTORY));
    if (place.get() < 0) continue;
    if (random() % 3 == 0) {
      const Descriptor file(
          ::openat(place.get(), name().c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
      continue;
    }
    std::string target;
    if (random() % 16 == 0) target = "/";
    for (std::size_t n = 1 + random() % 4; n > 0; --n) {
      target += random() % 2 ? ".." : random() % 8 == 0 ? "." : name();
      if (n > 1 || random() % 4 == 0) target += random() % 16 == 0 ? "//" : "/";
    }
    // Fails where there is something.
    (void)!::symlinkat(target.c_str(), place.get(), name().c_str());
  }
}

TEST(PathResolverTest, BothWaysFindTheSame) {
  if (!KernelHasOpenat2()) GTEST_SKIP() << "the kernel has no openat2(2)";
  const std::uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  int found = 0;
  int errors = 0;
  for (int i = 0; i < 30; ++i) {
    const TestFolder folder;
    folder.MakeFolder("root");
    folder.MakeFolder("a/b");  // What "../a/b" would lead to.
    MakeRandomTree(folder, random);
    const Root root(folder.Path("root"));
    for (const SymlinkPolicy policy : kPolicies) {
      const PathResolver by_kernel(root.get(), policy, true);
      const PathResolver by_walking(root.get(), policy, false);
      for (int j = 0; j < 300; ++j) {
        std::string path;
        for (std::size_t n = 1 + random() % 5; n > 0; --n) {
          path += (path.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + random() % 3));
        }
        constexpr int kFlags[] = {O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY};
        const int flags = kFlags[random() % std::size(kFlags)];
        const std::string expected = Open(by_kernel, path, flags);
        ASSERT_EQ(Open(by_walking, path, flags), expected)
            << path << " flags " << flags << " policy " << static_cast<int>(policy) << " in "
            << folder.Path("root");
        ++(expected.starts_with("inode") ? found : errors);
      }
    }
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(errors, 1000);
}

// Runs `disturb` over and over in another thread while `check` runs `count` times. Each disturbance
// leaves all as it was.
template <typename Disturb, typename Check>
void Race(int count, Disturb disturb, Check check) {
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done.load(std::memory_order_relaxed)) disturb();
  });
  for (int i = 0; i < count && !::testing::Test::HasFailure(); ++i) check();
  done = true;
  other.join();
}

std::string Read(int file) {
  std::string content(32, '\0');
  const ssize_t size = ::read(file, content.data(), content.size());
  content.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return content;
}

// Opens and reads a file, and answers whether that went well. Fails if what it reads is not from
// inside.
bool Look(const PathResolver& resolver, const std::string& path) {
  const int file = resolver.Open(path, O_RDONLY);
  if (file < 0) return false;
  EXPECT_EQ(Read(file), "inside") << path;
  ::close(file);
  return true;
}

class RaceTest : public ::testing::TestWithParam<std::tuple<SymlinkPolicy, bool>> {
 protected:
  static constexpr int kRounds = 3000;

  RaceTest() {
    folder_.MakeFolder("root");
    folder_.Write("outside/b/file", "outside");
    folder_.Write("outside/file", "outside");
    folder_.Write("file", "outside");
  }

  void SetUp() override {
    root_ = std::make_unique<Root>(folder_.Path("root"));
    resolver_ = std::make_unique<PathResolver>(root_->get(), std::get<0>(GetParam()),
                                               std::get<1>(GetParam()));
  }

  void Exchange(const std::string& a, const std::string& b) const {
    ASSERT_EQ(::renameat2(AT_FDCWD, folder_.Path(a).c_str(), AT_FDCWD, folder_.Path(b).c_str(),
                          RENAME_EXCHANGE),
              0);
  }

  TestFolder folder_;
  std::unique_ptr<Root> root_;
  std::unique_ptr<PathResolver> resolver_;
};

INSTANTIATE_TEST_SUITE_P(Resolvers, RaceTest,
                         ::testing::Combine(::testing::Values(SymlinkPolicy::kNever,
                                                              SymlinkPolicy::kBeneathRoot),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param) == SymlinkPolicy::kNever
                                                  ? "Never"
                                                  : "BeneathRoot") +
                                  (std::get<1>(info.param) ? "Openat2" : "Walk");
                         });

TEST_P(RaceTest, AFolderThatBecomesALinkLeadsNowhereElse) {
  folder_.Write("root/a/b/file", "inside");
  folder_.Link("root/link", "../outside");
  folder_.Link("root/absolute", folder_.Path("outside"));
  Race(
      kRounds,
      [&] {
        Exchange("root/a", "root/link");
        Exchange("root/a", "root/link");
        Exchange("root/a", "root/absolute");
        Exchange("root/a", "root/absolute");
      },
      [&] { Look(*resolver_, "a/b/file"); });
  EXPECT_TRUE(Look(*resolver_, "a/b/file"));
}

TEST_P(RaceTest, AFileThatBecomesALinkLeadsNowhereElse) {
  folder_.Write("root/a/file", "inside");
  folder_.Link("root/a/link", "../../file");
  Race(
      kRounds,
      [&] {
        Exchange("root/a/file", "root/a/link");
        Exchange("root/a/file", "root/a/link");
      },
      [&] { Look(*resolver_, "a/file"); });
  EXPECT_TRUE(Look(*resolver_, "a/file"));
}

// A link goes up from where it stood; where that is moved to does not matter.
TEST_P(RaceTest, ALinkThatIsMovedGoesUpFromWhereItStood) {
  folder_.Write("root/file", "inside");
  folder_.Link("root/a/b/link", "../../file");
  folder_.MakeFolder("outside/c");
  Race(
      kRounds,
      [&] {
        folder_.Rename("root/a/b", "outside/c/b");
        folder_.Rename("outside/c/b", "root/a/b");
      },
      [&] { Look(*resolver_, "a/b/link"); });
  EXPECT_EQ(Look(*resolver_, "a/b/link"), std::get<0>(GetParam()) == SymlinkPolicy::kBeneathRoot);
}

TEST_P(RaceTest, AMovedFolderIsNoWayUp) {
  folder_.Write("root/file", "inside");
  folder_.Link("root/link", "a/b/c/../../../file");
  folder_.MakeFolder("root/a/b/c");
  Race(
      kRounds,
      [&] {
        // From here "../../../file" is the one outside.
        folder_.Rename("root/a/b", "outside/moved");
        folder_.Rename("outside/moved", "root/a/b");
      },
      [&] { Look(*resolver_, "link"); });
  EXPECT_EQ(Look(*resolver_, "link"), std::get<0>(GetParam()) == SymlinkPolicy::kBeneathRoot);
}

}  // namespace
}  // namespace strata::http
