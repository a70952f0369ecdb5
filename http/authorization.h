// File: authorization.h
//
// The Authorization field, read (RFC 9110 section 11).
//
//   absl::StatusOr<Authorization> sent = Authorization::Parse(R"(Basic QWxhZGRpbjpvcGVu)");
//   if (sent.ok() && sent->Is("basic")) Check(sent->token68());
//
// Strict: what two readers could take in two ways is none: a parameter that comes twice, both a
// token and parameters, anything behind the end.

#ifndef STRATA_HTTP_AUTHORIZATION_H_
#define STRATA_HTTP_AUTHORIZATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace strata::http {

// More parameters than these are none that a scheme has.
inline constexpr std::size_t kMaxAuthorizationParams = 16;

class Authorization {
 public:
  // InvalidArgument if `value`, which has to outlive this, is not of the field's grammar.
  static absl::StatusOr<Authorization> Parse(std::string_view value);

  // Without regard to case.
  bool Is(std::string_view scheme) const;

  // What follows the scheme, if that is no list of parameters; else empty. Lives as long as the
  // bytes that were parsed.
  std::string_view token68() const { return token68_; }

  // A parameter, without its quotes and the backslashes in them; its name in any case.
  std::optional<std::string_view> param(std::string_view name) const;

 private:
  Authorization() = default;
  bool ParseParams(std::string_view text);

  std::string_view scheme_;
  std::string_view token68_;
  std::vector<std::pair<std::string_view, std::string>> params_;
};

struct BasicCredentials {
  std::string user;
  std::string password;
};

// The user and the password of a Basic token (RFC 7617 section 2). None if it is not base64 with
// its padding, has no colon, or a control character (section 2 forbids them).
std::optional<BasicCredentials> ParseBasicToken(std::string_view token68);

// "\"text\"", with backslashes where they are needed: for challenges. `text` has no control
// characters.
std::string QuotedString(std::string_view text);

}  // namespace strata::http

#endif  // STRATA_HTTP_AUTHORIZATION_H_
