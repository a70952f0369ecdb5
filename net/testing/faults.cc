// The system calls with faults.
//
// The poller trusts two promises of edge-triggered epoll: after EAGAIN there is an edge when the
// socket is ready again, and after a short receive there is one when more arrives. A fault that
// only lied would break them. So each of these faults registers the socket anew, which makes an
// edge if there is cause: it is as if the socket had become ready, or the rest had arrived, right
// after the call.

#include "strata/net/testing/faults.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>

#include "gtest/gtest.h"

// What the linker calls the C library's own.
extern "C" {
int __real_socket(int, int, int);
int __real_accept4(int, sockaddr*, socklen_t*, int);
int __real_close(int);
int __real_connect(int, const sockaddr*, socklen_t);
ssize_t __real_strata_net_recv(int, void*, size_t);
ssize_t __real_strata_net_send(int, const void*, size_t);
ssize_t __real_sendmsg(int, const msghdr*, int);
ssize_t __real_recvmsg(int, msghdr*, int);
ssize_t __real_sendto(int, const void*, size_t, int, const sockaddr*, socklen_t);
ssize_t __real_sendfile(int, int, off_t*, size_t);
ssize_t __real_write(int, const void*, size_t);
int __real_strata_net_epoll_wait(int, epoll_event*, int, int);
int __real_epoll_ctl(int, int, int, epoll_event*);
}

