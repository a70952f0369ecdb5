// File: jwt.h
//
// JSON Web Tokens (RFC 7519) with signatures (JWS, RFC 7515, compact form), after the best current
// practices of RFC 8725.
//
//   absl::StatusOr<strata::crypto::JwtSigner> signer = strata::crypto::JwtSigner::Create(
//       strata::crypto::JwtAlgorithm::kEdDsa, *std::move(key), "key-1");
//   if (!signer.ok()) return signer.status();
//   strata::crypto::JwtClaims claims;
//   claims.issuer = "https://login.example";
//   claims.audience = {"orders"};
//   claims.subject = "alice";
//   claims.expires = std::chrono::system_clock::now() + std::chrono::minutes(10);
//   absl::StatusOr<std::string> token = signer->Sign(claims);
//   if (!token.ok()) return token.status();
//
//   absl::StatusOr<strata::crypto::JwtVerifier> verifier = strata::crypto::JwtVerifier::Create(
//       strata::crypto::JwtAlgorithm::kEdDsa, signer->public_key().value());
//   if (!verifier.ok()) return verifier.status();
//   strata::crypto::JwtPolicy policy;
//   policy.issuer = "https://login.example";
//   policy.audience = "orders";
//   absl::StatusOr<strata::crypto::JwtClaims> seen = verifier->Verify(*token, policy);
//
// A key has one algorithm, set where the key is set up: the token's header can only agree with it.
// There is no "none". Critical extensions ("crit") are refused, as we understand none; keys inside
// the token ("jwk", "jku", "x5u", "x5c") are not looked at. Nothing of the payload is parsed before
// the signature is found good.
//
// Errors of Verify:
//   InvalidArgument     not a token of our form: its parts, its base64url, its header's JSON; or,
//   once
//                       the signature is good, its claims.
//   Unauthenticated     another algorithm or key, or the signature is not good: one text for all.
//   FailedPrecondition  genuine, but expired, without the expiry that is asked for, not yet valid,
//                       or too old.
//   PermissionDenied    genuine, but of another issuer, for another audience, or of another type.
//
// Thread-safe.

#ifndef STRATA_CRYPTO_JWT_H_
#define STRATA_CRYPTO_JWT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/crypto/key.h"

namespace strata::crypto {

enum class JwtAlgorithm {
  kHs256,  // HMAC-SHA256 (RFC 7518, section 3.2): both sides have the same key, of 32 bytes or
           // more.
  kEs256,  // ECDSA, P-256 and SHA-256 (section 3.4).
  kEdDsa,  // Ed25519 (RFC 8037, section 3.1).
  kRs256,  // RSASSA-PKCS1-v1_5 with SHA-256 (section 3.3).
  kPs256,  // RSASSA-PSS with SHA-256 (section 3.5).
};

// "HS256" and so on, as in the header's "alg".
std::string_view JwtAlgorithmName(JwtAlgorithm algorithm);

// The longest token, in bytes, and the longest "kid".
inline constexpr std::size_t kMaxJwtBytes = 64 * 1024;
inline constexpr std::size_t kMaxJwtKeyIdBytes = 1024;

// The shortest key of HS256, in bytes (RFC 7518, section 3.2).
inline constexpr std::size_t kMinHs256KeyBytes = 32;

// The claims of a token. Times are whole seconds since 1970; fractions are cut off. A time up to
// the year 9999 can be read, but one after 2262, where a Time ends, is read as that end.
struct JwtClaims {
  using Time = std::chrono::system_clock::time_point;

  std::optional<std::string> issuer;         // "iss"
  std::optional<std::string> subject;        // "sub"
  std::vector<std::string> audience;         // "aud": those whom the token is for.
  std::optional<Time> expires;               // "exp"
  std::optional<Time> not_before;            // "nbf"
  std::optional<Time> issued_at;             // "iat"
  std::optional<std::string> id;             // "jti"
  std::map<std::string, std::string> texts;  // The other claims that are strings.

  // Of a token that was verified, its whole payload, a JSON object; for claims that are no strings.
  // Sign() does not look at it.
  std::string json;
};

// What a genuine token must say to be accepted.
struct JwtPolicy {
  // Who must have issued it. Without, any issuer.
  std::optional<std::string> issuer = {};

  // Who we are. Without, a token that names an audience is not for us (RFC 7519, section 4.1.3);
  // with it, one that names none is not.
  std::optional<std::string> audience = {};

  // How far clocks may differ, at most an hour.
  std::chrono::seconds leeway{60};

  // Whether a token without "exp" is refused.
  bool require_expiry = true;

  // How long ago "iat" may be; with it, a token without "iat" is refused.
  std::optional<std::chrono::seconds> max_age = {};

