// File: blocking_client.h
//
// A client that waits: for programs without a loop, such as scripts and tests.
//
//   BlockingClient client({.user_agent = "example/1.0"});
//   absl::StatusOr<ClientResponse> response = client.Get("http://example.com/");
//   if (response.ok()) printf("%d %s\n", response->status, response->body.c_str());
//
// It has a thread of its own, on which a Client (client.h) does the work: what that promises of
// pools, redirects, retries and errors is promised here. Thread-safe: requests of several threads
// are under way at the same time.

#ifndef STRATA_HTTP_BLOCKING_CLIENT_H_
#define STRATA_HTTP_BLOCKING_CLIENT_H_

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/client.h"
#include "strata/http/client_message.h"
#include "strata/net/loop.h"
#include "strata/net/resolver.h"

namespace strata::http {

class BlockingClient {
 public:
  // If the system has no loop to give, each request answers why.
  explicit BlockingClient(ClientOptions options = {});

  // Requests that are under way for other threads end with Cancelled. Not by the client's thread.
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  // Asks, and waits for the response or the error, for ClientOptions::timeout at most. What the
  // request holds to be called (open_body, receiver) is called by the client's thread meanwhile,
  // and must not call this: FailedPrecondition.
  absl::StatusOr<ClientResponse> Fetch(ClientRequest request);

  absl::StatusOr<ClientResponse> Get(std::string url);
  absl::StatusOr<ClientResponse> Post(std::string url, std::string_view content_type,
                                      std::string body);

 private:
  absl::Status status_;
  std::unique_ptr<net::Loop> loop_;
  net::Resolver resolver_;
  std::unique_ptr<Client> client_;  // By the thread alone.
  std::thread thread_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_BLOCKING_CLIENT_H_
