// The list of extensions, read once from front to back, and what is made of permessage-deflate.

#include "strata/ws/deflate_negotiation.h"

#include <algorithm>
#include <optional>

#include "strata/http/text.h"

namespace strata::ws {
namespace {

constexpr std::string_view kExtension = "permessage-deflate";
constexpr std::string_view kServerNoContextTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoContextTakeover = "client_no_context_takeover";
constexpr std::string_view kServerMaxWindowBits = "server_max_window_bits";
constexpr std::string_view kClientMaxWindowBits = "client_max_window_bits";

void SkipBlanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Takes `c`, and the blanks around it, off the front if that is there.
bool TakeCharacter(char c, std::string_view& text) {
  SkipBlanks(text);
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  SkipBlanks(text);
  return true;
}

// Takes what ends before a blank or a separator off the front; empty if that is no token.
std::string_view TakeToken(std::string_view& text) {
  const std::string_view token = text.substr(0, text.find_first_of(" \t,;="));
  text.remove_prefix(token.size());
  return http::IsToken(token) ? token : std::string_view();
}

// A parameter's value: the only valid ones have one or two characters, so of others their
// beginning is kept.
struct Value {
  char characters[3] = {};
  std::size_t size = 0;

  void Add(char c) {
    if (size < sizeof(characters)) characters[size++] = c;
  }
};

// Takes a token off the front, or a quoted string that is one after unescaping (RFC 6455 section
// 9.1). False if neither is there.
bool TakeValue(std::string_view& text, Value* value) {
  if (text.empty() || text.front() != '"') {
    for (const char c : TakeToken(text)) value->Add(c);
    return value->size != 0;
  }
  text.remove_prefix(1);
  while (!text.empty()) {
    if (text.front() == '"') {
      text.remove_prefix(1);
      return value->size != 0;
    }
    if (text.front() == '\\') text.remove_prefix(1);
    if (text.empty() || !http::IsToken(text.substr(0, 1))) return false;
    value->Add(text.front());
    text.remove_prefix(1);
  }
  return false;
}

// A decimal number from 8 to 15 without leading zeros; 0 for anything else.
std::uint8_t WindowBits(const Value& value) {
  const std::string_view text(value.characters, value.size);
  if (text == "8" || text == "9") return static_cast<std::uint8_t>(text[0] - '0');
  if (text.size() != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return 0;
  return static_cast<std::uint8_t>(10 + text[1] - '0');
}

// One element of the list.
struct Extension {
  bool is_deflate = false;

  // With parameters that permessage-deflate has, once each, with values that they may have.
  bool acceptable = true;

  // The parameters that were there. Client_max_window_bits may be without a value: 0.
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<std::uint8_t> server_max_window_bits;
  std::optional<std::uint8_t> client_max_window_bits;
};

bool AddFlag(const std::optional<Value>& value, bool* flag) {
  const bool once = !*flag;
  *flag = true;
  return once && !value;
}

bool AddBits(const std::optional<Value>& value, bool value_optional,
             std::optional<std::uint8_t>* bits) {
  const bool once = !*bits;
  *bits = value ? WindowBits(*value) : std::uint8_t{0};
  return once && (value ? *bits != 0 : value_optional);
}

// Whether the parameter is acceptable.
bool AddParameter(std::string_view name, const std::optional<Value>& value, Extension* extension) {
  if (http::EqualsIgnoreCase(name, kServerNoContextTakeover)) {
    return AddFlag(value, &extension->server_no_context_takeover);
  }
  if (http::EqualsIgnoreCase(name, kClientNoContextTakeover)) {
    return AddFlag(value, &extension->client_no_context_takeover);
  }
  if (http::EqualsIgnoreCase(name, kServerMaxWindowBits)) {
    return AddBits(value, false, &extension->server_max_window_bits);
  }
  if (http::EqualsIgnoreCase(name, kClientMaxWindowBits)) {
    return AddBits(value, true, &extension->client_max_window_bits);
  }
  return false;
}

// Takes an extension with its parameters off the front of a list. False if there is none.
bool TakeExtension(std::string_view& list, Extension* extension) {
  const std::string_view name = TakeToken(list);
  if (name.empty()) return false;
  extension->is_deflate = http::EqualsIgnoreCase(name, kExtension);
  while (TakeCharacter(';', list)) {
    const std::string_view parameter = TakeToken(list);
    if (parameter.empty()) return false;
    std::optional<Value> value;
    if (TakeCharacter('=', list) && !TakeValue(list, &value.emplace())) return false;
    if (!AddParameter(parameter, value, extension)) extension->acceptable = false;
  }
  return true;
}

enum class Next { kExtension, kEnd, kBad };

// Takes the next element off the front of a list. A list may have empty elements (RFC 9110 section
// 5.6.1.2).
Next TakeNext(std::string_view& list, bool first, Extension* extension) {
  SkipBlanks(list);
  if (!first && !list.empty() && !TakeCharacter(',', list)) return Next::kBad;
  while (TakeCharacter(',', list)) continue;
  if (list.empty()) return Next::kEnd;
  return TakeExtension(list, extension) ? Next::kExtension : Next::kBad;
}

void AppendParameter(std::string_view name, std::uint8_t bits, std::string* text) {
  text->append("; ").append(name);
  if (bits != 0) text->append("=").append(std::to_string(bits));
}

}  // namespace

DeflateChoice AcceptDeflateOffer(std::string_view offers, const DeflateParameters& wanted,
                                 DeflateParameters* agreed, std::string* response) {
  std::optional<Extension> offer;
  for (bool first = true;; first = false) {
    Extension extension;
    const Next next = TakeNext(offers, first, &extension);
    if (next == Next::kBad) return DeflateChoice::kBad;
    if (next == Next::kEnd) break;
    // What follows an offer that is taken must be well-formed too.
    if (!offer && extension.is_deflate && extension.acceptable) offer = extension;
  }
  if (!offer) return DeflateChoice::kNone;

  *agreed = wanted;
  *response = kExtension;
  agreed->server_no_context_takeover |= offer->server_no_context_takeover;
  if (agreed->server_no_context_takeover) AppendParameter(kServerNoContextTakeover, 0, response);
  agreed->client_no_context_takeover |= offer->client_no_context_takeover;
  if (agreed->client_no_context_takeover) AppendParameter(kClientNoContextTakeover, 0, response);

  const std::uint8_t server_bits = offer->server_max_window_bits.value_or(kMaxWindowBits);
  agreed->server_max_window_bits = std::min(wanted.server_max_window_bits, server_bits);
  if (offer->server_max_window_bits || agreed->server_max_window_bits < kMaxWindowBits) {
    AppendParameter(kServerMaxWindowBits, agreed->server_max_window_bits, response);
  }
  // Section 7.1.2.2: not to be answered where it was not offered.
  std::uint8_t& client_bits = agreed->client_max_window_bits;
  if (!offer->client_max_window_bits) {
    client_bits = kMaxWindowBits;
  } else if (*offer->client_max_window_bits != 0) {
    client_bits = std::min(client_bits, *offer->client_max_window_bits);
  }
  if (client_bits < kMaxWindowBits) AppendParameter(kClientMaxWindowBits, client_bits, response);
  return DeflateChoice::kAgreed;
}

std::string DeflateOffer(const DeflateParameters& wanted) {
  std::string offer(kExtension);
  if (wanted.server_no_context_takeover) AppendParameter(kServerNoContextTakeover, 0, &offer);
  if (wanted.client_no_context_takeover) AppendParameter(kClientNoContextTakeover, 0, &offer);
  if (wanted.server_max_window_bits < kMaxWindowBits) {
    AppendParameter(kServerMaxWindowBits, wanted.server_max_window_bits, &offer);
  }
  // Always, so that a server may limit the window.
  const bool limited = wanted.client_max_window_bits < kMaxWindowBits;
  AppendParameter(kClientMaxWindowBits, limited ? wanted.client_max_window_bits : 0, &offer);
  return offer;
}

DeflateChoice CheckDeflateResponse(std::string_view response, const DeflateParameters& wanted,
                                   DeflateParameters* agreed) {
  Extension extension;
  const Next next = TakeNext(response, true, &extension);
  if (next == Next::kEnd) return DeflateChoice::kNone;
  if (next == Next::kBad || !extension.is_deflate || !extension.acceptable) {
    return DeflateChoice::kBad;
  }
  Extension another;
  if (TakeNext(response, false, &another) != Next::kEnd) return DeflateChoice::kBad;

  const std::uint8_t server_bits = extension.server_max_window_bits.value_or(kMaxWindowBits);
  const std::uint8_t client_bits =
      extension.client_max_window_bits.value_or(wanted.client_max_window_bits);
  // In a response client_max_window_bits has a value (section 7.1.2.2), and none of the two is
  // larger than the offer's.
  if (server_bits > wanted.server_max_window_bits) return DeflateChoice::kBad;
  if (client_bits == 0 || client_bits > wanted.client_max_window_bits) return DeflateChoice::kBad;
  if (wanted.server_no_context_takeover && !extension.server_no_context_takeover) {
    return DeflateChoice::kBad;
  }
  agreed->server_no_context_takeover = extension.server_no_context_takeover;
  agreed->client_no_context_takeover =
      wanted.client_no_context_takeover || extension.client_no_context_takeover;
  agreed->server_max_window_bits = server_bits;
  agreed->client_max_window_bits = client_bits;
  return DeflateChoice::kAgreed;
}

}  // namespace strata::ws