  // What "typ" must be, without regard to case, "application/" left out, such as "at+jwt". Without,
  // it is not looked at. RFC 8725, section 3.11: so that one kind of token does not pass for
  // another.
  std::optional<std::string> type = {};

  // The time to compare with. Without, now.
  std::optional<std::chrono::system_clock::time_point> now = {};
};

// Makes tokens with one key.
class JwtSigner {
 public:
  // For all but kHs256. `key_id` becomes the header's "kid"; empty for none.
  static absl::StatusOr<JwtSigner> Create(JwtAlgorithm algorithm, PrivateKey key,
                                          std::string_view key_id = {});
  // HS256. The key is copied.
  static absl::StatusOr<JwtSigner> CreateHs256(std::span<const std::uint8_t> key,
                                               std::string_view key_id = {});
  ~JwtSigner();
  JwtSigner(JwtSigner&&) noexcept;
  JwtSigner& operator=(JwtSigner&&) noexcept;

  // A token of the claims that are set, `type` as its "typ". InvalidArgument if a text is not
  // UTF-8, one of `texts` has the name of a registered claim, or the token would be too long.
  absl::StatusOr<std::string> Sign(const JwtClaims& claims, std::string_view type = "JWT") const;

  // A JWS of any payload, with no claims in it and no "typ".
  absl::StatusOr<std::string> SignPayload(std::string_view payload) const;

  // The key to verify with; FailedPrecondition for HS256.
  absl::StatusOr<PublicKey> public_key() const;

 private:
  struct State;
  explicit JwtSigner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Verifies tokens by one key.
class JwtVerifier {
 public:
  // For all but kHs256. With a `key_id`, a token that has another "kid" is refused; one without is
  // not.
  static absl::StatusOr<JwtVerifier> Create(JwtAlgorithm algorithm, PublicKey key,
                                            std::string_view key_id = {});
  // HS256. The key is copied.
  static absl::StatusOr<JwtVerifier> CreateHs256(std::span<const std::uint8_t> key,
                                                 std::string_view key_id = {});
  ~JwtVerifier();
  JwtVerifier(JwtVerifier&&) noexcept;
  JwtVerifier& operator=(JwtVerifier&&) noexcept;

  // The claims of a genuine token that is as `policy` says.
  absl::StatusOr<JwtClaims> Verify(std::string_view token, const JwtPolicy& policy) const;

  // The payload of a genuine JWS, whatever it is.
  absl::StatusOr<std::string> VerifyPayload(std::string_view token) const;

  JwtAlgorithm algorithm() const;
  const std::string& key_id() const;

 private:
  friend class JwtKeySet;
  struct State;
  explicit JwtVerifier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The keys of an issuer, by "kid": a JWK Set (RFC 7517, section 5).
class JwtKeySet {
 public:
  // At most this many keys.
  static constexpr std::size_t kMaxKeys = 64;

  // Reads a JWK Set of public keys. Keys for another use ("use" other than "sig", "key_ops" without
  // "verify"), of other types or algorithms, symmetric ones and broken ones are passed over
  // (section 5), and skipped() counts them. A key without "alg" is for the one algorithm of its
  // type: ES256, EdDSA, and for RSA RS256. InvalidArgument if the set is malformed, has more than
  // kMaxKeys keys, two of one "kid" for one algorithm, a private one, or none that is of use.
  static absl::StatusOr<JwtKeySet> FromJson(std::string_view json);

  JwtKeySet(JwtKeySet&&) noexcept = default;
  JwtKeySet& operator=(JwtKeySet&&) noexcept = default;

  // As JwtVerifier::Verify, by the key whose "kid" and algorithm the token's header names. A token
  // without "kid" is verified if the set has one key alone.
  absl::StatusOr<JwtClaims> Verify(std::string_view token, const JwtPolicy& policy) const;

  // As JwtVerifier::VerifyPayload.
  absl::StatusOr<std::string> VerifyPayload(std::string_view token) const;

  std::size_t size() const { return verifiers_.size(); }
  std::size_t skipped() const { return skipped_; }

 private:
  JwtKeySet() = default;

  absl::StatusOr<const JwtVerifier*> Find(std::string_view token) const;

  std::vector<JwtVerifier> verifiers_;
  std::size_t skipped_ = 0;
};

// A public key as a member of a JWK Set, with "kid", "alg" and "use"; and the set of such members.
// InvalidArgument if the key is not one of the algorithm, or `key_id` not UTF-8 or empty.
absl::StatusOr<std::string> ToJwksMember(JwtAlgorithm algorithm, const PublicKey& key,
                                         std::string_view key_id);
std::string ToJwks(std::span<const std::string> members);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_JWT_H_
