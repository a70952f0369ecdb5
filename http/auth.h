// File: auth.h
//
// Who asks: handlers and middlewares that let only known users through (RFC 9110 section 11).
//
//   auto users = PasswordUsers::Create({{"alice", stored}});   // By crypto::HashPassword().
//   router.Get("/reports", RequirePassword(runtime.workers(), *users, "reports", ShowReports));
//
//   api.Use(RequireBearer(keys, {.realm = "orders", .scope = "orders.read", .policy = policy}));
//   api.Get("/orders", [](Request& request, Response& response) {
//     response.SendText(request.Attached<AuthenticatedUser>()->name);
//   });
//
// Who has sent no credentials, or such that are not good, is answered with 401 and a challenge; who
// is known but may not, with 403; what is no Authorization field at all, with 400. An answer never
// says whether a user exists. All of these schemes but Digest show the secret to who listens: use
// them over TLS alone. Put a rate limit (middleware.h) in front, for guesses cost time here too.

#ifndef STRATA_HTTP_AUTH_H_
#define STRATA_HTTP_AUTH_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "strata/crypto/jwt.h"
#include "strata/http/handler.h"
#include "strata/net/worker_pool.h"

namespace strata::http {

// What is attached to a request that was let through, and a RequestUser (request.h) of this name
// for the access log.
struct AuthenticatedUser {
  std::string name;
  std::string scheme;                       // "Basic", "Bearer" or "Digest".
  std::optional<crypto::JwtClaims> claims;  // Of a bearer's token.
};

// ---- Basic (RFC 7617) --------------------------------------------------------------------------

// Whether the password is the user's. On the loop, so it must not block; compare by
// crypto::ConstantTimeEquals().
using PasswordCheck =
    absl::AnyInvocable<bool(std::string_view user, std::string_view password) const>;

// `realm` is shown to users: visible ASCII and blanks.
Middleware RequireBasic(std::string realm, PasswordCheck check);

// Users and their passwords, as PHC strings (crypto/password.h). Thread-safe.
class PasswordUsers {
 public:
  struct Options {
    // How many credentials are known to be good without another look, and for how long. 0: none.
    // Each is kept as an HMAC under a key of this process, 40 bytes, and never as a password.
    std::size_t max_remembered = 1024;
    std::chrono::seconds remembered_for{300};
  };

  // InvalidArgument for a name that is empty or has a colon, and for what is no PHC string.
  static absl::StatusOr<std::shared_ptr<PasswordUsers>> Create(
      std::map<std::string, std::string> users);
  static absl::StatusOr<std::shared_ptr<PasswordUsers>> Create(
      std::map<std::string, std::string> users, const Options& options);
  ~PasswordUsers();

  // Adds a user, or gives it another password: the old one is good no longer from here on.
  absl::Status Set(std::string user, std::string stored);
  void Remove(std::string_view user);

  // Whether these are known to be good, by a Verify() of not long ago. Takes a microsecond.
  bool IsRemembered(std::string_view user, std::string_view password) const;

  // Whether these are good. Takes as long as a password's hash is made to take, for a user that
  // does not exist too, if the users' hashes have one cost: not on a loop.
  bool Verify(std::string_view user, std::string_view password);

 private:
  struct State;
  explicit PasswordUsers(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Calls `handler` for users alone. Passwords are verified on the pool, which must outlive the
// server's running; those that are remembered, at once. 503 with Retry-After if too many jobs wait.
// The body has come by then, within its limits; a handler of bodies in pieces cannot be wrapped.
Handler RequirePassword(net::WorkerPool& pool, std::shared_ptr<PasswordUsers> users,
                        std::string realm, Handler handler);

// ---- Bearer (RFC 6750) -------------------------------------------------------------------------

struct BearerOptions {
  std::string realm;  // As above.

  // Words that the token's claim "scope" must all have; empty for none. Else 403.
  std::string scope = {};

  // What else a token must be.
  crypto::JwtPolicy policy = {};
};

// Finds the claims of a good token, or says why it is not. On the loop.
using TokenCheck = std::function<absl::StatusOr<crypto::JwtClaims>(
    std::string_view token, const crypto::JwtPolicy& policy)>;

// JSON Web Tokens, by the keys of their issuer. The user is the token's subject.
Middleware RequireBearer(std::shared_ptr<const crypto::JwtKeySet> keys, BearerOptions options);

// The same by a check of one's own: keys that are renewed, or a single crypto::JwtVerifier.
Middleware RequireBearer(TokenCheck check, BearerOptions options);

}  // namespace strata::http

#endif  // STRATA_HTTP_AUTH_H_
