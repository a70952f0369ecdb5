// File: proxy_handler_internal.h
//
// The first handler of a connection that begins with a PROXY header: reads that, and makes way.

#ifndef STRATA_NET_PROXY_HANDLER_INTERNAL_H_
#define STRATA_NET_PROXY_HANDLER_INTERNAL_H_

#include <string>
#include <string_view>

#include "strata/net/acceptor_internal.h"
#include "strata/net/stream.h"

namespace strata::net {

class ProxyHandler final : public StreamHandler {
 public:
  explicit ProxyHandler(RefPtr<ListenerShared> shared) : shared_(std::move(shared)) {}

  void OnOpen(Stream& stream) override;
  void OnReceive(Stream& stream, std::string_view bytes) override;

 private:
  const RefPtr<ListenerShared> shared_;
  std::string header_;  // What has come of it, if it came in parts.
};

}  // namespace strata::net

#endif  // STRATA_NET_PROXY_HANDLER_INTERNAL_H_
