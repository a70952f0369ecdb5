// File: wire.h
//
// What tests of servers share: a server on threads of its own, and a client of plain sockets that
// sends any bytes and reads answers by rules of its own, so that what it sees does not depend on
// the code under test.

#ifndef STRATA_HTTP_TESTING_WIRE_H_
#define STRATA_HTTP_TESTING_WIRE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "strata/http/server.h"
#include "strata/net/testing/streams.h"

namespace strata::http::testing {

struct WireResponse {
  int status = 0;    // 0: the connection ended before an answer was complete.
  std::string head;  // Up to and with the empty line.
  std::string body;  // Without the framing of chunks.
  std::string trailers;

  // The value of the first such field; "-" if there is none.
  std::string Field(std::string_view name) const;
};

class WireClient {
 public:
  explicit WireClient(const net::Address& address) : peer_(address) {}

  void Send(std::string_view bytes) { peer_.Send(bytes); }

  // The next answer; one to HEAD has no body. 1xx is an answer too.
  WireResponse Read(bool to_head = false);

  WireResponse Ask(std::string_view request) {
    Send(request);
    return Read(request.starts_with("HEAD "));
  }

  // What comes up to the end of the connection. `reset` tells whether that was a reset.
  std::string ReadAll(bool* reset = nullptr) { return pending_ + peer_.ReceiveAll(reset); }

  net::testing::Peer& peer() { return peer_; }

 private:
  // Reads until `size` bytes are there; false if the connection ends before.
  bool Fill(std::size_t size);
  std::string Line();

  net::testing::Peer peer_;
  std::string pending_;
};

class WireTest : public ::testing::Test {
 protected:
  ~WireTest() override { Stop(); }

  // Listens on a free port of the loopback and starts.
  void Serve(Router router, ServerOptions options = {});
  void Stop() { server_.reset(); }

  Server& server() { return *server_; }
  WireClient Connect() { return WireClient(server_->address()); }

  // The sum of a counter over all loops.
  std::uint64_t Count(net::Counter ServerCounters::*counter) const;

  // Waits until it is so, for as long as a test may.
  static bool Eventually(const std::function<bool()>& holds);

  std::unique_ptr<Server> server_;
};

// "GET /path HTTP/1.1" with a Host.
std::string Get(std::string_view path);

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_WIRE_H_
