// File: digest_auth.h
//
// Digest authentication (RFC 7616) by SHA-256, with qop "auth": the password itself is not sent.
//
//   auto digest = DigestAuth::Create({.realm = "files"}, [](std::string_view user) {
//     return FindStored(user);   // Made by DigestSecret(user, "files", password).
//   });
//   router.Use(RequireDigest(*std::move(digest)));
//
// What a server stores is as good as the password for this realm, and quickly made, so that weak
// passwords are guessed from it: where TLS is at hand, basic authentication with slow hashes
// (auth.h) is the better choice. MD5, "auth-int" and "userhash" are not offered.

#ifndef STRATA_HTTP_DIGEST_AUTH_H_
#define STRATA_HTTP_DIGEST_AUTH_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "strata/http/handler.h"

namespace strata::http {

// H(user:realm:password), in hexadecimal (RFC 7616 section 3.4.2): what is stored of a user.
std::string DigestSecret(std::string_view user, std::string_view realm, std::string_view password);

// H(H(A1):nonce:nc:cnonce:auth:H(method:uri)), in hexadecimal (section 3.4.1): what a client sends.
std::string DigestResponse(std::string_view secret, std::string_view nonce, std::string_view nc,
                           std::string_view cnonce, std::string_view method, std::string_view uri);

struct DigestOptions {
  // Shown to users: visible ASCII and blanks.
  std::string realm;

  // How long a nonce is good for. A client then gets another, and need not ask its user.
  std::chrono::seconds nonce_lifetime{300};

  // Nonces in use that are watched for replays, 40 bytes each. Of more than these some are given up
  // early: their clients get another.
  std::size_t max_nonces = 4096;

  // The time, for tests; null for that of the steady clock.
  std::function<std::chrono::steady_clock::time_point()> now = nullptr;
};

// Thread-safe.
class DigestAuth {
 public:
  // The DigestSecret() of a user; none if there is no such user. On the loop: it must not block.
  using FindSecret = std::function<std::optional<std::string>(std::string_view user)>;

  // InvalidArgument if max_nonces is 0, or the realm has other bytes than are said above.
  static absl::StatusOr<std::shared_ptr<DigestAuth>> Create(DigestOptions options, FindSecret find);
  ~DigestAuth();

  enum class Verdict {
    kGood,
    kNone,       // No credentials of this scheme, or not good ones: 401.
    kStale,      // Good, but of a nonce that is too old or was given up: 401 with stale=true.
    kReplayed,   // Sent before, or of a count that is far behind: 401.
    kMalformed,  // 400.
  };

  // Who has sent good credentials.
  struct User {
    std::string name;

    // The value of an Authentication-Info field for the answer (section 3.5), by which the client
    // sees that the server knows the user's secret too.
    std::string info;
  };

  // Of one value of an Authorization field, for a request of this method and target. `user` is set
  // if it is good.
  Verdict Check(std::string_view authorization, std::string_view method, std::string_view target,
                User& user);

  // The value of a WWW-Authenticate field, with a fresh nonce.
  std::string Challenge(bool stale = false) const;

 private:
  struct State;
  explicit DigestAuth(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Lets only users through, and attaches an AuthenticatedUser (auth.h). Their answers have an
// Authentication-Info field.
Middleware RequireDigest(std::shared_ptr<DigestAuth> digest);

}  // namespace strata::http

#endif  // STRATA_HTTP_DIGEST_AUTH_H_
