// Strict JSON objects on simdjson's DOM.

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "strata/crypto/jwk_json_internal.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {

namespace dom = simdjson::dom;

struct JsonObject::State {
  ~State() {
    // Where simdjson keeps strings: as large as its document::allocate() says.
    std::uint8_t* strings = parser.doc.string_buf.get();
    if (strings == nullptr) return;
    const std::size_t size =
        SIMDJSON_ROUNDUP_N(5 * parser.capacity() / 3 + simdjson::SIMDJSON_PADDING, 64);
    WipeBytes({strings, size});
  }

  SecretBytes padded;
  dom::parser parser;
  std::vector<std::pair<std::string_view, dom::element>> members;

  const dom::element* Find(std::string_view name) const {
    for (const auto& [its_name, element] : members) {
      if (its_name == name) return &element;
    }
    return nullptr;
  }
};

JsonObject::JsonObject(std::unique_ptr<State> state) : state_(std::move(state)) {}
JsonObject::~JsonObject() = default;
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;

absl::StatusOr<JsonObject> JsonObject::Parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError("JSON: not of 1 byte to 256 KB");
  }
  auto state = std::make_unique<State>();
  state->padded = SecretBytes(text.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(state->padded.mutable_bytes().data(), text.data(), text.size());
  if (state->parser.allocate(text.size(), kMaxJsonDepth) != simdjson::SUCCESS) {
    return absl::ResourceExhaustedError("JSON: no memory");
  }
  dom::object object;
  if (state->parser.parse(state->padded.bytes().data(), text.size(), false).get(object) !=
      simdjson::SUCCESS) {
    return absl::InvalidArgumentError("JSON: not an object");
  }
  for (const dom::key_value_pair member : object) {
    if (state->members.size() == kMaxJsonMembers) {
      return absl::InvalidArgumentError("JSON: more than 256 members");
    }
    if (state->Find(member.key) != nullptr) {
      return absl::InvalidArgumentError("JSON: a name comes twice");
    }
    state->members.emplace_back(member.key, member.value);
  }
  return JsonObject(std::move(state));
}

bool JsonObject::Has(std::string_view name) const { return state_->Find(name) != nullptr; }

bool JsonObject::Get(std::string_view name, std::optional<std::string_view>& out) const {
  const dom::element* element = state_->Find(name);
  if (element == nullptr) return true;
  std::string_view text;
  if (element->get(text) != simdjson::SUCCESS) return false;
  out = text;
  return true;
}

bool JsonObject::Get(std::string_view name, std::optional<double>& out) const {
  const dom::element* element = state_->Find(name);
  if (element == nullptr) return true;
  double number;
  if (element->get(number) != simdjson::SUCCESS) return false;
  out = number;
  return true;
}

bool JsonObject::GetTexts(std::string_view name, std::vector<std::string>& out) const {
  const dom::element* element = state_->Find(name);
  if (element == nullptr) return true;
  std::string_view text;
  if (element->get(text) == simdjson::SUCCESS) {
    out.emplace_back(text);
    return true;
  }
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) return false;
  for (const dom::element item : array) {
    if (item.get(text) != simdjson::SUCCESS) return false;
    out.emplace_back(text);
  }
  return true;
}

bool JsonObject::GetObjects(std::string_view name, std::vector<std::string>& out) const {
  const dom::element* element = state_->Find(name);
  if (element == nullptr) return true;
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) return false;
  for (const dom::element item : array) {
    out.push_back(item.is_object() ? simdjson::minify(item) : std::string());
  }
  return true;
}

void JsonObject::ForEachText(
    const std::function<void(std::string_view, std::string_view)>& see) const {
  for (const auto& [name, element] : state_->members) {
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) see(name, text);
  }
}

bool AppendJsonText(std::string& json, std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return false;
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      json += "\\u00";
      json += kHex[c >> 4];
      json += kHex[c & 15];
    } else {
      json += c;
    }
  }
  json += '"';
  return true;
}

}  // namespace strata::crypto
