// Any text as the handshake's fields: what is agreed on keeps to what was wanted, and the other
// side understands it the same.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>

#include "strata/ws/deflate_negotiation.h"
#include "strata/ws/handshake.h"

namespace strata::ws {
namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsWindow(std::uint8_t bits) { return bits >= kMinWindowBits && bits <= kMaxWindowBits; }

constexpr DeflateParameters kWanted[] = {
    {},
    {.server_no_context_takeover = true, .client_no_context_takeover = true},
    {.server_max_window_bits = 8, .client_max_window_bits = 12},
    {.client_no_context_takeover = true, .server_max_window_bits = 13},
};

// As a client's offer.
void CheckOffer(std::string_view text, const DeflateParameters& wanted) {
  DeflateParameters agreed;
  std::string response;
  if (AcceptDeflateOffer(text, wanted, &agreed, &response) != DeflateChoice::kAgreed) return;
  Check(IsWindow(agreed.server_max_window_bits) && IsWindow(agreed.client_max_window_bits));
  Check(agreed.server_max_window_bits <= wanted.server_max_window_bits);
  Check(agreed.server_no_context_takeover >= wanted.server_no_context_takeover);
  Check(agreed.client_no_context_takeover >= wanted.client_no_context_takeover);
  // A client that offered all that there is.
  DeflateParameters understood;
  Check(CheckDeflateResponse(response, {}, &understood) == DeflateChoice::kAgreed);
  Check(understood == agreed);
  // Offers that follow one that is taken change nothing.
  std::string again;
  Check(AcceptDeflateOffer(std::string(text) + ", permessage-deflate, other; a=\"b\"", wanted,
                           &agreed, &again) == DeflateChoice::kAgreed);
  Check(again == response);
}

// As a server's response.
void CheckResponse(std::string_view text, const DeflateParameters& wanted) {
  DeflateParameters agreed;
  if (CheckDeflateResponse(text, wanted, &agreed) != DeflateChoice::kAgreed) return;
  Check(IsWindow(agreed.server_max_window_bits) && IsWindow(agreed.client_max_window_bits));
  Check(agreed.server_max_window_bits <= wanted.server_max_window_bits);
  Check(agreed.client_max_window_bits <= wanted.client_max_window_bits);
  Check(agreed.server_no_context_takeover >= wanted.server_no_context_takeover);
  Check(agreed.client_no_context_takeover >= wanted.client_no_context_takeover);
}

void CheckSubprotocols(std::string_view text) {
  constexpr std::string_view kSupported[] = {"chat", "v1.example", "x"};
  std::string_view chosen;
  if (ChooseSubprotocol(text, kSupported, &chosen) != SubprotocolChoice::kChosen) return;
  Check(std::find(std::begin(kSupported), std::end(kSupported), chosen) != std::end(kSupported));
  Check(text.find(chosen) != std::string_view::npos);
}

}  // namespace
}  // namespace strata::ws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata::ws;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const DeflateParameters& wanted : kWanted) {
    CheckOffer(text, wanted);
    CheckResponse(text, wanted);
  }
  CheckSubprotocols(text);
  Check(!IsValidWebSocketKey(text) || size == 24);
  Check(WebSocketAccept(text).size() == 28);
  return 0;
}
