// File: wire_client.h
//
// A client of plain sockets, which knows of WebSocket no more than what tests of servers need; its
// frames are those of wire.h.

#ifndef STRATA_WS_TESTING_WIRE_CLIENT_H_
#define STRATA_WS_TESTING_WIRE_CLIENT_H_

#include <string>
#include <string_view>

#include "strata/http/testing/wire.h"

namespace strata::ws::wire {

// RFC 6455 section 1.3.
inline constexpr char kSampleKey[] = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr char kSampleAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// The request of a handshake; `fields` are whole lines.
std::string Handshake(std::string_view fields = {}, std::string_view path = "/");

struct Received {
  int first_byte = -1;  // -1: the connection ended.
  std::string payload;
};

// The code of a Close frame; 1005 if it has none, -1 if it is none.
int CodeOf(const Received& frame);

class Client : public http::testing::WireClient {
 public:
  using WireClient::WireClient;

  // The answer to the handshake; of status 101 when all is well.
  http::testing::WireResponse Upgrade(std::string_view fields = {}, std::string_view path = "/") {
    return Ask(Handshake(fields, path));
  }

  Received ReadFrame();
};

}  // namespace strata::ws::wire

#endif  // STRATA_WS_TESTING_WIRE_CLIENT_H_
