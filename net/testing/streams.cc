// Loops on threads, and blocking peers.

#include "strata/net/testing/streams.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#endif

#include <array>

#include "gtest/gtest.h"
#include "strata/net/socket_internal.h"

namespace strata::net::testing {
namespace {

void SetTimeouts(NativeSocket socket) {
#ifdef _WIN32
  DWORD wait = static_cast<DWORD>(std::chrono::milliseconds(kLong).count());
#else
  timeval wait{.tv_sec = kLong.count(), .tv_usec = 0};
#endif
  for (int name : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    ::setsockopt(socket, SOL_SOCKET, name, reinterpret_cast<const char*>(&wait), sizeof(wait));
  }
}

int NativeFamily(const Address& address) {
  switch (address.family()) {
    case Address::Family::kIpv4:
      return AF_INET;
    case Address::Family::kIpv6:
      return AF_INET6;
    default:
      return AF_UNIX;
  }
}

bool Interrupted() {
#ifdef _WIN32
  return false;
#else
  return errno == EINTR;
#endif
}

}  // namespace

LoopThread::LoopThread(Loop::Options options) {
  absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(std::move(options));
  EXPECT_TRUE(loop.ok()) << loop.status();
  loop_ = *std::move(loop);
  thread_ = std::thread([this] { loop_->Run(); });
}

void LoopThread::End() {
  if (!loop_) return;
  loop_->Stop();
  thread_.join();
  loop_.reset();
}

Peer::Peer(const Address& address) {
  socket_ = static_cast<NativeSocket>(::socket(NativeFamily(address), SOCK_STREAM, 0));
  EXPECT_NE(socket_, kNoSocket);
  SetTimeouts(socket_);
  sockaddr_storage storage;
  auto size = static_cast<int>(address.ToSockaddr(&storage));
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&storage), size), 0)
      << address.ToString();
}

bool Peer::Send(std::string_view bytes) {
#ifdef MSG_NOSIGNAL
  constexpr int kFlags = MSG_NOSIGNAL;
#else
  constexpr int kFlags = 0;
#endif
  while (!bytes.empty()) {
    auto sent = ::send(socket_, bytes.data(), static_cast<int>(bytes.size()), kFlags);
    if (sent < 0 && Interrupted()) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string Peer::Receive(std::size_t count) {
  std::string received(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    auto size = ::recv(socket_, received.data() + filled, static_cast<int>(count - filled), 0);
    if (size < 0 && Interrupted()) continue;
    if (size <= 0) break;
    filled += static_cast<std::size_t>(size);
  }
  received.resize(filled);
  return received;
}

std::string Peer::ReceiveAll(bool* reset) {
  std::string received;
  std::array<char, 65536> buffer;
  for (;;) {
    auto size = ::recv(socket_, buffer.data(), static_cast<int>(buffer.size()), 0);
    if (size < 0 && Interrupted()) continue;
    if (reset) *reset = size < 0;
    if (size <= 0) return received;
    received.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void Peer::EndSending() { internal::ShutdownSend(socket_); }

void Peer::Close() {
  if (socket_ != kNoSocket) internal::CloseSocket(std::exchange(socket_, kNoSocket));
}

void Peer::Reset() {
  internal::SetAbortive(socket_);
  Close();
}

}  // namespace strata::net::testing
