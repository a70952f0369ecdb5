// hello_server is restarted again and again while clients ask it, and none of them sees that.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "strata/http/testing/client.h"

namespace strata::http {
namespace {

using testing::ClientThread;

// The processes whose parent is this one.
std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  DIR* const folder = opendir("/proc");
  while (const dirent* const entry = readdir(folder)) {
    std::ifstream stat(absl::StrCat("/proc/", entry->d_name, "/stat"));
    pid_t pid, parent;
    std::string name, state;
    if (stat >> pid >> name >> state >> parent && parent == getpid()) children.push_back(pid);
  }
  closedir(folder);
  return children;
}

// The sockets of a process that listen, by their inodes.
std::set<std::string> ListeningSockets(pid_t process) {
  std::set<std::string> listening;
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::array<std::string, 10> columns;  // ... 3: the state, 0A being LISTEN; 9: the inode.
      for (std::string& column : columns) words >> column;
      if (columns[3] == "0A") listening.insert(absl::StrCat("socket:[", columns[9], "]"));
    }
  }
  std::set<std::string> own;
  const std::string path = absl::StrCat("/proc/", process, "/fd/");
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) return own;
  while (const dirent* const entry = readdir(folder)) {
    std::array<char, 64> name;
    const ssize_t size = readlink((path + entry->d_name).c_str(), name.data(), name.size());
    if (size <= 0) continue;
    const std::string target(name.data(), static_cast<std::size_t>(size));
    if (listening.contains(target)) own.insert(target);
  }
  closedir(folder);
  return own;
}

class RestartTest : public ::testing::Test {
 protected:
  RestartTest() {
    // Successors of a server that has ended become children of this process.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  ~RestartTest() override {
    for (const pid_t child : Children()) kill(child, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    if (output_ >= 0) close(output_);
  }

  // Starts a server, and finds where it listens.
  void Start() {
    std::array<int, 2> pipe;
    ASSERT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string program = "http/hello_server", threads = "--threads=2";
    char* const arguments[] = {program.data(), threads.data(), nullptr};
    ASSERT_EQ(posix_spawn(&server_, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[1]);
    output_ = pipe[0];
    const std::string line = ReadLine();
    const std::size_t colon = line.rfind(':');
    ASSERT_NE(colon, std::string::npos) << line;
    url_ = absl::StrCat("http://127.0.0.1", line.substr(colon), "/");
  }

  std::string ReadLine() {
    std::string line;
    char c;
    while (read(output_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  // The successor has come up, and the server has ended in order.
  void Restart() {
    ASSERT_EQ(kill(server_, SIGUSR2), 0);
    EXPECT_TRUE(ReadLine().starts_with("listening on "));
    int status = -1;
    ASSERT_EQ(waitpid(server_, &status, 0), server_);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    const std::vector<pid_t> children = Children();
    ASSERT_EQ(children.size(), 1u);
    server_ = children[0];
  }

  pid_t server_ = -1;
  int output_ = -1;
  std::string url_;
};

// What waits on a socket that is not passed on is reset, for it has no other holder.
TEST_F(RestartTest, PassesAllSocketsOn) {
  Start();
  const std::set<std::string> sockets = ListeningSockets(server_);
  EXPECT_EQ(sockets.size(), 2u) << "one for each thread";
  Restart();
  EXPECT_EQ(ListeningSockets(server_), sockets);
}

TEST_F(RestartTest, NoRequestFailsUnderLoad) {
  constexpr int kRestarts = 5;
  constexpr int kAtATime = 8;
  Start();
  ClientOptions options;
  options.retry.max_retries = 0;
  options.max_connections_per_host = kAtATime;
  std::atomic<bool> stop{false};
  std::atomic<int> running{0}, good{0};
  ClientThread client(std::move(options));
  std::function<void()> ask = [&] {
    // No POST is ever sent again.
    ClientRequest request{.method = "POST", .url = url_, .body = "Hello, World!"};
    client.client().Fetch(std::move(request), [&](absl::StatusOr<ClientResponse> response) {
      EXPECT_TRUE(response.ok()) << response.status();
      if (response.ok()) {
        EXPECT_EQ(response->body, "Hello, World!");
        ++good;
      }
      stop || !response.ok() ? static_cast<void>(--running) : ask();
    });
  };
  running = kAtATime;
  client.Do([&] {
    for (int i = 0; i < kAtATime; ++i) ask();
  });
  // Others never use a connection twice.
  std::thread fresh([&] {
    while (!stop) {
      ClientOptions once;
      once.retry.max_retries = 0;
      ClientThread one(std::move(once));
      const auto response = one.Get(url_);
      EXPECT_TRUE(response.ok()) << response.status();
      good += response.ok();
      stop = stop || !response.ok();
    }
  });
  for (int i = 0; i < kRestarts && !HasFatalFailure(); ++i) {
    const int before = good;
    EXPECT_TRUE(testing::Eventually([&] { return good > before + 100 || stop; }));
    Restart();
  }
  stop = true;
  fresh.join();
  EXPECT_TRUE(testing::Eventually([&] { return running == 0; }));
  EXPECT_GT(good, 100 * kRestarts);
}

}  // namespace
}  // namespace strata::http
