// Sealed files on a file system: what stands at a path is the old file or the new one, whatever
// fails, and nothing else is left behind.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "strata/crypto/output_file_internal.h"
#include "strata/crypto/sealed_file.h"

namespace strata::crypto {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = 1 << 20;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void Write(const std::string& path, std::string_view contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

mode_t ModeOf(const std::string& path) {
  struct stat of;
  return stat(path.c_str(), &of) == 0 ? of.st_mode & 07777 : 0;
}

class SealedFileTransferTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/transfer.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern + "/";
    Write(Path("text"), text_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(std::string_view name) const { return folder_ + std::string(name); }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // That nothing is in the folder but the text, and "old" as it was.
  void ExpectOldFileAlone() const {
    EXPECT_EQ(Names(), (std::vector<std::string>{"old", "text"}));
    EXPECT_EQ(Contents(Path("old")), "old");
  }

  const std::string text_ = std::string(300'000, 't') + "end";
  const SealedFileKey key_ = SealedFileKey::FromKey(std::vector<std::uint8_t>(32, 7));
  std::string folder_;
};

TEST_F(SealedFileTransferTest, SealsAndOpens) {
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), key_), absl::OkStatus());
  EXPECT_EQ(Contents(Path("sealed")).find(std::string(16, 't')), std::string::npos);
  EXPECT_EQ(OpenFile(Path("sealed"), Path("opened"), key_), absl::OkStatus());
  EXPECT_EQ(Contents(Path("opened")), text_);
  EXPECT_EQ(Names(), (std::vector<std::string>{"opened", "sealed", "text"}));
}

TEST_F(SealedFileTransferTest, SealsWithAPassword) {
  const SealedFileKey password = SealedFileKey::FromPassword("correct horse");
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), password, {}, {.cost = {14, 8, 1}}),
            absl::OkStatus());
  EXPECT_EQ(OpenFile(Path("sealed"), Path("opened"), password), absl::OkStatus());
  EXPECT_EQ(Contents(Path("opened")), text_);
}

TEST_F(SealedFileTransferTest, TakesThePermissionsOfItsInput) {
  chmod(Path("text").c_str(), 0754);
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), key_), absl::OkStatus());
  EXPECT_EQ(ModeOf(Path("sealed")), 0644u);
  // That many may read the sealed file says nothing about the text.
  EXPECT_EQ(OpenFile(Path("sealed"), Path("opened"), key_), absl::OkStatus());
  EXPECT_EQ(ModeOf(Path("opened")), 0600u);
}

TEST_F(SealedFileTransferTest, ReplacesOnlyWhatItIsToldTo) {
  Write(Path("old"), "old");
  EXPECT_EQ(SealFile(Path("text"), Path("old"), key_).code(), absl::StatusCode::kAlreadyExists);
  ExpectOldFileAlone();
  EXPECT_EQ(SealFile(Path("text"), Path("old"), key_, {.replace = true}), absl::OkStatus());
  EXPECT_EQ(OpenFile(Path("old"), Path("old"), key_, {.replace = true}), absl::OkStatus());
  EXPECT_EQ(Contents(Path("old")), text_);
  EXPECT_EQ(Names(), (std::vector<std::string>{"old", "text"}));
}

TEST_F(SealedFileTransferTest, KeepsTheOldFileIfTheInputIsDamaged) {
  Write(Path("old"), "old");
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), key_), absl::OkStatus());
  std::string sealed = Contents(Path("sealed"));
  fs::remove(Path("sealed"));
  Write(Path("text"), sealed.substr(0, sealed.size() - 1));
  EXPECT_EQ(OpenFile(Path("text"), Path("old"), key_, {.replace = true}).code(),
            absl::StatusCode::kUnauthenticated);
  ExpectOldFileAlone();
}

TEST_F(SealedFileTransferTest, KeepsTheOldFileIfItCannotRead) {
  Write(Path("old"), "old");
  const absl::Status none = SealFile(Path("none"), Path("old"), key_, {.replace = true});
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(none.message().find(Path("none")), std::string::npos) << none;
  EXPECT_FALSE(SealFile(folder_, Path("old"), key_, {.replace = true}).ok());
  EXPECT_FALSE(SealFile(-1, Path("old"), key_, {.replace = true}).ok());
  ExpectOldFileAlone();
}

TEST_F(SealedFileTransferTest, KeepsTheOldFileIfItCannotWrite) {
  Write(Path("old"), "old");
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const struct rlimit small = {.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  const sighandler_t handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = SealFile(Path("text"), Path("old"), key_, {.replace = true});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("cannot write to " + Path("old")), std::string::npos) << status;
  ExpectOldFileAlone();
}

