// The pool.

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "strata/http/client_connection_internal.h"
#include "strata/http/client_core_internal.h"
#include "strata/http/client_fetch_internal.h"

namespace strata::http {
namespace {

// A server that answers early and stops to read must be heard; what is queued is bounded by
// ClientConnection::Upload().
ClientOptions Adapt(ClientOptions options) {
  options.connect.stream.pause_receive_when_full = false;
  return options;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

// Of what Url::Parse() has read: each "%" has its two digits.
std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool IsListed(const std::vector<std::string>& names, std::string_view host) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name.starts_with('.') ? host.ends_with(name) : host == name;
  });
}

}  // namespace

ClientCore::ClientCore(net::Loop& loop, net::Resolver& resolver, ClientOptions options)
    : loop_(loop),
      resolver_(resolver),
      options_(Adapt(std::move(options))),
      codings_(options_.codings) {
  for (const auto& coding : options_.codings) {
    absl::StrAppend(&accept_encoding_, accept_encoding_.empty() ? "" : ", ",
                    ContentCodingName(coding->coding()));
  }
  if (options_.proxy.empty()) return;
  absl::StatusOr<Url> proxy = Url::Parse(options_.proxy);
  if (!proxy.ok()) {
    proxy_status_ = absl::InvalidArgumentError("the proxy's URL is not good");
  } else if (proxy->scheme != "http") {
    proxy_status_ = absl::InvalidArgumentError("a proxy's URL must be of http");
  } else {
    if (!proxy->user_info.empty()) {
      std::string credentials = PercentDecode(proxy->user_info);
      if (credentials.find(':') == std::string::npos) credentials += ':';
      proxy_authorization_ = absl::StrCat("Basic ", absl::Base64Escape(credentials));
    }
    proxy_ = *std::move(proxy);
  }
}

net::RefPtr<Fetching> ClientCore::Fetch(ClientRequest request, Client::Callback done) {
  net::RefPtr<FetchJob> job(new FetchJob(*this, std::move(request), std::move(done)));
  if (!closed_) jobs_.emplace(job.get(), job);
  job->Start();
  return job;
}

void ClientCore::Close() {
  closed_ = true;
  const auto jobs = std::exchange(jobs_, {});
  for (const auto& [job, reference] : jobs) job->Fail(absl::CancelledError("the client is gone"));
  const auto connections = std::exchange(connections_, {});
  for (const auto& [connection, reference] : connections) connection->End();
  hosts_.clear();
}

absl::StatusOr<ClientRoute> ClientCore::RouteTo(const Url& url) const {
  const bool secure = url.scheme == "https";
  if (!secure && url.scheme != "http") {
    return absl::InvalidArgumentError(absl::StrCat("no client for the scheme ", url.scheme));
  }
  if (secure && !options_.secure) {
    return absl::InvalidArgumentError("no ClientOptions::secure for https");
  }
  if (!proxy_status_.ok()) return proxy_status_;
  ClientRoute route;
  route.secure = secure;
  route.host = url.host;
  route.target = url.Authority();
  if (proxy_ && !IsListed(options_.no_proxy, url.host)) {
    if (secure) {
      route.tunnel = std::exchange(route.target, proxy_->Authority());
    } else {
      route.target = proxy_->Authority();
      route.absolute_form = true;
    }
  }
  route.key = absl::StrCat(route.absolute_form ? "proxy "
                           : secure            ? "https "
                                               : "http ",
                           route.target, " ", route.tunnel);
  return route;
}

ClientCore::Host& ClientCore::HostOf(const std::string& key) {
  std::unique_ptr<Host>& host = hosts_[key];
  if (!host) host = std::make_unique<Host>();
  return *host;
}

void ClientCore::EraseIfUnused(const std::string& key) {
  const auto found = hosts_.find(key);
  if (found == hosts_.end()) return;
  if (found->second->connections == 0 && found->second->waiting.empty()) hosts_.erase(found);
}

