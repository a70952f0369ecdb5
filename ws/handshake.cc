// The opening handshake.

#include "strata/ws/handshake.h"

#include <algorithm>
#include <optional>

#include "strata/http/field.h"
#include "strata/http/text.h"
#include "strata/ws/sha1_internal.h"

namespace strata::ws {
namespace {

// Section 1.3. The server's answer is the digest of the key and this.
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// With padding (RFC 4648 section 4).
std::string Base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) word = word << 8 | (i < count ? bytes[at + i] : 0);
    for (std::size_t i = 0; i < 4; ++i) {
      text.push_back(i <= count ? kBase64[word >> (18 - 6 * i) & 0x3f] : '=');
    }
  }
  return text;
}

}  // namespace

bool IsValidWebSocketKey(std::string_view key) {
  // 16 bytes are 21 characters and two bits, whose other four bits nobody looks at.
  return key.size() == 24 && key.ends_with("==") &&
         key.substr(0, 22).find_first_not_of(kBase64) == std::string_view::npos;
}

std::string WebSocketKey(std::span<const std::uint8_t, 16> nonce) { return Base64(nonce); }

std::string WebSocketAccept(std::string_view key) {
  std::string bytes(key);
  bytes += kGuid;
  return Base64(Sha1::Of(bytes));
}

SubprotocolChoice ChooseSubprotocol(std::string_view offered,
                                    std::span<const std::string_view> supported,
                                    std::string_view* chosen) {
  std::array<std::string_view, kMaxSubprotocols> names;
  std::size_t count = 0;
  http::ListReader list(offered);
  while (const std::optional<std::string_view> name = list.Next()) {
    const auto end = names.begin() + static_cast<std::ptrdiff_t>(count);
    if (!http::IsToken(*name) || count == names.size() ||
        std::find(names.begin(), end, *name) != end) {
      return SubprotocolChoice::kBad;
    }
    names[count++] = *name;
  }
  if (count == 0) return SubprotocolChoice::kBad;
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = std::find(supported.begin(), supported.end(), names[i]);
    if (found != supported.end()) {
      *chosen = *found;
      return SubprotocolChoice::kChosen;
    }
  }
  return SubprotocolChoice::kNone;
}

}  // namespace strata::ws
