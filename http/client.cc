// The client's face.

#include "strata/http/client.h"

#include <utility>

#include "strata/http/client_connection_internal.h"
#include "strata/http/client_core_internal.h"
#include "strata/http/client_fetch_internal.h"

namespace strata::http {

Client::Client(net::Loop& loop, net::Resolver& resolver, ClientOptions options)
    : core_(new ClientCore(loop, resolver, std::move(options))) {}

Client::~Client() { core_->Close(); }

net::RefPtr<Fetching> Client::Fetch(ClientRequest request, Callback done) {
  return core_->Fetch(std::move(request), std::move(done));
}

const ClientCounters& Client::counters() const { return core_->counters(); }
std::size_t Client::connection_count() const { return core_->connection_count(); }
std::size_t Client::idle_count() const { return core_->idle_count(); }

}  // namespace strata::http
