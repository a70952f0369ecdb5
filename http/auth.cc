#include "strata/http/auth.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "strata/http/auth_internal.h"

namespace strata::http {

std::optional<Authorization> FindAuthorization(const Request& request, std::string_view scheme,
                                               bool& malformed) {
  const std::size_t count = request.fields().Count(FieldId::kAuthorization);
  malformed = count > 1;
  if (count != 1) return std::nullopt;
  absl::StatusOr<Authorization> sent =
      Authorization::Parse(*request.field(FieldId::kAuthorization));
  malformed = !sent.ok();
  if (malformed || !sent->Is(scheme)) return std::nullopt;
  return *std::move(sent);
}

void Challenge(Response& response, std::string_view challenge) {
  response.Set(FieldId::kWwwAuthenticate, challenge);
  response.SendError(401);
}

void AttachUser(Request& request, AuthenticatedUser user) {
  request.Attach(std::make_shared<const RequestUser>(RequestUser{user.name}));
  request.Attach(std::make_shared<const AuthenticatedUser>(std::move(user)));
}

// ---- Basic -------------------------------------------------------------------------------------

namespace {

std::string BasicChallenge(std::string_view realm) {
  return absl::StrCat("Basic realm=", QuotedString(realm), ", charset=\"UTF-8\"");
}

// None if it is answered.
std::optional<BasicCredentials> FindBasic(const Request& request, Response& response,
                                          std::string_view challenge) {
  bool malformed = false;
  const std::optional<Authorization> sent = FindAuthorization(request, "Basic", malformed);
  if (malformed) {
    response.SendError(400);
    return std::nullopt;
  }
  std::optional<BasicCredentials> credentials;
  if (sent) credentials = ParseBasicToken(sent->token68());
  if (!credentials) Challenge(response, challenge);
  return credentials;
}

}  // namespace

Middleware RequireBasic(std::string realm, PasswordCheck check) {
  return [challenge = BasicChallenge(realm), check = std::move(check)](Request& request,
                                                                       Response& response) {
    std::optional<BasicCredentials> sent = FindBasic(request, response, challenge);
    if (!sent) return;
    if (!check(sent->user, sent->password)) return Challenge(response, challenge);
    AttachUser(request, {.name = std::move(sent->user), .scheme = "Basic", .claims = {}});
  };
}

Handler RequirePassword(net::WorkerPool& pool, std::shared_ptr<PasswordUsers> users,
                        std::string realm, Handler handler) {
  return [&pool, users = std::move(users), challenge = BasicChallenge(realm),
          handler = std::make_shared<const Handler>(std::move(handler))](Request& request,
                                                                         Response& response) {
    std::optional<BasicCredentials> sent = FindBasic(request, response, challenge);
    if (!sent) return;
    if (users->IsRemembered(sent->user, sent->password)) {
      AttachUser(request, {.name = std::move(sent->user), .scheme = "Basic", .claims = {}});
      return (*handler)(request, response);
    }
    // Shared with the job, which is destroyed if it is refused.
    auto responder = std::make_shared<Responder>(response.Defer());
    const net::Error error =
        pool.Submit([users, challenge, handler, responder, kept = request.Keep(),
                     sent = *std::move(sent)]() mutable {
          const bool good = users->Verify(sent.user, sent.password);
          if (good) AttachUser(kept, {.name = sent.user, .scheme = "Basic", .claims = {}});
          responder->Call(std::move(kept),
                          [good, challenge, handler](Request& request, Response& response) {
                            if (!good) return Challenge(response, challenge);
                            (*handler)(request, response);
                          });
        });
    if (error == net::Error::kOk) return;
    Reply busy(503, "text/plain; charset=utf-8", "too many requests wait\n");
    busy.Set(FieldId::kRetryAfter, "1");
    responder->Send(std::move(busy));
  };
}

// ---- Bearer ------------------------------------------------------------------------------------

namespace {

// RFC 6749 section 3.3: words between blanks.
bool HasScope(const crypto::JwtClaims& claims, std::string_view wanted) {
  const auto scope = claims.texts.find("scope");
  const std::string_view has = scope == claims.texts.end() ? "" : std::string_view(scope->second);
  for (const std::string_view word : absl::StrSplit(wanted, ' ', absl::SkipEmpty())) {
    bool found = false;
    for (const std::string_view own : absl::StrSplit(has, ' ')) found = found || own == word;
    if (!found) return false;
  }
  return true;
}

}  // namespace

Middleware RequireBearer(std::shared_ptr<const crypto::JwtKeySet> keys, BearerOptions options) {
  return RequireBearer(
      [keys = std::move(keys)](std::string_view token, const crypto::JwtPolicy& policy) {
        return keys->Verify(token, policy);
      },
      std::move(options));
}

Middleware RequireBearer(TokenCheck check, BearerOptions options) {
  const std::string challenge = absl::StrCat("Bearer realm=", QuotedString(options.realm));
  return [check = std::move(check), options = std::move(options), challenge](Request& request,
                                                                             Response& response) {
    bool malformed = false;
    const std::optional<Authorization> sent = FindAuthorization(request, "Bearer", malformed);
    if (malformed || (sent && sent->token68().empty())) {
      response.Set(FieldId::kWwwAuthenticate,
                   absl::StrCat(challenge, ", error=\"invalid_request\""));
      return response.SendError(400);
    }
    // RFC 6750 section 3.1: no error for who has sent nothing.
    if (!sent) return Challenge(response, challenge);
    absl::StatusOr<crypto::JwtClaims> claims = check(sent->token68(), options.policy);
    if (!claims.ok()) {
      return Challenge(response, absl::StrCat(challenge, ", error=\"invalid_token\""));
    }
    AuthenticatedUser user = {
        .name = claims->subject.value_or(""), .scheme = "Bearer", .claims = *std::move(claims)};
    const bool may = HasScope(*user.claims, options.scope);
    // Also of who may not: the log has it.
    AttachUser(request, std::move(user));
    if (may) return;
    response.Set(FieldId::kWwwAuthenticate,
                 absl::StrCat(challenge, ", error=\"insufficient_scope\", scope=",
                              QuotedString(options.scope)));
    response.SendError(403);
  };
}

}  // namespace strata::http
