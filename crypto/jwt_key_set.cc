// Sets of keys: which key is for which algorithm, and which for a token.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "strata/crypto/jwk.h"
#include "strata/crypto/jwk_json_internal.h"
#include "strata/crypto/jwt.h"
#include "strata/crypto/jwt_internal.h"

namespace strata::crypto {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("JWK Set: ", what));
}

constexpr JwtAlgorithm kPublicAlgorithms[] = {JwtAlgorithm::kEs256, JwtAlgorithm::kEdDsa,
                                              JwtAlgorithm::kRs256, JwtAlgorithm::kPs256};

// The algorithm that a key is for, by its "alg", or else by its type.
std::optional<JwtAlgorithm> AlgorithmOf(std::optional<std::string_view> alg, KeyType type) {
  for (const JwtAlgorithm algorithm : kPublicAlgorithms) {
    if (alg.has_value() && *alg == JwtAlgorithmName(algorithm)) return algorithm;
  }
  if (alg.has_value()) return std::nullopt;
  switch (type) {
    case KeyType::kEd25519:
      return JwtAlgorithm::kEdDsa;
    case KeyType::kP256:
      return JwtAlgorithm::kEs256;
    case KeyType::kRsa:
      return JwtAlgorithm::kRs256;
    default:
      return std::nullopt;
  }
}

// Whether "use" and "key_ops" allow to verify signatures.
bool IsForVerifying(const JsonObject& jwk) {
  std::optional<std::string_view> use;
  std::vector<std::string> operations;
  if (!jwk.Get("use", use) || !jwk.GetTexts("key_ops", operations)) return false;
  return (!use.has_value() || *use == "sig") &&
         (!jwk.Has("key_ops") || std::ranges::find(operations, "verify") != operations.end());
}

// The verifier of one member of a set; none if it is to be passed over.
std::optional<JwtVerifier> ReadMember(const JsonObject& jwk, std::string_view json) {
  std::optional<std::string_view> alg, key_id;
  if (!IsForVerifying(jwk) || !jwk.Get("alg", alg) || !jwk.Get("kid", key_id)) return std::nullopt;
  absl::StatusOr<PublicKey> key = PublicKeyFromJwk(json);
  if (!key.ok()) return std::nullopt;
  const std::optional<JwtAlgorithm> algorithm = AlgorithmOf(alg, key->type());
  if (!algorithm.has_value()) return std::nullopt;
  absl::StatusOr<JwtVerifier> verifier =
      JwtVerifier::Create(*algorithm, *std::move(key), key_id.value_or(""));
  if (!verifier.ok()) return std::nullopt;
  return *std::move(verifier);
}

}  // namespace

absl::StatusOr<JwtKeySet> JwtKeySet::FromJson(std::string_view json) {
  const absl::StatusOr<JsonObject> object = JsonObject::Parse(json);
  if (!object.ok()) return object.status();
  std::vector<std::string> members;
  if (!object->Has("keys") || !object->GetObjects("keys", members)) return Malformed("no \"keys\"");
  if (members.size() > kMaxKeys) return Malformed("more than 64 keys");
  JwtKeySet set;
  for (const std::string& member : members) {
    const absl::StatusOr<JsonObject> jwk = JsonObject::Parse(member);
    if (!jwk.ok()) return Malformed("a key is no object");
    // Also of a key that would be passed over: who publishes one wants to know.
    if (jwk->Has("d")) return Malformed("a private key");
    std::optional<JwtVerifier> verifier = ReadMember(*jwk, member);
    if (!verifier.has_value()) {
      ++set.skipped_;
      continue;
    }
    for (const JwtVerifier& other : set.verifiers_) {
      if (other.key_id() == verifier->key_id() && other.algorithm() == verifier->algorithm()) {
        return Malformed("two keys of one \"kid\"");
      }
    }
    set.verifiers_.push_back(*std::move(verifier));
  }
  if (set.verifiers_.empty()) return Malformed("no key that is of use");
  return set;
}

absl::StatusOr<const JwtVerifier*> JwtKeySet::Find(std::string_view token) const {
  const absl::StatusOr<ParsedJws> jws = ParseJws(token);
  if (!jws.ok()) return jws.status();
  if (!jws->key_id.has_value() && verifiers_.size() == 1) return &verifiers_.front();
  for (const JwtVerifier& verifier : verifiers_) {
    if (jws->key_id.has_value() && verifier.key_id() == *jws->key_id &&
        JwtAlgorithmName(verifier.algorithm()) == jws->algorithm) {
      return &verifier;
    }
  }
  return absl::UnauthenticatedError("the token is not genuine");
}

absl::StatusOr<JwtClaims> JwtKeySet::Verify(std::string_view token, const JwtPolicy& policy) const {
  const absl::StatusOr<const JwtVerifier*> verifier = Find(token);
  if (!verifier.ok()) return verifier.status();
  return (*verifier)->Verify(token, policy);
}

absl::StatusOr<std::string> JwtKeySet::VerifyPayload(std::string_view token) const {
  const absl::StatusOr<const JwtVerifier*> verifier = Find(token);
  if (!verifier.ok()) return verifier.status();
  return (*verifier)->VerifyPayload(token);
}

absl::StatusOr<std::string> ToJwksMember(JwtAlgorithm algorithm, const PublicKey& key,
                                         std::string_view key_id) {
  absl::StatusOr<JwtVerifier> verifier = JwtVerifier::Create(algorithm, key, key_id);
  if (!verifier.ok()) return verifier.status();
  if (key_id.empty()) return Malformed("a key needs a \"kid\"");
  std::string json = ToJwk(key);
  json.pop_back();
  absl::StrAppend(&json, ",\"alg\":\"", JwtAlgorithmName(algorithm), "\",\"use\":\"sig\",\"kid\":");
  AppendJsonText(json, key_id);
  return json + "}";
}

std::string ToJwks(std::span<const std::string> members) {
  return absl::StrCat("{\"keys\":[", absl::StrJoin(members, ","), "]}");
}

}  // namespace strata::crypto
