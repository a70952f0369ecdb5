// File: server_test.h
//
// What tests of servers share: a loop with a listener, and what became of its streams.

#ifndef STRATA_NET_TESTING_SERVER_TEST_H_
#define STRATA_NET_TESTING_SERVER_TEST_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "strata/net/tcp_listener.h"
#include "strata/net/testing/streams.h"

namespace strata::net::testing {

class ServerTest : public ::testing::Test {
 protected:
  // Listens, with a handler that `prepare` fills for each stream.
  void Listen(std::function<void(TestHandler&)> prepare, ListenOptions options = {});

  void TearDown() override { thread_.End(); }  // What is recorded stays until then.

  const Address& address() const { return listener_->address(); }

  // The error of the next stream that ended.
  Error NextEnd();

  // What the listener is given of a handler: for layers above a connection.
  virtual std::unique_ptr<StreamHandler> Wrap(std::unique_ptr<StreamHandler> handler) {
    return handler;
  }

  LoopThread thread_;
  std::unique_ptr<TcpListener> listener_;

 private:
  void Record(Error error);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Error> ends_;
  std::size_t taken_ = 0;
};

// Fills a handler that writes back what comes.
void Echo(TestHandler& handler);

// Bytes in which each place is known.
std::string Pattern(std::size_t size);

}  // namespace strata::net::testing

#endif  // STRATA_NET_TESTING_SERVER_TEST_H_
