// File: deflate_negotiation.h
//
// How the two sides agree on permessage-deflate, RFC 7692 section 7.1, by the header field
// Sec-WebSocket-Extensions (RFC 6455 section 9.1) of the opening handshake.
//
//   // A server, which wants to keep nothing between messages:
//   DeflateParameters wanted = {.server_no_context_takeover = true,
//                               .client_no_context_takeover = true};
//   DeflateParameters agreed;
//   std::string response;
//   switch (AcceptDeflateOffer(offers, wanted, &agreed, &response)) {
//     case DeflateChoice::kAgreed:  // Answer with the field's value `response`.
//     case DeflateChoice::kNone:    // Answer without the field.
//     case DeflateChoice::kBad:     // 400.
//   }
//
// A field that occurs more than once is joined by commas. Names may be written in upper case; all
// takes time in proportion to the field's length.

#ifndef STRATA_WS_DEFLATE_NEGOTIATION_H_
#define STRATA_WS_DEFLATE_NEGOTIATION_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace strata::ws {

// A window has 256 to 32768 bytes.
inline constexpr std::uint8_t kMinWindowBits = 8;
inline constexpr std::uint8_t kMaxWindowBits = 15;

// What is wanted, or was agreed on. The defaults are those of the standard: each side keeps a
// window of 32 KB of what it sent, and of what it got, from message to message.
struct DeflateParameters {
  // The server's messages do not refer to those before (section 7.1.1.1).
  bool server_no_context_takeover = false;

  // The client's messages do not (section 7.1.1.2).
  bool client_no_context_takeover = false;

  // How far back the server's messages refer: 2 to the power of this, 8 to 15 (section 7.1.2.1).
  std::uint8_t server_max_window_bits = kMaxWindowBits;

  // How far back the client's messages do (section 7.1.2.2).
  std::uint8_t client_max_window_bits = kMaxWindowBits;

  friend bool operator==(const DeflateParameters&, const DeflateParameters&) = default;
};

enum class DeflateChoice : std::uint8_t { kNone, kAgreed, kBad };

// A server's choice. Of the offers of permessage-deflate the first one is taken that has known
// parameters, once each and with valid values; other extensions are passed over. kBad for what is
// no list of extensions at all.
//
// What is wanted is agreed on, or less where the offer asks for less: no context takeover if either
// side wants none, the smaller one of both windows. But a client that does not offer
// client_max_window_bits cannot be limited, and has a window of 15 bits.
DeflateChoice AcceptDeflateOffer(std::string_view offers, const DeflateParameters& wanted,
                                 DeflateParameters* agreed, std::string* response);

// A client's offer: the field's value.
std::string DeflateOffer(const DeflateParameters& wanted);

// What a server has made of DeflateOffer(wanted). kNone for an empty field, as for none. kBad if
// the connection has to fail: another extension or more than one, what was not offered, a window
// larger than offered, or context takeover for a server that was asked not to.
DeflateChoice CheckDeflateResponse(std::string_view response, const DeflateParameters& wanted,
                                   DeflateParameters* agreed);

}  // namespace strata::ws

#endif  // STRATA_WS_DEFLATE_NEGOTIATION_H_
