// What a handler does that its user has not written.

#include "strata/net/stream.h"

namespace strata::net {

void StreamHandler::OnOpen(Stream&) {}
void StreamHandler::OnReceiveEnd(Stream& stream) { stream.Close(); }
void StreamHandler::OnWritable(Stream&) {}
void StreamHandler::OnDrain(Stream& stream) { stream.Close(); }
void StreamHandler::OnClosed(Stream&, Error) {}

}  // namespace strata::net
