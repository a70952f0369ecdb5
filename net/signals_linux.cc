// Signals of Linux: a handler sends the signal's number through a pair of sockets to the loop.
//
// The pair is made once and stays for the life of the process, so that a handler that runs while a
// loop ends never writes to a descriptor that meanwhile is another's. signalfd(2) would need the
// signals blocked in all threads, those that were started before us too.

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/loop.h"
#include "strata/net/poller.h"
#include "strata/net/signals_internal.h"

namespace strata::net {
namespace {

std::atomic<bool> taken{false};
std::atomic<int> to_loop{-1};

void OnSystemSignal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  // A full pair already holds hundreds of signals that are to be handled.
  ::send(to_loop.load(std::memory_order_relaxed), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  errno = saved;
}

// The end that the loop reads; -1 with errno.
int FromHandler() {
  static const std::array<int, 2> pair = [] {
    std::array<int, 2> made{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made.data()) != 0) {
      return std::array<int, 2>{-1, -1};
    }
    to_loop = made[1];
    return made;
  }();
  return pair[0] < 0 ? -1 : ::fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
}

class LinuxSignals final : public SignalSource, private StreamSocket {
 public:
  explicit LinuxSignals(Loop& loop) : loop_(loop) {}

  ~LinuxSignals() override { taken = false; }

  absl::Status Start() {
    const int socket = FromHandler();
    if (socket < 0) return absl::ErrnoToStatus(errno, "sockets for signals");
    Error error = loop_.poller().AttachStream(*this, socket);
    if (error != Error::kOk) return ToStatus(error, "sockets for signals");
    loop_.poller().StartReceive(*this);
    return absl::OkStatus();
  }

  absl::Status Add(int number, absl::AnyInvocable<void()> callback) override {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = OnSystemSignal;
    action.sa_flags = SA_RESTART;
    if (::sigaction(number, &action, &before) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("signal ", number, " cannot be caught"));
    }
    before_.try_emplace(number, before);
    callbacks_[number] = std::move(callback);
    return absl::OkStatus();
  }

  void Stop() override {
    for (const auto& [number, before] : before_) ::sigaction(number, &before, nullptr);
    before_.clear();
    loop_.poller().Detach(*this);
  }

 private:
  void OnReceived(std::string_view bytes) override {
    for (const char number : bytes) {
      auto found = callbacks_.find(number);
      if (found == callbacks_.end()) continue;
      loop_.counting().signals.Add(1);
      loop_.Call("signal", found->second);
    }
  }

  void OnConnected(Error) override {}
  void OnReceiveEnd(Error) override {}
  void OnSent(std::size_t, Error) override {}
  void OnDetached() override {}

  Loop& loop_;
  std::map<int, absl::AnyInvocable<void()>> callbacks_;
  std::map<int, struct sigaction> before_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> SignalSource::Create(Loop& loop) {
  if (taken.exchange(true)) {
    return absl::FailedPreconditionError("signals: another loop of this process has them");
  }
  auto signals = std::make_unique<LinuxSignals>(loop);
  absl::Status started = signals->Start();
  if (!started.ok()) return started;
  return signals;
}

}  // namespace strata::net
