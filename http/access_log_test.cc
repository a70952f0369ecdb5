// The access log: what is appended is in the file, whole and in order; what cannot be written is
// counted, and nobody waits for it.

#include "strata/http/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace strata::http {
namespace {

using std::chrono::milliseconds;

// A folder for a test's files.
class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    std::string pattern = testing::TempDir() + "/access_log.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  static std::unique_ptr<AccessLog> Open(AccessLog::Options options) {
    absl::StatusOr<std::unique_ptr<AccessLog>> log = AccessLog::Open(std::move(options));
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  // What the log tells of errors.
  auto Reports() {
    return [this](const absl::Status& status) {
      std::lock_guard<std::mutex> lock(mutex_);
      reports_.push_back(status);
    };
  }
  std::vector<absl::Status> reports() {
    std::lock_guard<std::mutex> lock(mutex_);
    return reports_;
  }

 private:
  std::string folder_;
  std::mutex mutex_;
  std::vector<absl::Status> reports_;
};

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::size_t Lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

AccessRecord Record(std::string_view target) {
  return {.time = std::chrono::system_clock::time_point(), .method = "GET", .target = target};
}

std::string Expected(const std::string& target) {
  return "- - - [01/Jan/1970:00:00:00 +0000] \"GET " + target + " HTTP/1.1\" 0 0\n";
}

