// Descriptors and the environment of a process to come.

#include "strata/net/successor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/net/socket_internal.h"

namespace strata::net {
namespace {

// The first descriptor that is passed: SD_LISTEN_FDS_START.
constexpr int kFirst = 3;

// More than that is no number of sockets that somebody passes.
constexpr int kMaxSockets = 1024;

constexpr char kListenPid[] = "LISTEN_PID";
constexpr char kListenFds[] = "LISTEN_FDS";
constexpr char kListenNames[] = "LISTEN_FDNAMES";
constexpr char kPredecessor[] = "STRATA_PREDECESSOR";

// Those of the largest int.
constexpr std::size_t kPidDigits = 10;

std::optional<int> NumberOf(const char* variable) {
  const char* const text = ::getenv(variable);
  if (!text) return std::nullopt;
  int number = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

// Ours without what TakeInheritance() reads, and `more`.
std::vector<std::string> Environment(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (name != kListenPid && name != kListenFds && name != kListenNames && name != kPredecessor) {
      all.emplace_back(text);
    }
  }
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs, so that between fork() and execve(), where other threads of this
// process may have held any lock, it only makes system calls.
struct Child {
  const char* program;
  char* const* arguments;
  char* const* environment;
  char* pid_digits;    // In the environment, with room for kPidDigits.
  const int* sockets;  // All beyond where they go to.
  int socket_count;
  int failed;  // Where to write errno; closed on exec.
};

[[noreturn]] void RunChild(const Child& child) {
  *std::to_chars(child.pid_digits, child.pid_digits + kPidDigits, ::getpid()).ptr = '\0';
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  bool ok = true;
  for (int i = 0; i < child.socket_count && ok; ++i) {
    ok = ::dup2(child.sockets[i], kFirst + i) >= 0;  // Not closed on exec.
  }
  if (ok) ::execve(child.program, child.arguments, child.environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(child.failed, &error, sizeof(error));
  ::_exit(127);
}

}  // namespace

Inheritance TakeInheritance() {
  Inheritance inheritance;
  const std::optional<int> pid = NumberOf(kListenPid);
  const std::optional<int> count = NumberOf(kListenFds);
  if (pid == ::getpid() && count && *count <= kMaxSockets) {
    for (int socket = kFirst; socket < kFirst + *count; ++socket) {
      ::fcntl(socket, F_SETFD, FD_CLOEXEC);
      inheritance.addresses.push_back(absl::StrCat("fd:", socket));
    }
    inheritance.predecessor = NumberOf(kPredecessor).value_or(0);
  }
  for (const char* variable : {kListenPid, kListenFds, kListenNames, kPredecessor}) {
    ::unsetenv(variable);
  }
  return inheritance;
}

void EndPredecessor(const Inheritance& inheritance) {
  // Who has gone is nobody's parent any more.
  if (inheritance.predecessor > 0 && ::getppid() == inheritance.predecessor) {
    ::kill(inheritance.predecessor, SIGTERM);
  }
}

absl::StatusOr<int> StartSuccessor(const std::string& program,
                                   const std::vector<std::string>& arguments,
                                   const std::vector<const TcpListener*>& listeners) {
  std::vector<internal::OwnedSocket> owned;
  for (const TcpListener* listener : listeners) {
    for (const NativeSocket socket : listener->DuplicateSockets()) owned.emplace_back(socket);
  }
  const int count = static_cast<int>(owned.size());
  if (count == 0 || count > kMaxSockets) {
    return absl::FailedPreconditionError("start a successor: no sockets to pass, or too many");
  }

  // Beyond those that they are to become, so that none is overwritten before it has moved.
  std::vector<int> sockets;
  std::vector<internal::OwnedSocket> beyond;
  const auto move_beyond = [&beyond, count](int descriptor) {
    return beyond.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, kFirst + count)).get();
  };
  for (const internal::OwnedSocket& socket : owned) sockets.push_back(move_beyond(socket.get()));
  std::array<int, 2> pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  internal::OwnedSocket reading(pipe[0]);
  const int failed = move_beyond(pipe[1]);
  ::close(pipe[1]);
  if (failed < 0) return absl::ErrnoToStatus(errno, "start a successor: descriptors");

  std::vector<std::string> environment = Environment(
      {absl::StrCat(kListenPid, "=", std::string(kPidDigits, '0')),
       absl::StrCat(kListenFds, "=", count), absl::StrCat(kPredecessor, "=", ::getpid())});
  std::vector<std::string> own_arguments = arguments;
  const std::vector<char*> argument_pointers = Pointers(own_arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  const Child child{.program = program.c_str(),
                    .arguments = argument_pointers.data(),
                    .environment = environment_pointers.data(),
                    .pid_digits = environment_pointers[0] + sizeof(kListenPid),
                    .sockets = sockets.data(),
                    .socket_count = count,
                    .failed = failed};
  const int pid = ::fork();
  if (pid == 0) RunChild(child);
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");

  beyond.clear();  // With the end that is written to: reading ends when the child has begun.
  int error = 0;
  ssize_t size;
  do {
    size = ::read(reading.get(), &error, sizeof(error));
  } while (size < 0 && errno == EINTR);
  if (size == 0) return pid;
  ::waitpid(pid, nullptr, 0);
  return absl::ErrnoToStatus(error, absl::StrCat("start ", program));
}

}  // namespace strata::net
