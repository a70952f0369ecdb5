// File: streams.h
//
// What tests of streams share: a loop on a thread, a handler made of functions, and a peer that
// uses plain blocking sockets, so that what it sees does not depend on the code under test.

#ifndef STRATA_NET_TESTING_STREAMS_H_
#define STRATA_NET_TESTING_STREAMS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/loop.h"
#include "strata/net/native_socket.h"
#include "strata/net/stream.h"

namespace strata::net::testing {

// How long a test waits for what must come; long, for machines that do much else.
inline constexpr std::chrono::seconds kLong{30};

// A loop that runs on a thread of its own until the end of the test.
class LoopThread {
 public:
  explicit LoopThread(Loop::Options options = {});
  ~LoopThread() { End(); }

  Loop& loop() { return *loop_; }

  // Stops the thread, then destroys the loop.
  void End();

  // Runs `task` on the loop and returns what it returns. By another thread.
  template <typename Task>
  auto Do(Task task) {
    std::packaged_task<std::invoke_result_t<Task>()> packaged(std::move(task));
    auto result = packaged.get_future();
    loop_->mailbox()->PostAlways([&packaged] { packaged(); });
    return result.get();
  }

 private:
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

// A handler of functions; those that are missing do what StreamHandler does.
struct TestHandler : public StreamHandler {
  std::function<void(Stream&)> on_open;
  std::function<void(Stream&, std::string_view)> on_receive;
  std::function<void(Stream&)> on_receive_end;
  std::function<void(Stream&)> on_writable;
  std::function<void(Stream&)> on_drain;
  std::function<void(Stream&, Error)> on_closed;

  void OnOpen(Stream& stream) override {
    if (on_open) on_open(stream);
  }
  void OnReceive(Stream& stream, std::string_view bytes) override {
    if (on_receive) on_receive(stream, bytes);
  }
  void OnReceiveEnd(Stream& stream) override {
    on_receive_end ? on_receive_end(stream) : StreamHandler::OnReceiveEnd(stream);
  }
  void OnWritable(Stream& stream) override {
    if (on_writable) on_writable(stream);
  }
  void OnDrain(Stream& stream) override {
    on_drain ? on_drain(stream) : StreamHandler::OnDrain(stream);
  }
  void OnClosed(Stream& stream, Error error) override {
    if (on_closed) on_closed(stream, error);
  }
};

// A blocking socket of the test's own.
class Peer {
 public:
  // Connects; fails the test if that fails.
  explicit Peer(const Address& address);
  explicit Peer(NativeSocket connected) : socket_(connected) {}
  Peer(Peer&& other) noexcept : socket_(std::exchange(other.socket_, kNoSocket)) {}
  ~Peer() { Close(); }

  // All of it; false if the other end is gone.
  bool Send(std::string_view bytes);

  // Exactly so many bytes, or what came before the end.
  std::string Receive(std::size_t count);

  // Everything up to the end. `reset` tells whether that was a reset.
  std::string ReceiveAll(bool* reset = nullptr);

  void EndSending();
  void Close();
  void Reset();  // Closes with a reset.

  NativeSocket native() const { return socket_; }

 private:
  NativeSocket socket_;
};

}  // namespace strata::net::testing

#endif  // STRATA_NET_TESTING_STREAMS_H_