absl::Status ClientCore::Acquire(FetchJob& job, bool fresh) {
  const std::string& key = job.route().key;
  Host& host = HostOf(key);
  if (fresh) {
    // The one used last was stale, so those that have lain for longer are too.
    const std::vector<ClientConnection*> idle = std::exchange(host.idle, {});
    for (ClientConnection* connection : idle) {
      --host.connections;
      const auto node = connections_.extract(connection);
      connection->End();
    }
  } else if (!host.idle.empty()) {
    ClientConnection* const connection = host.idle.back();
    host.idle.pop_back();
    connection->Send(job);
    return absl::OkStatus();
  }
  if (host.connections < options_.max_connections_per_host && MakeRoom(host)) {
    Open(job, host);
    return absl::OkStatus();
  }
  if (waiting_ >= options_.max_waiting_requests) {
    EraseIfUnused(key);
    return absl::ResourceExhaustedError("too many requests wait for a connection");
  }
  host.waiting.push_back(&job);
  ++waiting_;
  return absl::OkStatus();
}

void ClientCore::Open(FetchJob& job, Host& host) {
  const net::RefPtr<ClientConnection> connection(new ClientConnection(*this, job.route()));
  ++host.connections;
  connections_.emplace(connection.get(), connection);
  connection->Start(job);
}

// Whether another connection may be opened; at the cost of the one that has been free for longest,
// where that is needed. The host that asks stays in the table.
bool ClientCore::MakeRoom(const Host& asking) {
  if (connections_.size() < options_.max_connections) return true;
  ClientConnection* oldest = nullptr;
  for (const auto& [key, host] : hosts_) {
    if (host->idle.empty()) continue;
    if (!oldest || host->idle.front()->freed < oldest->freed) oldest = host->idle.front();
  }
  if (!oldest) return false;
  const auto node = connections_.extract(oldest);
  const std::string& key = oldest->route().key;
  Host& host = *hosts_.find(key)->second;
  host.idle.erase(host.idle.begin());
  --host.connections;
  oldest->End();
  if (&host != &asking) EraseIfUnused(key);
  return true;
}

void ClientCore::Free(ClientConnection& connection) {
  if (closed_) return connection.End();
  Host& host = HostOf(connection.route().key);
  if (!host.waiting.empty()) {
    FetchJob* const job = host.waiting.front();
    host.waiting.pop_front();
    --waiting_;
    connection.Send(*job);
    return;
  }
  connection.freed = ++uses_;
  host.idle.push_back(&connection);
  // Requests for other hosts may have waited for this one to be done.
  if (waiting_ > 0 && connections_.size() >= options_.max_connections) ServeWaiting();
}

void ClientCore::Remove(ClientConnection& connection) {
  const auto node = connections_.extract(&connection);
  if (node.empty()) return;
  const std::string& key = connection.route().key;
  Host& host = HostOf(key);
  --host.connections;
  std::erase(host.idle, &connection);
  EraseIfUnused(key);
  if (waiting_ > 0) ServeWaiting();
}

void ClientCore::ServeWaiting() {
  for (bool opened = true; opened && waiting_ > 0;) {
    opened = false;
    for (const auto& [key, host] : hosts_) {
      if (host->waiting.empty() || host->connections >= options_.max_connections_per_host) continue;
      if (!MakeRoom(*host)) return;
      FetchJob* const job = host->waiting.front();
      host->waiting.pop_front();
      --waiting_;
      Open(*job, *host);
      opened = true;
      break;
    }
  }
}

void ClientCore::StopWaiting(FetchJob& job) {
  const auto found = hosts_.find(job.route().key);
  if (found == hosts_.end()) return;
  waiting_ -= std::erase(found->second->waiting, &job);
  EraseIfUnused(job.route().key);
}

void ClientCore::Forget(FetchJob& job) { jobs_.erase(&job); }

std::size_t ClientCore::idle_count() const {
  std::size_t count = 0;
  for (const auto& [key, host] : hosts_) count += host->idle.size();
  return count;
}

}  // namespace strata::http
