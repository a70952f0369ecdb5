// File: client.h
//
// What tests of clients share: a client on a loop of its own, asked by the test's thread, and a
// server that says whatever bytes a test wants.

#ifndef STRATA_HTTP_TESTING_CLIENT_H_
#define STRATA_HTTP_TESTING_CLIENT_H_

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "strata/http/client.h"
#include "strata/net/resolver.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"

namespace strata::http::testing {

// A client on a thread of its own.
class ClientThread {
 public:
  explicit ClientThread(ClientOptions options = {});
  ~ClientThread() { End(); }

  // Asks and waits.
  absl::StatusOr<ClientResponse> Fetch(ClientRequest request);
  absl::StatusOr<ClientResponse> Get(std::string url) { return Fetch({.url = std::move(url)}); }

  // Asks.
  std::future<absl::StatusOr<ClientResponse>> Begin(ClientRequest request,
                                                    net::RefPtr<Fetching>* fetching = nullptr);

  template <typename Task>
  auto Do(Task task) {
    return thread_.Do(std::move(task));
  }

  Client& client() { return *client_; }
  net::Loop& loop() { return thread_.loop(); }
  std::size_t idle_count() {
    return Do([this] { return client_->idle_count(); });
  }
  std::size_t connection_count() {
    return Do([this] { return client_->connection_count(); });
  }

  // Destroys the client, and then its loop.
  void End();

 private:
  net::Resolver resolver_;
  net::testing::LoopThread thread_;
  std::unique_ptr<Client> client_;
};

// Answers with bytes. `answer` is called on the server's thread with what came since it was called
// last, when that has the end of a head; it answers by the stream.
class RawServer {
 public:
  struct Asked {
    int connection = 0;  // From 1, in the order of accepting.
    int request = 0;     // From 1, in this connection.
    std::string bytes;   // Head, and what came with it.
  };
  using Answer = std::function<void(net::Stream&, const Asked&)>;

  // Answers a request when its head has come, or all of it, for which it has to say its length.
  enum class AnswersTo { kHead, kWhole };
  explicit RawServer(Answer answer, AnswersTo answers_to = AnswersTo::kHead);

  // The same bytes to each request, and then the connection's end if `close`.
  explicit RawServer(std::string bytes, bool close = false);
  ~RawServer();

  std::string Url(std::string_view path = "/") const;
  std::string authority() const;
  int connections() const { return connections_; }

  // All that clients have sent.
  std::string received();

 private:
  class Handler;
  void Listen();

  const Answer answer_;
  const AnswersTo answers_to_;
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::string received_;
  net::testing::LoopThread thread_;
  std::unique_ptr<net::TcpListener> listener_;
};

// Waits until it is so, for as long as a test may.
bool Eventually(const std::function<bool()>& holds);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_CLIENT_H_