TEST_F(SealedFileTransferTest, FailsOnAFullDevice) {
  const OwnedDescriptor full(open("/dev/full", O_WRONLY));
  const absl::Status status = SealFile(Path("text"), full.get(), key_);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(SealedFileTransferTest, WritesNoPathButOfARegularFile) {
  fs::create_directory(Path("folder"));
  fs::create_symlink("text", Path("link"));
  mkfifo(Path("pipe").c_str(), 0600);
  const FileTransferOptions replace = {.replace = true};
  for (const std::string& to :
       {Path("folder"), Path("link"), Path("pipe"), folder_, std::string()}) {
    EXPECT_FALSE(SealFile(Path("text"), to, key_, replace).ok()) << to;
  }
  EXPECT_EQ(SealFile(Path("text"), Path("none/new"), key_).code(), absl::StatusCode::kNotFound);
  // A folder in which nobody may make a file.
  EXPECT_FALSE(SealFile(Path("text"), "/proc/self/new", key_).ok());
  EXPECT_EQ(Names(), (std::vector<std::string>{"folder", "link", "pipe", "text"}));
  EXPECT_EQ(Contents(Path("text")), text_);
}

TEST_F(SealedFileTransferTest, FailsInAFolderThatMayNotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root may";
  Write(Path("old"), "old");
  chmod(folder_.c_str(), 0500);
  EXPECT_EQ(SealFile(Path("text"), Path("old"), key_, {.replace = true}).code(),
            absl::StatusCode::kPermissionDenied);
  chmod(folder_.c_str(), 0700);
  ExpectOldFileAlone();
}

TEST_F(SealedFileTransferTest, NoticesAnInputThatBecomesShorter) {
  Write(Path("old"), "old");
  FileTransferOptions options = {.replace = true};
  options.progress = [&](auto, auto) { return truncate(Path("text").c_str(), 1000) == 0; };
  const absl::Status status = SealFile(Path("text"), Path("old"), key_, options);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  ExpectOldFileAlone();
}

TEST_F(SealedFileTransferTest, ReadsOnWhenTheInputIsRemoved) {
  FileTransferOptions options;
  options.progress = [&](auto, auto) {
    fs::remove(Path("text"));
    return true;
  };
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), key_, options), absl::OkStatus());
  EXPECT_EQ(OpenFile(Path("sealed"), Path("opened"), key_), absl::OkStatus());
  EXPECT_EQ(Contents(Path("opened")), text_);
}

TEST_F(SealedFileTransferTest, ReportsProgress) {
  std::vector<std::uint64_t> done;
  FileTransferOptions options;
  options.progress = [&](std::uint64_t bytes, std::optional<std::uint64_t> total) {
    EXPECT_EQ(total, text_.size());
    done.push_back(bytes);
    return true;
  };
  EXPECT_EQ(SealFile(Path("text"), Path("sealed"), key_, options), absl::OkStatus());
  EXPECT_GT(done.size(), 2u);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
  EXPECT_EQ(done.back(), text_.size());
}