TEST_F(AccessLogTest, WritesWhatIsAppended) {
  auto log = Open({.path = Path("log"), .format = AccessLogFormat::kCommon});
  auto producer = log->NewProducer();
  EXPECT_TRUE(producer->Append(Record("/1")));
  EXPECT_TRUE(producer->Append(Record("/2")));
  log->Flush();
  EXPECT_EQ(Content(Path("log")), Expected("/1") + Expected("/2"));
  EXPECT_EQ(log->counts().bytes, Expected("/1").size() * 2);
  EXPECT_EQ(log->counts().dropped, 0u);
  struct stat status;
  ASSERT_EQ(::stat(Path("log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07, 0u);
}

TEST_F(AccessLogTest, AppendsToWhatIsThere) {
  std::ofstream(Path("log")) << "before\n";
  auto log = Open({.path = Path("log"), .format = AccessLogFormat::kCommon});
  log->NewProducer()->Append(Record("/1"));
  log->Flush();
  EXPECT_EQ(Content(Path("log")), "before\n" + Expected("/1"));
}

TEST_F(AccessLogTest, WritesAllBeforeItEnds) {
  auto log = Open({.path = Path("log"),
                   .format = AccessLogFormat::kCommon,
                   .flush_interval = std::chrono::hours(1)});
  auto producer = log->NewProducer();
  producer->Append(Record("/1"));
  auto gone = log->NewProducer();
  gone->Append(Record("/2"));
  gone.reset();
  log.reset();
  EXPECT_EQ(Content(Path("log")), Expected("/1") + Expected("/2"));
  EXPECT_FALSE(producer->Append(Record("/3")));
}

TEST_F(AccessLogTest, WritesAfterTheIntervalByItself) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  auto log = Open({.path = "/dev/fd/" + std::to_string(pipe[1]),
                   .format = AccessLogFormat::kCommon,
                   .flush_interval = milliseconds(1)});
  log->NewProducer()->Append(Record("/1"));
  char bytes[200];
  EXPECT_EQ(::read(pipe[0], bytes, sizeof(bytes)), static_cast<ssize_t>(Expected("/1").size()));
  log.reset();
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(AccessLogTest, AFullBufferIsWrittenBeforeTheInterval) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  auto log = Open({.path = "/dev/fd/" + std::to_string(pipe[1]),
                   .format = AccessLogFormat::kCommon,
                   .buffer_bytes = AccessLog::kMinBufferBytes,
                   .flush_interval = std::chrono::hours(1)});
  auto producer = log->NewProducer();
  const std::string target(1000, 'x');
  for (int i = 0; i < 70; ++i) EXPECT_TRUE(producer->Append(Record(target)));
  // A quarter wakes the thread; the rest may wait for the interval.
  std::size_t left = AccessLog::kMinBufferBytes / 4;
  for (std::string bytes(1 << 16, ' '); left > 0;) {
    const ssize_t got = ::read(pipe[0], bytes.data(), bytes.size());
    ASSERT_GT(got, 0);
    left -= std::min(left, static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  log.reset();
  ::close(pipe[1]);
}

TEST_F(AccessLogTest, ProducersOfManyThreadsShareTheFile) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 5000;
  auto log = Open(
      {.path = Path("log"), .format = AccessLogFormat::kCommon, .flush_interval = milliseconds(1)});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&log, t] {
      auto producer = log->NewProducer();
      for (int i = 0; i < kRecords; ++i) {
        const std::string target = std::to_string(t) + "-" + std::to_string(i);
        while (!producer->Append(Record(target))) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  log->Flush();
  std::ifstream file(Path("log"));
  std::map<std::string, int> next;
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const std::size_t begin = line.find("GET ") + 4;
    const std::string target = line.substr(begin, line.find(' ', begin) - begin);
    EXPECT_EQ(line + "\n", Expected(target));
    const std::string thread = target.substr(0, target.find('-'));
    EXPECT_EQ(target, thread + "-" + std::to_string(next[thread]++));
  }
  EXPECT_EQ(lines, kThreads * kRecords);
}

TEST_F(AccessLogTest, ReopensAfterTheFileWasRenamed) {
  auto log = Open({.path = Path("log"), .format = AccessLogFormat::kCommon});
  auto producer = log->NewProducer();
  producer->Append(Record("/1"));
  log->Flush();
  ASSERT_EQ(std::rename(Path("log").c_str(), Path("log.1").c_str()), 0);
  producer->Append(Record("/2"));
  log->Flush();
  log->Reopen();
  log->Flush();
  producer->Append(Record("/3"));
  log->Flush();
  EXPECT_EQ(Content(Path("log.1")), Expected("/1") + Expected("/2"));
  EXPECT_EQ(Content(Path("log")), Expected("/3"));
  EXPECT_EQ(log->counts().reopened, 1u);
}

TEST_F(AccessLogTest, NothingIsLostWhileItIsRotated) {
  auto log = Open(
      {.path = Path("log"), .format = AccessLogFormat::kCommon, .flush_interval = milliseconds(1)});
  std::atomic<bool> done{false};
  std::thread rotating([&] {
    for (int i = 0; !done; ++i) {
      (void)std::rename(Path("log").c_str(), (Path("log.") + std::to_string(i)).c_str());
      log->Reopen();
      log->Flush();
    }
  });
  auto producer = log->NewProducer();
  for (int i = 0; i < 20'000; ++i) {
    while (!producer->Append(Record("/x"))) std::this_thread::yield();
  }
  done = true;
  rotating.join();
  log->Flush();
  std::size_t lines = Lines(Content(Path("log")));
  for (int i = 0;; ++i) {
    const std::string path = Path("log.") + std::to_string(i);
    if (::access(path.c_str(), F_OK) != 0) break;
    const std::string content = Content(path);
    EXPECT_TRUE(content.empty() || content.ends_with('\n'));
    lines += Lines(content);
  }
  EXPECT_EQ(lines, 20'000u);
}

TEST_F(AccessLogTest, KeepsTheOldFileIfTheNewOneCannotBeOpened) {
  const std::string folder = Path("folder");
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  auto log =
      Open({.path = folder + "/log", .format = AccessLogFormat::kCommon, .on_error = Reports()});
  ASSERT_EQ(std::rename(folder.c_str(), Path("elsewhere").c_str()), 0);
  log->Reopen();
  log->NewProducer()->Append(Record("/1"));
  log->Flush();
  EXPECT_EQ(Content(Path("elsewhere/log")), Expected("/1"));
  EXPECT_EQ(log->counts().errors, 1u);
  EXPECT_EQ(log->counts().reopened, 0u);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0].code(), absl::StatusCode::kNotFound);
  EXPECT_NE(reports()[0].message().find(folder), std::string_view::npos);
}

TEST_F(AccessLogTest, AFullDiskIsReportedNotTooOftenAndCounted) {
  auto log = Open({.path = "/dev/full",
                   .format = AccessLogFormat::kCommon,
                   .buffer_bytes = AccessLog::kMinBufferBytes,
                   .on_error = Reports()});
  auto producer = log->NewProducer();
  std::uint64_t appended = 0;
  std::uint64_t refused = 0;
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 1000; ++j) ++(producer->Append(Record("/x")) ? appended : refused);
    log->Flush();
  }
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(log->counts().dropped, refused);
  EXPECT_GE(log->counts().errors, 20u);
  EXPECT_EQ(log->counts().bytes, 0u);
  ASSERT_GE(reports().size(), 1u);
  EXPECT_EQ(reports()[0].code(), absl::StatusCode::kResourceExhausted) << reports()[0];
  EXPECT_NE(reports()[0].message().find("/dev/full: write"), std::string_view::npos);
  EXPECT_LT(reports().size(), log->counts().errors / 2);
  // In the end all are dropped, and that is told.
  log.reset();
  EXPECT_NE(
      reports().back().message().find(std::to_string(appended + refused) + " records dropped"),
      std::string_view::npos)
      << reports().back();
}

// What stood in the buffers when the disk was full is written when it no longer is.
TEST_F(AccessLogTest, WhatCouldNotBeWrittenIsTriedAgain) {
  const std::string path = Path("log");
  ASSERT_EQ(::symlink("/dev/full", path.c_str()), 0);
  auto log = Open({.path = path, .format = AccessLogFormat::kCommon, .on_error = Reports()});
  auto producer = log->NewProducer();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(producer->Append(Record("/" + std::to_string(i))));
  log->Flush();
  EXPECT_EQ(log->counts().errors, 1u);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  log->Reopen();
  log->Flush();
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += Expected("/" + std::to_string(i));
  EXPECT_EQ(Content(path), expected);
  EXPECT_EQ(log->counts().dropped, 0u);
}

