// File: handshake.h
//
// The opening handshake, RFC 6455 section 4: what its header fields may say and what is answered.
// Pure functions of the fields' values, for the server and the client that have them from HTTP;
// what Connection and Upgrade have to be, FieldList::HasToken() of strata/http/field.h tells.
//
//   if (!IsValidWebSocketKey(key)) ...             // 400
//   if (version != kWebSocketVersion) ...          // 426, with Sec-WebSocket-Version: 13
//   std::string accept = WebSocketAccept(key);     // Sec-WebSocket-Accept
//   std::string_view protocol;
//   switch (ChooseSubprotocol(offered, supported, &protocol)) ...
//
// Every function takes time in proportion to its arguments, whatever they say.

#ifndef STRATA_WS_HANDSHAKE_H_
#define STRATA_WS_HANDSHAKE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace strata::ws {

// The only version of the protocol that there is: what Sec-WebSocket-Version has to be, without
// blanks around it (section 4.2.1).
inline constexpr std::string_view kWebSocketVersion = "13";

// Whether a client's Sec-WebSocket-Key is 16 bytes in base64 (section 4.2.1).
bool IsValidWebSocketKey(std::string_view key);

// The key of a client, from 16 random bytes (section 4.1).
std::string WebSocketKey(std::span<const std::uint8_t, 16> nonce);

// The server's Sec-WebSocket-Accept for a client's key (section 4.2.2), 28 characters. A client
// compares what it got with this, case and all (section 4.1).
std::string WebSocketAccept(std::string_view key);

// Of a handshake more subprotocols are no use.
inline constexpr std::size_t kMaxSubprotocols = 64;

enum class SubprotocolChoice : std::uint8_t {
  kNone,  // No offered one is supported: the connection is without one.
  kChosen,
  kBad,  // Not a list of tokens that are all different, or more than kMaxSubprotocols: 400.
};

// What a server answers to a client's Sec-WebSocket-Protocol, whose fields were joined by commas:
// the first one that the client names of those supported, for it names them in order of preference
// (section 4.1). *chosen is one of `supported`.
SubprotocolChoice ChooseSubprotocol(std::string_view offered,
                                    std::span<const std::string_view> supported,
                                    std::string_view* chosen);

}  // namespace strata::ws

#endif  // STRATA_WS_HANDSHAKE_H_