TEST_F(SealedFileTransferTest, StopsWhenProgressSaysSo) {
  Write(Path("old"), "old");
  FileTransferOptions options = {.replace = true};
  options.progress = [](std::uint64_t bytes, auto) { return bytes < 100'000; };
  EXPECT_EQ(SealFile(Path("text"), Path("old"), key_, options).code(),
            absl::StatusCode::kCancelled);
  ExpectOldFileAlone();
}

// Interrupts the thread that made it, again and again.
class Interrupter {
 public:
  Interrupter() {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    EXPECT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
    thread_ = std::thread([this, target = pthread_self()] {
      while (!stopped_.load()) {
        pthread_kill(target, SIGUSR1);
        std::this_thread::yield();
      }
    });
  }
  ~Interrupter() {
    stopped_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

TEST_F(SealedFileTransferTest, AsksForProgressWhenItsReadingIsInterrupted) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const OwnedDescriptor read_end(ends[0]), write_end(ends[1]);
  FileTransferOptions options;
  options.progress = [](std::uint64_t bytes, std::optional<std::uint64_t> total) {
    EXPECT_EQ(bytes, 0u);
    EXPECT_EQ(total, std::nullopt);
    return false;
  };
  const Interrupter interrupter;
  EXPECT_EQ(SealFile(read_end.get(), Path("sealed"), key_, options).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(Names(), (std::vector<std::string>{"text"}));
}

TEST_F(SealedFileTransferTest, AsksForProgressWhenItsWritingIsInterrupted) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const OwnedDescriptor read_end(ends[0]), write_end(ends[1]);
  // Nobody reads, so the writing of what does not fit into the pipe waits.
  std::uint64_t before = 0;
  FileTransferOptions options;
  options.progress = [&](std::uint64_t bytes, auto) {
    return std::exchange(before, bytes) != bytes;
  };
  const Interrupter interrupter;
  EXPECT_EQ(SealFile(Path("text"), write_end.get(), key_, options).code(),
            absl::StatusCode::kCancelled);
}

long PeakMemoryBytes() {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

// Zeros through a pipe, a writer, a pipe, a reader, a pipe.
TEST_F(SealedFileTransferTest, TakesConstantMemory) {
  constexpr std::size_t kTotal = 256 * kMebibyte;
  int plain[2], sealed[2], opened[2];
  for (int* ends : {plain, sealed, opened}) ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  std::vector<char> zeros(kMebibyte), piece(kMebibyte);
  const long before = PeakMemoryBytes();

  std::thread source([&] {
    for (std::size_t done = 0; done < kTotal;) {
      done += static_cast<std::size_t>(std::max<ssize_t>(0, write(plain[1], zeros.data(), 4096)));
    }
    close(plain[1]);
  });
  std::thread sealer([&] {
    EXPECT_EQ(SealFile(plain[0], sealed[1], key_), absl::OkStatus());
    close(sealed[1]);
  });
  std::thread opener([&] {
    EXPECT_EQ(OpenFile(sealed[0], opened[1], key_), absl::OkStatus());
    close(opened[1]);
  });
  std::size_t received = 0;
  for (ssize_t got; (got = read(opened[0], piece.data(), piece.size())) > 0;) {
    const auto size = static_cast<std::size_t>(got);
    EXPECT_TRUE(std::equal(zeros.begin(), zeros.begin() + got, piece.begin()));
    received += size;
  }
  for (std::thread* thread : {&source, &sealer, &opener}) thread->join();
  for (const int end : {plain[0], sealed[0], opened[0]}) close(end);

  EXPECT_EQ(received, kTotal);
  EXPECT_LT(PeakMemoryBytes() - before, static_cast<long>(16 * kMebibyte));
}

class OutputFileTest : public SealedFileTransferTest,
                       public ::testing::WithParamInterface<OutputFile::Temporary> {
 protected:
  absl::StatusOr<OutputFile> Create(std::string_view name, bool replace) {
    absl::StatusOr<OutputFile> file = OutputFile::Create(Path(name), replace, GetParam());
    EXPECT_EQ(write(file.value().descriptor(), "new", 3), 3);
    return file;
  }
};

TEST_P(OutputFileTest, AppearsWhenItIsCommitted) {
  {
    absl::StatusOr<OutputFile> file = Create("new", false);
    EXPECT_FALSE(fs::exists(Path("new")));
    EXPECT_EQ(file->Commit(0640), absl::OkStatus());
  }
  EXPECT_EQ(Contents(Path("new")), "new");
  EXPECT_EQ(ModeOf(Path("new")), 0640u);
  EXPECT_EQ(Names(), (std::vector<std::string>{"new", "text"}));
}

TEST_P(OutputFileTest, ReplacesAFile) {
  Write(Path("old"), "old");
  {
    absl::StatusOr<OutputFile> file = Create("old", true);
    EXPECT_EQ(Contents(Path("old")), "old");
    EXPECT_EQ(file->Commit(0600), absl::OkStatus());
  }
  EXPECT_EQ(Contents(Path("old")), "new");
  EXPECT_EQ(Names(), (std::vector<std::string>{"old", "text"}));
}

TEST_P(OutputFileTest, LeavesNothingWithoutACommit) {
  Write(Path("old"), "old");
  {
    absl::StatusOr<OutputFile> file = Create("old", true);
    OutputFile moved = *std::move(file);
    for (const std::string& name : Names()) {
      EXPECT_TRUE(!name.starts_with(".") || ModeOf(Path(name)) == 0600) << name;
    }
  }
  ExpectOldFileAlone();
}

TEST_P(OutputFileTest, DoesNotReplaceWhatAppearsMeanwhile) {
  {
    absl::StatusOr<OutputFile> file = Create("old", false);
    Write(Path("old"), "old");
    EXPECT_EQ(file->Commit(0600).code(), absl::StatusCode::kAlreadyExists);
  }
  ExpectOldFileAlone();
}

TEST_P(OutputFileTest, TakesANameOfAnyLength) {
  const std::string name(255, 'n');
  EXPECT_EQ(Create(name, false)->Commit(0600), absl::OkStatus());
  EXPECT_EQ(Contents(Path(name)), "new");
}

INSTANTIATE_TEST_SUITE_P(All, OutputFileTest,
                         ::testing::Values(OutputFile::Temporary::kUnnamedIfPossible,
                                           OutputFile::Temporary::kNamed));

}  // namespace
}  // namespace strata::crypto
