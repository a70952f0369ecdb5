// File: blocking_client.h
//
// A client for programs without a loop: each call waits for what it asks.
//
//   auto socket = BlockingWebSocket::Connect("ws://example.com/feed");
//   if (!socket.ok()) return socket.status();
//   absl::Status sent = (*socket)->SendText("hello");
//   absl::StatusOr<BlockingWebSocket::Message> answer = (*socket)->Receive();
//   (*socket)->Close();
//
// It has a loop on a thread of its own, where pings are answered meanwhile. Any threads may call
// its functions, at the same time too, but for the destructor, which must be the last.

#ifndef STRATA_WS_BLOCKING_CLIENT_H_
#define STRATA_WS_BLOCKING_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/net/loop.h"
#include "strata/net/resolver.h"
#include "strata/ws/client.h"
#include "strata/ws/close_code.h"

namespace strata::ws {

class BlockingWebSocket {
 public:
  struct Message {
    bool text = false;
    std::string payload;
  };

  struct Options {
    // client.timeout bounds Connect().
    ClientOptions client = {};

    // Of messages that wait for Receive(). Beyond that, and what had been read along, nothing is
    // read from the peer; a connection that stays so ends by client.socket.pong_timeout.
    std::size_t max_received_bytes = 16 << 20;
  };

  // Waits for ever.
  static constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();

  // As ConnectWebSocket().
  static absl::StatusOr<std::unique_ptr<BlockingWebSocket>> Connect(std::string_view url,
                                                                    const Options& options);
  static absl::StatusOr<std::unique_ptr<BlockingWebSocket>> Connect(std::string_view url);

  // Ends the connection at once, if Close() has not ended it.
  ~BlockingWebSocket();
  BlockingWebSocket(const BlockingWebSocket&) = delete;
  BlockingWebSocket& operator=(const BlockingWebSocket&) = delete;

  // Waits until the peer keeps up again. OK: the message is on its way; DeadlineExceeded: so it is,
  // behind others; ResourceExhausted: it is larger than SocketOptions::max_backlog_bytes, and was
  // not sent; Unavailable: the connection has ended. It is up to the caller that text is UTF-8.
  absl::Status SendText(std::string_view message, std::chrono::milliseconds timeout = kForever) {
    return Send(true, message, timeout);
  }
  absl::Status SendBinary(std::string_view message, std::chrono::milliseconds timeout = kForever) {
    return Send(false, message, timeout);
  }

  // The next message; DeadlineExceeded if none has come, Unavailable after the last one of a
  // connection that has ended.
  absl::StatusOr<Message> Receive(std::chrono::milliseconds timeout = kForever);

  // Of messages that wait for Receive().
  std::size_t received_bytes() const;

  // Says that nothing more will be sent, and waits for the peer's answer. What has come up to now
  // can be received still; what comes meanwhile is dropped. Unavailable if the connection ended
  // without a Close frame of the peer's, which it does after SocketOptions::close_timeout.
  absl::Status Close(CloseCode code = CloseCode::kNormal, std::string_view reason = {});

  // How the connection has ended, as SocketHandler::OnClosed() says; none while it is open.
  std::optional<CloseCode> close_code() const;
  std::string close_reason() const;

  // What was agreed on; empty for none.
  const std::string& subprotocol() const;

 private:
  class State;
  class Handler;

  BlockingWebSocket(std::unique_ptr<net::Loop> loop, std::shared_ptr<State> state);

  absl::Status Open(std::string_view url, const ClientOptions& options);
  absl::Status Send(bool text, std::string_view message, std::chrono::milliseconds timeout);

  net::Resolver resolver_;
  const std::unique_ptr<net::Loop> loop_;
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace strata::ws

#endif  // STRATA_WS_BLOCKING_CLIENT_H_
