// JSON objects (RFC 8259) from outside, as JOSE has them: one object at a time, read strictly. No
// name comes twice (RFC 7515, section 5.2: which one counts is a way to deceive), the text is
// UTF-8, its size and depth are bounded. What is read may be secret, and is wiped.

#ifndef STRATA_CRYPTO_JWK_JSON_INTERNAL_H_
#define STRATA_CRYPTO_JWK_JSON_INTERNAL_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace strata::crypto {

// The bounds: bytes of text, members of the object, and depth of what is in it.
inline constexpr std::size_t kMaxJsonBytes = 256 * 1024;
inline constexpr std::size_t kMaxJsonMembers = 256;
inline constexpr std::size_t kMaxJsonDepth = 16;

class JsonObject {
 public:
  // InvalidArgument if `text` is not one object within the bounds.
  static absl::StatusOr<JsonObject> Parse(std::string_view text);

  ~JsonObject();
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;

  bool Has(std::string_view name) const;

  // Each takes the member `name` to `out`, and leaves that alone if there is none. False if there
  // is one of another type. Views live as long as this object.
  bool Get(std::string_view name, std::optional<std::string_view>& out) const;
  bool Get(std::string_view name, std::optional<double>& out) const;
  // A string, or an array of strings.
  bool GetTexts(std::string_view name, std::vector<std::string>& out) const;
  // An array of objects, the text of each; of elements that are no objects, an empty text.
  bool GetObjects(std::string_view name, std::vector<std::string>& out) const;

  // Calls `see` with each member that is a string, in their order.
  void ForEachText(const std::function<void(std::string_view, std::string_view)>& see) const;

 private:
  struct State;
  explicit JsonObject(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Adds `text` to JSON, with its quotes. False, and nothing is added, if it is not UTF-8.
bool AppendJsonText(std::string& json, std::string_view text);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_JWK_JSON_INTERNAL_H_
