// The connections of a client, and who waits for one.

#ifndef STRATA_HTTP_CLIENT_CORE_INTERNAL_H_
#define STRATA_HTTP_CLIENT_CORE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "strata/http/client.h"
#include "strata/http/coding_pool.h"
#include "strata/http/url.h"

namespace strata::http {

class ClientConnection;
class FetchJob;

// Where connections lead: those of one route can take each other's requests.
struct ClientRoute {
  std::string key;
  std::string target;  // "HOST:PORT" to connect to.
  std::string tunnel;  // What a proxy is asked to connect to, "HOST:PORT"; empty: nothing.
  std::string host;    // For the layer.
  bool secure = false;
  bool absolute_form = false;  // Requests to a proxy.
};

// Outlives the client as long as a connection does.
class ClientCore final : public net::RefCounted {
 public:
  ClientCore(net::Loop& loop, net::Resolver& resolver, ClientOptions options);

  net::RefPtr<Fetching> Fetch(ClientRequest request, Client::Callback done);
  void Close();

  net::Loop& loop() { return loop_; }
  net::Resolver& resolver() { return resolver_; }
  const ClientOptions& options() const { return options_; }
  ClientCounters& counters() { return counters_; }
  bool closed() const { return closed_; }

  // Of jobs.

  absl::StatusOr<ClientRoute> RouteTo(const Url& url) const;
  const std::string& proxy_authorization() const { return proxy_authorization_; }

  // The field's value; empty if there are no codings.
  const std::string& accept_encoding() const { return accept_encoding_; }
  CodingPool& codings() { return codings_; }

  // Finds a connection, opens one (always if `fresh`), or lets the job wait. The job is told
  // later what it got, or at once by ClientConnection::Send(). An error if it cannot be.
  absl::Status Acquire(FetchJob& job, bool fresh);
  void StopWaiting(FetchJob& job);
  void Forget(FetchJob& job);

  // Of connections.

  // It takes another request: that of a job that waits, or it is kept.
  void Free(ClientConnection& connection);

  // It takes none any more.
  void Remove(ClientConnection& connection);

  std::size_t connection_count() const { return connections_.size(); }
  std::size_t idle_count() const;

 private:
  struct Host {
    std::size_t connections = 0;
    std::vector<ClientConnection*> idle;  // Used last, last.
    std::deque<FetchJob*> waiting;
  };

  Host& HostOf(const std::string& key);
  void Open(FetchJob& job, Host& host);
  bool MakeRoom(const Host& asking);
  void ServeWaiting();
  void EraseIfUnused(const std::string& key);

  net::Loop& loop_;
  net::Resolver& resolver_;
  const ClientOptions options_;
  std::optional<Url> proxy_;
  absl::Status proxy_status_;
  std::string proxy_authorization_;
  std::string accept_encoding_;
  CodingPool codings_;
  ClientCounters counters_;
  absl::flat_hash_map<std::string, std::unique_ptr<Host>> hosts_;
  absl::flat_hash_map<ClientConnection*, net::RefPtr<ClientConnection>> connections_;
  absl::flat_hash_map<FetchJob*, net::RefPtr<FetchJob>> jobs_;
  std::size_t waiting_ = 0;
  std::uint64_t uses_ = 0;
  bool closed_ = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_CORE_INTERNAL_H_