namespace strata::net::testing {
namespace {

constexpr int kMaxDescriptors = 1 << 16;

// A socket of net's, and how it is registered.
struct Meant {
  std::atomic<bool> is{false};
  std::mutex mutex;
  int epoll = -1;
  epoll_event event{};
};

Meant* Table() {
  static auto* const table = new std::array<Meant, kMaxDescriptors>;
  return table->data();
}

std::atomic<std::uint32_t> fatal_one_in{0};
std::atomic<std::uint64_t> faults{0};

std::uint64_t Seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("STRATA_NET_FAULT_SEED");
    const std::uint64_t chosen = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::fprintf(stderr, "STRATA_NET_FAULT_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

std::uint64_t Random() {
  static std::atomic<std::uint64_t> threads{0};
  thread_local std::mt19937_64 random(Seed() + threads.fetch_add(1));
  return random();
}

bool OneIn(std::uint64_t count) { return Random() % count == 0; }

bool IsMeant(int socket) {
  return socket >= 0 && socket < kMaxDescriptors && Table()[socket].is.load();
}

int Mark(int socket, int flags) {
  if (socket >= 0 && socket < kMaxDescriptors && (flags & SOCK_NONBLOCK)) Table()[socket].is = true;
  return socket;
}

void MakeEdge(int socket) {
  Meant& meant = Table()[socket];
  std::lock_guard<std::mutex> lock(meant.mutex);
  if (meant.epoll >= 0) __real_epoll_ctl(meant.epoll, EPOLL_CTL_MOD, socket, &meant.event);
}

ssize_t Fail(int code) {
  faults.fetch_add(1, std::memory_order_relaxed);
  errno = code;
  return -1;
}

// Before a call that moves bytes: true if it fails instead, with errno.
bool FailsFirst(int socket) {
  const std::uint32_t fatal = fatal_one_in.load(std::memory_order_relaxed);
  if (fatal > 0 && OneIn(fatal)) {
    constexpr std::array<int, 4> kFatal = {ECONNRESET, ETIMEDOUT, EPIPE, EHOSTUNREACH};
    Fail(kFatal[Random() % kFatal.size()]);
    // A broken connection is told of by the system too.
    MakeEdge(socket);
    return true;
  }
  if (OneIn(8)) {
    Fail(EINTR);
    return true;
  }
  if (OneIn(8)) {
    Fail(EAGAIN);
    MakeEdge(socket);
    return true;
  }
  return false;
}

std::size_t Shorter(std::size_t size) {
  if (size < 2 || !OneIn(3)) return size;
  faults.fetch_add(1, std::memory_order_relaxed);
  return OneIn(2) ? 1 + Random() % std::min<std::size_t>(size - 1, 16) : 1 + Random() % (size - 1);
}

// A test with faults has to have had some.
class AtTheEnd final : public ::testing::Environment {
  void SetUp() override { Seed(); }
  void TearDown() override {
    EXPECT_GT(FaultCount(), 0u);
    std::fprintf(stderr, "%llu faults\n", static_cast<unsigned long long>(FaultCount()));
  }
};

[[maybe_unused]] const ::testing::Environment* const at_the_end =
    ::testing::AddGlobalTestEnvironment(new AtTheEnd);

}  // namespace

void SetFatalFaults(std::uint32_t one_in) { fatal_one_in = one_in; }

std::uint64_t FaultCount() { return faults.load(std::memory_order_relaxed); }

extern "C" {

int __wrap_socket(int family, int type, int protocol) {
  return Mark(__real_socket(family, type, protocol), type);
}

int __wrap_accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  if (IsMeant(listener) && (flags & SOCK_NONBLOCK)) {
    if (OneIn(8)) return static_cast<int>(Fail(EINTR));
    if (OneIn(16)) return static_cast<int>(Fail(ECONNABORTED));
    if (OneIn(8)) {
      Fail(EAGAIN);
      MakeEdge(listener);
      return -1;
    }
  }
  return Mark(__real_accept4(listener, address, size, flags), flags);
}

int __wrap_close(int descriptor) {
  if (IsMeant(descriptor)) {
    Meant& meant = Table()[descriptor];
    std::lock_guard<std::mutex> lock(meant.mutex);
    meant.is = false;
    meant.epoll = -1;
  }
  return __real_close(descriptor);
}

int __wrap_connect(int socket, const sockaddr* address, socklen_t size) {
  const int result = __real_connect(socket, address, size);
  if (IsMeant(socket) && result != 0 && errno == EINPROGRESS && OneIn(4)) {
    return static_cast<int>(Fail(EINTR));  // Interrupted, it goes on by itself.
  }
  return result;
}

ssize_t __wrap_strata_net_recv(int socket, void* buffer, size_t size) {
  if (!IsMeant(socket)) return __real_strata_net_recv(socket, buffer, size);
  if (FailsFirst(socket)) return -1;
  const std::size_t part = Shorter(size);
  const ssize_t received = __real_strata_net_recv(socket, buffer, part);
  if (part < size && received > 0) MakeEdge(socket);
  return received;
}

ssize_t __wrap_strata_net_send(int socket, const void* bytes, size_t size) {
  if (!IsMeant(socket)) return __real_strata_net_send(socket, bytes, size);
  if (FailsFirst(socket)) return -1;
  const std::size_t part = Shorter(size);
  const ssize_t sent = __real_strata_net_send(socket, bytes, part);
  if (part < size && sent >= 0) MakeEdge(socket);
  return sent;
}

ssize_t __wrap_sendmsg(int socket, const msghdr* message, int flags) {
  if (!IsMeant(socket)) return __real_sendmsg(socket, message, flags);
  if (FailsFirst(socket)) return -1;
  // Some of the slices, and some of the last of these.
  const std::size_t slices = Shorter(message->msg_iovlen);
  std::array<iovec, 1024> copy;
  std::copy_n(message->msg_iov, slices, copy.begin());
  const std::size_t before = copy[slices - 1].iov_len;
  copy[slices - 1].iov_len = Shorter(before);
  const bool cut = slices < message->msg_iovlen || copy[slices - 1].iov_len < before;
  msghdr part = *message;
  part.msg_iov = copy.data();
  part.msg_iovlen = slices;
  const ssize_t sent = __real_sendmsg(socket, &part, flags);
  if (cut && sent >= 0) MakeEdge(socket);
  return sent;
}

ssize_t __wrap_recvmsg(int socket, msghdr* message, int flags) {
  if (IsMeant(socket) && FailsFirst(socket)) return -1;
  return __real_recvmsg(socket, message, flags);
}

ssize_t __wrap_sendto(int socket, const void* bytes, size_t size, int flags, const sockaddr* peer,
                      socklen_t peer_size) {
  // A datagram that is not sent is lost; that is nothing a test of answers could bear.
  if (IsMeant(socket) && OneIn(4)) return Fail(EINTR);
  return __real_sendto(socket, bytes, size, flags, peer, peer_size);
}

ssize_t __wrap_sendfile(int socket, int file, off_t* offset, size_t count) {
  if (!IsMeant(socket)) return __real_sendfile(socket, file, offset, count);
  if (FailsFirst(socket)) return -1;
  return __real_sendfile(socket, file, offset, Shorter(count));
}

ssize_t __wrap_write(int descriptor, const void* bytes, size_t size) {
  if (size == sizeof(std::uint64_t) && OneIn(4)) return Fail(EINTR);  // An eventfd.
  return __real_write(descriptor, bytes, size);
}

int __wrap_strata_net_epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  if (OneIn(16)) return static_cast<int>(Fail(EINTR));
  return __real_strata_net_epoll_wait(
      epoll, events, static_cast<int>(Shorter(static_cast<size_t>(count))), timeout_ms);
}

int __wrap_epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) {
  if (IsMeant(descriptor)) {
    Meant& meant = Table()[descriptor];
    std::lock_guard<std::mutex> lock(meant.mutex);
    meant.epoll = operation == EPOLL_CTL_DEL ? -1 : epoll;
    if (event) meant.event = *event;
  }
  return __real_epoll_ctl(epoll, operation, descriptor, event);
}

}  // extern "C"

}  // namespace strata::net::testing
