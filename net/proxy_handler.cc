// Reading the PROXY header of a connection.

#include <algorithm>
#include <utility>

#include "strata/net/proxy_handler_internal.h"
#include "strata/net/proxy_protocol.h"
#include "strata/net/tcp_connection.h"

namespace strata::net {

void ProxyHandler::OnOpen(Stream& stream) {
  // No peer reaches this rate with a header: it has to be over, and the rate withdrawn, before the
  // first window ends, however its bytes drip in.
  stream.SetMinReceiveRate(1 << 30, shared_->options.proxy_timeout);
}

void ProxyHandler::OnReceive(Stream& stream, std::string_view bytes) {
  const std::size_t before = header_.size();
  header_.append(bytes.substr(0, std::min(bytes.size(), kMaxProxyHeaderBytes - before)));
  ProxyHeader header;
  const ProxyParse parsed = ParseProxyHeader(header_, &header);
  if (parsed == ProxyParse::kMore) return;
  if (parsed == ProxyParse::kBad) {
    stream.Abort();
    return;
  }

  // Only listeners make this handler, and their streams are these.
  auto& connection = static_cast<TcpConnection&>(stream);
  if (header.source.family() != Address::Family::kNone) connection.set_peer_address(header.source);
  stream.SetMinReceiveRate(0, {});
  std::unique_ptr<StreamHandler> next = shared_->factory();
  StreamHandler& handler = *next;
  stream.SetHandler(std::move(next));
  handler.OnOpen(stream);
  bytes.remove_prefix(header.size - before);
  if (!bytes.empty()) connection.PassOn(bytes);
}

}  // namespace strata::net
