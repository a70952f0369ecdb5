// Tokens: header, payload and signature, in that order, and a key of one algorithm.

#include "strata/crypto/jwt.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "strata/crypto/base64url_internal.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/jwk_json_internal.h"
#include "strata/crypto/jwt_claims_internal.h"
#include "strata/crypto/jwt_internal.h"
#include "strata/crypto/sign.h"

namespace strata::crypto {
namespace {

SignatureAlgorithm SignatureOf(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kEs256:
      return SignatureAlgorithm::kEcdsaP256Sha256Fixed;
    case JwtAlgorithm::kRs256:
      return SignatureAlgorithm::kRsaPkcs1Sha256;
    case JwtAlgorithm::kPs256:
      return SignatureAlgorithm::kRsaPssSha256;
    default:
      return SignatureAlgorithm::kEd25519;
  }
}

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

absl::Status CheckNotHmac(JwtAlgorithm algorithm) {
  if (algorithm != JwtAlgorithm::kHs256) return absl::OkStatus();
  return absl::InvalidArgumentError("HS256 takes a secret key, not one of a pair");
}

absl::StatusOr<Hmac> MakeHmac(std::span<const std::uint8_t> key) {
  if (key.size() < kMinHs256KeyBytes) {
    return absl::InvalidArgumentError("a key of HS256 has 32 bytes or more");
  }
  return Hmac::Create(HashAlgorithm::kSha256, key);
}

absl::Status CheckKeyId(std::string_view key_id) {
  std::string json;
  if (key_id.size() <= kMaxJwtKeyIdBytes && AppendJsonText(json, key_id)) return absl::OkStatus();
  return absl::InvalidArgumentError("a key's id is UTF-8 of at most 1024 bytes");
}

absl::Status NotGenuine() { return absl::UnauthenticatedError("the token is not genuine"); }
absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("JWT: ", what));
}

}  // namespace

absl::StatusOr<ParsedJws> ParseJws(std::string_view token) {
  if (token.size() > kMaxJwtBytes) return Malformed("longer than 64 KB");
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return Malformed("not three parts");
  }
  const std::optional<std::string> header = DecodeBase64Url(token.substr(0, first));
  std::optional<std::string> payload = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = DecodeBase64Url(token.substr(second + 1));
  if (!header.has_value() || !payload.has_value() || !signature.has_value()) {
    return Malformed("not base64url");
  }
  const absl::StatusOr<JsonObject> object = JsonObject::Parse(*header);
  if (!object.ok()) return Malformed("the header is no JSON object");
  std::optional<std::string_view> algorithm, key_id, type;
  if (!object->Get("alg", algorithm) || !algorithm.has_value() || !object->Get("kid", key_id) ||
      !object->Get("typ", type)) {
    return Malformed("\"alg\", \"kid\" or \"typ\" of the header");
  }
  // RFC 7515, section 4.1.11; "b64" (RFC 7797) changes what is signed, and must be critical.
  if (object->Has("crit") || object->Has("b64")) return Malformed("an extension that is unknown");
  ParsedJws jws;
  jws.signed_part = token.substr(0, second);
  jws.algorithm = *algorithm;
  if (key_id.has_value()) jws.key_id = *key_id;
  if (type.has_value()) jws.type = *type;
  jws.payload = *std::move(payload);
  jws.signature = *std::move(signature);
  return jws;
}

std::string_view JwtAlgorithmName(JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::kHs256:
      return "HS256";
    case JwtAlgorithm::kEs256:
      return "ES256";
    case JwtAlgorithm::kEdDsa:
      return "EdDSA";
    case JwtAlgorithm::kRs256:
      return "RS256";
    case JwtAlgorithm::kPs256:
      break;
  }
  return "PS256";
}

struct JwtSigner::State {
  JwtAlgorithm algorithm;
  std::variant<Hmac, Signer> key;
  std::string key_id;
  std::string HeaderWith(std::string_view type) const;
  absl::StatusOr<std::string> Sign(std::string_view header, std::string_view payload) const;
};

JwtSigner::JwtSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
JwtSigner::~JwtSigner() = default;
JwtSigner::JwtSigner(JwtSigner&&) noexcept = default;
JwtSigner& JwtSigner::operator=(JwtSigner&&) noexcept = default;

absl::StatusOr<JwtSigner> JwtSigner::Create(JwtAlgorithm algorithm, PrivateKey key,
                                            std::string_view key_id) {
  if (absl::Status status = CheckNotHmac(algorithm); !status.ok()) return status;
  if (absl::Status status = CheckKeyId(key_id); !status.ok()) return status;
  absl::StatusOr<Signer> signer = Signer::Create(SignatureOf(algorithm), std::move(key));
  if (!signer.ok()) return signer.status();
  return JwtSigner(
      std::make_unique<State>(State{algorithm, *std::move(signer), std::string(key_id)}));
}

absl::StatusOr<JwtSigner> JwtSigner::CreateHs256(std::span<const std::uint8_t> key,
                                                 std::string_view key_id) {
  if (absl::Status status = CheckKeyId(key_id); !status.ok()) return status;
  absl::StatusOr<Hmac> hmac = MakeHmac(key);
  if (!hmac.ok()) return hmac.status();
  return JwtSigner(
      std::make_unique<State>(State{JwtAlgorithm::kHs256, *std::move(hmac), std::string(key_id)}));
}