TEST_F(AccessLogTest, ALineOfWhichTheOldFileHasAPartIsNotContinuedInTheNewOne) {
  const std::string path = Path("log");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_EQ(::fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
  auto log =
      Open({.path = path, .format = AccessLogFormat::kCommon, .flush_interval = milliseconds(1)});
  auto producer = log->NewProducer();
  const std::string target(1000, 'x');
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(producer->Append(Record(target)));
  log->Flush();
  const std::size_t written = log->counts().bytes;
  const std::size_t line = Expected(target).size();
  ASSERT_EQ(written, 4096u);
  ASSERT_NE(written % line, 0u);
  ASSERT_EQ(std::rename(path.c_str(), Path("fifo").c_str()), 0);
  log->Reopen();
  log->Flush();
  std::string expected;
  for (std::size_t i = written / line + 1; i < 10; ++i) expected += Expected(target);
  EXPECT_EQ(Content(path), expected);
  EXPECT_EQ(log->counts().dropped, 1u);
  ::close(reader);
}

TEST_F(AccessLogTest, APipeThatNobodyReadsStopsNobody) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  auto log = Open({.path = "/dev/fd/" + std::to_string(pipe[1]),
                   .format = AccessLogFormat::kCommon,
                   .buffer_bytes = AccessLog::kMinBufferBytes,
                   .flush_interval = milliseconds(1),
                   .on_error = Reports()});
  auto producer = log->NewProducer();
  std::size_t refused = 0;
  while (refused < 1000) refused += !producer->Append(Record("/x"));
  EXPECT_EQ(log->counts().dropped, 1000u);
  log.reset();  // Does not wait for a reader either.
  EXPECT_FALSE(reports().empty());
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(AccessLogTest, APipeWithoutAReaderIsAnErrorAndNoSignal) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(AccessLog::Open({.path = Path("fifo")}).ok());
  const int reader = ::open(Path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  auto log = Open({.path = Path("fifo"), .on_error = Reports()});
  ::close(reader);
  log->NewProducer()->Append(Record("/1"));
  log->Flush();
  EXPECT_EQ(log->counts().errors, 1u);
  ASSERT_FALSE(reports().empty());
  EXPECT_NE(reports()[0].message().find("write"), std::string_view::npos);
}

TEST_F(AccessLogTest, TheLongestRecordsFitIntoTheSmallestBuffer) {
  auto log = Open({.path = Path("log"),
                   .format = AccessLogFormat::kJson,
                   .buffer_bytes = AccessLog::kMinBufferBytes});
  auto producer = log->NewProducer();
  const std::string bad(2 * kMaxAccessFieldBytes, '\x01');
  const AccessRecord longest = {.user = bad,
                                .method = bad,
                                .target = bad,
                                .protocol = bad,
                                .referer = bad,
                                .user_agent = bad,
                                .request_id = bad};
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(producer->Append(longest)) << i;
    log->Flush();
  }
  const std::string content = Content(Path("log"));
  EXPECT_EQ(Lines(content), 20u);
  EXPECT_GT(content.size(), 20u * 7 * 6 * kMaxAccessFieldBytes);
}

TEST_F(AccessLogTest, RefusesOptionsOutOfBounds) {
  for (AccessLog::Options* options : {
           new AccessLog::Options{},
           new AccessLog::Options{.path = Path("x"), .buffer_bytes = 1000},
           new AccessLog::Options{.path = Path("x"), .flush_interval = milliseconds(0)},
       }) {
    EXPECT_EQ(AccessLog::Open(std::move(*options)).status().code(),
              absl::StatusCode::kInvalidArgument);
    delete options;
  }
  const absl::Status status = AccessLog::Open({.path = Path("no/such/folder")}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("no/such/folder"), std::string_view::npos);
}

TEST_F(AccessLogTest, TheStandardOutputStaysWhatItIs) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const int saved = ::dup(STDOUT_FILENO);
  ASSERT_EQ(::dup2(pipe[1], STDOUT_FILENO), STDOUT_FILENO);
  {
    auto log = Open({.path = "-", .format = AccessLogFormat::kCommon});
    log->Reopen();
    log->NewProducer()->Append(Record("/1"));
    log->Flush();
    EXPECT_EQ(log->counts().reopened, 0u);
  }
  EXPECT_EQ(::fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
  ASSERT_EQ(::dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
  char bytes[200];
  EXPECT_EQ(::read(pipe[0], bytes, sizeof(bytes)), static_cast<ssize_t>(Expected("/1").size()));
  for (const int fd : {saved, pipe[0], pipe[1]}) ::close(fd);
}

TEST_F(AccessLogTest, FlushesOfManyThreadsAllReturn) {
  auto log = Open({.path = Path("log"),
                   .format = AccessLogFormat::kCommon,
                   .flush_interval = std::chrono::hours(1)});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      auto producer = log->NewProducer();
      for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(producer->Append(Record("/x")));
        log->Flush();
        (void)log->counts();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Lines(Content(Path("log"))), 400u);
}

}  // namespace
}  // namespace strata::http
