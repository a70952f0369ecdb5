// Claims as JSON, and whether they are as a policy says.

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/jwk_json_internal.h"
#include "strata/crypto/jwt_claims_internal.h"

namespace strata::crypto {
namespace {

using Time = JwtClaims::Time;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> kRegistered = {"iss", "sub", "aud", "exp",
                                                         "nbf", "iat", "jti"};

bool IsRegistered(std::string_view name) {
  return std::ranges::find(kRegistered, name) != kRegistered.end();
}

// The last second of the year 9999, and the last that a Time holds, in the year 2262.
constexpr std::int64_t kMaxTime = 253'402'300'799;
constexpr std::int64_t kMaxHeldTime =
    std::chrono::floor<seconds>(Time::max()).time_since_epoch().count();

bool GetText(const JsonObject& object, std::string_view name, std::optional<std::string>& out) {
  std::optional<std::string_view> text;
  if (!object.Get(name, text)) return false;
  if (text.has_value()) out.emplace(*text);
  return true;
}

bool GetTime(const JsonObject& object, std::string_view name, std::optional<Time>& out) {
  std::optional<double> number;
  if (!object.Get(name, number)) return false;
  if (!number.has_value()) return true;
  if (!(*number >= 0 && *number <= static_cast<double>(kMaxTime))) return false;
  out = Time(seconds(std::min(static_cast<std::int64_t>(std::floor(*number)), kMaxHeldTime)));
  return true;
}

// An object's members, one after the other.
class Writer {
 public:
  bool Add(std::string_view name, std::string_view text) {
    return AddName(name) && AppendJsonText(json_, text);
  }
  bool Add(std::string_view name, const std::optional<std::string>& text) {
    return !text.has_value() || Add(name, std::string_view(*text));
  }
  bool Add(std::string_view name, const std::optional<Time>& time) {
    if (!time.has_value()) return true;
    const std::int64_t number = std::chrono::floor<seconds>(*time).time_since_epoch().count();
    if (number < 0 || !AddName(name)) return false;
    absl::StrAppend(&json_, number);
    return true;
  }
  bool Add(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return true;
    if (texts.size() == 1) return Add(name, std::string_view(texts.front()));
    if (!AddName(name)) return false;
    char before = '[';
    for (const std::string& text : texts) {
      json_ += before;
      before = ',';
      if (!AppendJsonText(json_, text)) return false;
    }
    json_ += ']';
    return true;
  }
  std::string Finish() { return json_.empty() ? "{}" : std::move(json_) + "}"; }

 private:
  bool AddName(std::string_view name) {
    json_ += json_.empty() ? '{' : ',';
    if (!AppendJsonText(json_, name)) return false;
    json_ += ':';
    return true;
  }

  std::string json_;
};

absl::Status CheckTimes(const JwtClaims& claims, const JwtPolicy& policy) {
  const Time now = policy.now.value_or(std::chrono::system_clock::now());
  const seconds leeway = std::clamp(policy.leeway, seconds(0), seconds(3600));
  // RFC 7519, section 4.1.4: the time must be before "exp".
  if (claims.expires.has_value() ? now - leeway >= *claims.expires : policy.require_expiry) {
    return absl::FailedPreconditionError(claims.expires.has_value() ? "the token has expired"
                                                                    : "the token never expires");
  }
  if (claims.not_before.has_value() && now + leeway < *claims.not_before) {
    return absl::FailedPreconditionError("the token is not yet valid");
  }
  if (claims.issued_at.has_value() && now + leeway < *claims.issued_at) {
    return absl::FailedPreconditionError("the token was issued in the future");
  }
  if (policy.max_age.has_value() &&
      (!claims.issued_at.has_value() || now - leeway - *claims.issued_at > *policy.max_age)) {
    return absl::FailedPreconditionError("the token is too old, or does not say how old it is");
  }
  return absl::OkStatus();
}

// A media type with its usual prefix left out (RFC 7515, section 4.1.9).
std::string_view WithoutPrefix(std::string_view type) {
  constexpr std::string_view kPrefix = "application/";
  if (absl::StartsWithIgnoreCase(type, kPrefix)) type.remove_prefix(kPrefix.size());
  return type;
}

}  // namespace

absl::StatusOr<JwtClaims> ReadClaims(std::string_view json) {
  const absl::StatusOr<JsonObject> object = JsonObject::Parse(json);
  if (!object.ok()) return object.status();
  JwtClaims claims;
  if (!GetText(*object, "iss", claims.issuer) || !GetText(*object, "sub", claims.subject) ||
      !GetText(*object, "jti", claims.id) || !object->GetTexts("aud", claims.audience) ||
      !GetTime(*object, "exp", claims.expires) || !GetTime(*object, "nbf", claims.not_before) ||
      !GetTime(*object, "iat", claims.issued_at)) {
    return absl::InvalidArgumentError("JWT: a registered claim is of another type");
  }
  // One that is for nobody must not pass for one that is for anybody.
  if (claims.audience.empty() && object->Has("aud")) {
    return absl::InvalidArgumentError("JWT: the audience is empty");
  }
  object->ForEachText([&](std::string_view name, std::string_view text) {
    if (!IsRegistered(name)) claims.texts.emplace(name, text);
  });
  claims.json = json;
  return claims;
}

absl::StatusOr<std::string> WriteClaims(const JwtClaims& claims) {
  Writer writer;
  bool good = writer.Add("iss", claims.issuer) && writer.Add("sub", claims.subject) &&
              writer.Add("aud", claims.audience) && writer.Add("exp", claims.expires) &&
              writer.Add("nbf", claims.not_before) && writer.Add("iat", claims.issued_at) &&
              writer.Add("jti", claims.id);
  for (const auto& [name, text] : claims.texts) {
    good = good && !IsRegistered(name) && writer.Add(name, std::string_view(text));
  }
  if (!good) return absl::InvalidArgumentError("JWT: a claim cannot be written");
  return writer.Finish();
}

absl::Status CheckClaims(const JwtClaims& claims, const std::optional<std::string>& type,
                         const JwtPolicy& policy) {
  if (policy.type.has_value() &&
      (!type.has_value() ||
       !absl::EqualsIgnoreCase(WithoutPrefix(*type), WithoutPrefix(*policy.type)))) {
    return absl::PermissionDeniedError("the token is of another type");
  }
  if (policy.issuer.has_value() && claims.issuer != policy.issuer) {
    return absl::PermissionDeniedError("the token is of another issuer");
  }
  const bool for_us =
      policy.audience.has_value()
          ? std::ranges::find(claims.audience, *policy.audience) != claims.audience.end()
          : claims.audience.empty();
  if (!for_us) return absl::PermissionDeniedError("the token is for another audience");
  return CheckTimes(claims, policy);
}

}  // namespace strata::crypto