// `type` must be UTF-8; empty for none.
std::string JwtSigner::State::HeaderWith(std::string_view type) const {
  std::string header = absl::StrCat("{\"alg\":\"", JwtAlgorithmName(algorithm), "\"");
  if (!type.empty()) {
    header += ",\"typ\":";
    if (!AppendJsonText(header, type)) return std::string();
  }
  if (!key_id.empty()) {
    header += ",\"kid\":";
    AppendJsonText(header, key_id);
  }
  return header + "}";
}

absl::StatusOr<std::string> JwtSigner::State::Sign(std::string_view header,
                                                   std::string_view payload) const {
  std::string token = absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
  std::string signature;
  if (const auto* hmac = std::get_if<Hmac>(&key)) {
    signature = std::string_view(hmac->Compute(token));
  } else {
    absl::StatusOr<std::string> made = std::get<Signer>(key).Sign(token);
    if (!made.ok()) return made.status();
    signature = *std::move(made);
  }
  absl::StrAppend(&token, ".", EncodeBase64Url(signature));
  if (token.size() > kMaxJwtBytes) return Malformed("longer than 64 KB");
  return token;
}

absl::StatusOr<std::string> JwtSigner::Sign(const JwtClaims& claims, std::string_view type) const {
  const absl::StatusOr<std::string> payload = WriteClaims(claims);
  if (!payload.ok()) return payload.status();
  const std::string header = state_->HeaderWith(type);
  if (header.empty()) return Malformed("the type is not UTF-8");
  return state_->Sign(header, *payload);
}

absl::StatusOr<std::string> JwtSigner::SignPayload(std::string_view payload) const {
  return state_->Sign(state_->HeaderWith({}), payload);
}

absl::StatusOr<PublicKey> JwtSigner::public_key() const {
  const auto* signer = std::get_if<Signer>(&state_->key);
  if (signer == nullptr) return absl::FailedPreconditionError("HS256 has no public key");
  return signer->public_key();
}

struct JwtVerifier::State {
  JwtAlgorithm algorithm;
  std::variant<Hmac, Verifier> key;
  std::string key_id;

  // Whether the header agrees with the key, and the signature is good.
  absl::Status Check(const ParsedJws& jws) const;
};

JwtVerifier::JwtVerifier(std::unique_ptr<State> state) : state_(std::move(state)) {}
JwtVerifier::~JwtVerifier() = default;
JwtVerifier::JwtVerifier(JwtVerifier&&) noexcept = default;
JwtVerifier& JwtVerifier::operator=(JwtVerifier&&) noexcept = default;

absl::StatusOr<JwtVerifier> JwtVerifier::Create(JwtAlgorithm algorithm, PublicKey key,
                                                std::string_view key_id) {
  if (absl::Status status = CheckNotHmac(algorithm); !status.ok()) return status;
  if (absl::Status status = CheckKeyId(key_id); !status.ok()) return status;
  absl::StatusOr<Verifier> verifier = Verifier::Create(SignatureOf(algorithm), std::move(key));
  if (!verifier.ok()) return verifier.status();
  return JwtVerifier(
      std::make_unique<State>(State{algorithm, *std::move(verifier), std::string(key_id)}));
}

absl::StatusOr<JwtVerifier> JwtVerifier::CreateHs256(std::span<const std::uint8_t> key,
                                                     std::string_view key_id) {
  if (absl::Status status = CheckKeyId(key_id); !status.ok()) return status;
  absl::StatusOr<Hmac> hmac = MakeHmac(key);
  if (!hmac.ok()) return hmac.status();
  return JwtVerifier(
      std::make_unique<State>(State{JwtAlgorithm::kHs256, *std::move(hmac), std::string(key_id)}));
}

absl::Status JwtVerifier::State::Check(const ParsedJws& jws) const {
  if (jws.algorithm != JwtAlgorithmName(algorithm)) return NotGenuine();
  if (!key_id.empty() && jws.key_id.has_value() && *jws.key_id != key_id) return NotGenuine();
  const auto* hmac = std::get_if<Hmac>(&key);
  const bool good = hmac != nullptr
                        ? hmac->Verify(jws.signed_part, AsBytes(jws.signature))
                        : std::get<Verifier>(key).Verify(jws.signed_part, jws.signature).ok();
  return good ? absl::OkStatus() : NotGenuine();
}

absl::StatusOr<JwtClaims> JwtVerifier::Verify(std::string_view token,
                                              const JwtPolicy& policy) const {
  const absl::StatusOr<ParsedJws> jws = ParseJws(token);
  if (!jws.ok()) return jws.status();
  if (absl::Status status = state_->Check(*jws); !status.ok()) return status;
  absl::StatusOr<JwtClaims> claims = ReadClaims(jws->payload);
  if (!claims.ok()) return claims.status();
  if (absl::Status status = CheckClaims(*claims, jws->type, policy); !status.ok()) return status;
  return claims;
}

absl::StatusOr<std::string> JwtVerifier::VerifyPayload(std::string_view token) const {
  absl::StatusOr<ParsedJws> jws = ParseJws(token);
  if (!jws.ok()) return jws.status();
  if (absl::Status status = state_->Check(*jws); !status.ok()) return status;
  return std::move(jws->payload);
}

JwtAlgorithm JwtVerifier::algorithm() const { return state_->algorithm; }
const std::string& JwtVerifier::key_id() const { return state_->key_id; }

}  // namespace strata::crypto
