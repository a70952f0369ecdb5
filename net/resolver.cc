// Names by getaddrinfo(3), which Linux and Windows both have.

#include "strata/net/resolver.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netdb.h>
#include <sys/socket.h>
#endif

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/net/socket_internal.h"

namespace strata::net {
namespace {

absl::Status Failure(int code, const std::string& host) {
  const std::string text = absl::StrCat("resolve ", host, ": ", ::gai_strerror(code));
  switch (code) {
    case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    case EAI_NODATA:
#endif
      return absl::NotFoundError(text);
    case EAI_AGAIN:
      return absl::UnavailableError(text);
    default:
      return absl::UnknownError(text);
  }
}

Resolver::Result Ask(const std::string& host, std::uint16_t port, int flags) {
  internal::StartSockets();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (code != 0) return Failure(code, host);
  std::vector<Address> addresses;
  for (addrinfo* each = found; each && addresses.size() < Resolver::kMaxAddresses;
       each = each->ai_next) {
    Address address = Address::FromSockaddr(each->ai_addr, each->ai_addrlen);
    if (address.family() != Address::Family::kNone) addresses.push_back(std::move(address));
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return absl::NotFoundError(absl::StrCat("resolve ", host, ": no address"));
  return addresses;
}

}  // namespace

Error Resolver::Resolve(const Loop& loop, std::string host, std::uint16_t port, Callback callback) {
  // A null byte would end the name for the system, which then asks for another one.
  if (host.empty() || host.size() > 253 || host.find('\0') != std::string::npos) {
    return loop.mailbox()->PostAlways([callback = std::move(callback)]() mutable {
      callback(
          absl::InvalidArgumentError("resolve: a name has 1 to 253 characters, none of them 0"));
    });
  }
  Result numeric = Ask(host, port, AI_NUMERICHOST);
  if (numeric.ok()) {
    return loop.mailbox()->PostAlways(
        [callback = std::move(callback), numeric = std::move(numeric)]() mutable {
          callback(std::move(numeric));
        });
  }
  return workers_.Submit(
      loop, [host = std::move(host), port] { return Ask(host, port, AI_ADDRCONFIG); },
      std::move(callback));
}

}  // namespace strata::net
