// JSON Web Keys.

#include "strata/crypto/jwk.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/crypto/base64url_internal.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/jwk_json_internal.h"
#include "strata/crypto/key_internal.h"

namespace strata::crypto {
namespace {

using ByteSpan = std::span<const std::uint8_t>;

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("JWK: ", what));
}

// The longest number, in characters: one of a modulus of 8192 bits.
constexpr std::size_t kMaxNumberCharacters = (kMaxRsaBits / 8 * 8 + 5) / 6;

// The bytes of the member `name`, of `size` bytes, or if that is 0 of at least one and without a
// leading zero.
std::optional<SecretBytes> Number(const JsonObject& jwk, std::string_view name, std::size_t size) {
  std::optional<std::string_view> text;
  if (!jwk.Get(name, text) || !text.has_value() || text->size() > kMaxNumberCharacters) {
    return std::nullopt;
  }
  std::optional<SecretBytes> bytes = DecodeBase64(Base64Alphabet::kUrl, *text);
  if (!bytes.has_value() || bytes->empty()) return std::nullopt;
  if (size == 0 ? bytes->bytes()[0] == 0 : bytes->size() != size) return std::nullopt;
  return bytes;
}

// The type by "kty" and "crv".
absl::StatusOr<KeyType> TypeOf(const JsonObject& jwk) {
  std::optional<std::string_view> kty, crv;
  if (!jwk.Get("kty", kty) || !kty.has_value()) return Malformed("no \"kty\"");
  if (*kty == "RSA") return KeyType::kRsa;
  if (!jwk.Get("crv", crv) || !crv.has_value()) return Malformed("no \"crv\", or no key pair");
  for (const KeyType type : {KeyType::kEd25519, KeyType::kX25519}) {
    if (*kty == "OKP" && *crv == KeyTypeName(type)) return type;
  }
  for (const KeyType type : {KeyType::kP256, KeyType::kP384}) {
    if (*kty == "EC" && *crv == KeyTypeName(type)) return type;
  }
  return Malformed("an unknown \"kty\" or \"crv\"");
}

bool HasCoordinateY(KeyType type) { return type == KeyType::kP256 || type == KeyType::kP384; }

absl::StatusOr<PublicKey> ReadPublic(const JsonObject& jwk, KeyType type) {
  if (type == KeyType::kRsa) {
    const std::optional<SecretBytes> n = Number(jwk, "n", 0);
    const std::optional<SecretBytes> e = Number(jwk, "e", 0);
    if (!n.has_value() || !e.has_value()) return Malformed("\"n\" or \"e\"");
    return RsaPublicKey(n->bytes(), e->bytes());
  }
  const std::optional<SecretBytes> x = Number(jwk, "x", RawKeyBytes(type));
  if (!x.has_value()) return Malformed("\"x\" is not of the curve's size");
  if (!HasCoordinateY(type)) return PublicKey::FromRaw(type, x->bytes());
  const std::optional<SecretBytes> y = Number(jwk, "y", RawKeyBytes(type));
  if (!y.has_value()) return Malformed("\"y\" is not of the curve's size");
  std::vector<std::uint8_t> point = {4};
  point.insert(point.end(), x->bytes().begin(), x->bytes().end());
  point.insert(point.end(), y->bytes().begin(), y->bytes().end());
  return PublicKey::FromRaw(type, point);
}

// In the order of PKCS#1.
constexpr std::array<const char*, kRsaPrivateNumbers> kRsaMembers = {"n", "e",  "d",  "p",
                                                                     "q", "dp", "dq", "qi"};

absl::StatusOr<PrivateKey> ReadRsaPrivate(const JsonObject& jwk) {
  if (jwk.Has("oth")) return Malformed("RSA with more than two primes");
  std::array<SecretBytes, kRsaPrivateNumbers> numbers;
  std::array<ByteSpan, kRsaPrivateNumbers> spans;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::optional<SecretBytes> number = Number(jwk, kRsaMembers[i], 0);
    if (!number.has_value()) return Malformed("a number of the RSA key is missing or malformed");
    numbers[i] = *std::move(number);
    spans[i] = numbers[i].bytes();
  }
  return RsaPrivateKey(spans);
}

// A JSON object of strings that need no escapes, in a buffer that is wiped.
class SecretJson {
 public:
  void Add(std::string_view name, std::string_view value) {
    Append(size_ == 0 ? "{\"" : ",\"");
    Append(name);
    Append("\":\"");
    Append(value);
    Append("\"");
  }
  void Add(std::string_view name, ByteSpan number) {
    Add(name, EncodeBase64(Base64Alphabet::kUrl, number).text());
  }
  SecretBytes Finish() {
    Append("}");
    text_.Truncate(size_);
    return std::move(text_);
  }

 private:
  void Append(std::string_view text) {
    if (size_ + text.size() > text_.size()) std::abort();
    std::copy(text.begin(), text.end(), text_.mutable_bytes().begin() + size_);
    size_ += text.size();
  }

  // Eight numbers of an RSA key of 8192 bits take at most 8 * 1366 characters, and their names.
  SecretBytes text_{12 * 1024};
  std::ptrdiff_t size_ = 0;
};

// Names in the order of the alphabet; `private_key` null for the public key alone.
SecretBytes Write(const PublicKey& key, const PrivateKey* private_key) {
  SecretJson json;
  const KeyType type = key.type();
  if (type == KeyType::kRsa) {
    const std::vector<SecretBytes> numbers =
        private_key == nullptr ? RsaNumbersOf(KeyAccess::Get(key), kRsaPublicNumbers)
                               : RsaNumbersOf(KeyAccess::Get(*private_key), kRsaPrivateNumbers);
    const auto add = [&](std::initializer_list<std::size_t> members) {
      for (const std::size_t i : members) {
        if (i < numbers.size()) json.Add(kRsaMembers[i], numbers[i].bytes());
      }
    };
    add({2, 5, 6, 1});  // d, dp, dq, e
    json.Add("kty", "RSA");
    add({0, 3, 4, 7});  // n, p, q, qi
    return json.Finish();
  }
  const std::vector<std::uint8_t> raw = key.ToRaw().value();
  const std::size_t size = RawKeyBytes(type);
  const ByteSpan coordinates = ByteSpan(raw).subspan(HasCoordinateY(type) ? 1 : 0);
  json.Add("crv", KeyTypeName(type));
  if (private_key != nullptr) json.Add("d", private_key->ToRaw()->bytes());
  json.Add("kty", HasCoordinateY(type) ? "EC" : "OKP");
  json.Add("x", coordinates.first(size));
  if (HasCoordinateY(type)) json.Add("y", coordinates.last(size));
  return json.Finish();
}

}  // namespace

absl::StatusOr<PublicKey> PublicKeyFromJwk(std::string_view json) {
  const absl::StatusOr<JsonObject> jwk = JsonObject::Parse(json);
  if (!jwk.ok()) return jwk.status();
  const absl::StatusOr<KeyType> type = TypeOf(*jwk);
  if (!type.ok()) return type.status();
  if (jwk->Has("d")) return Malformed("a private key where a public one is expected");
  return ReadPublic(*jwk, *type);
}

absl::StatusOr<PrivateKey> PrivateKeyFromJwk(std::string_view json) {
  const absl::StatusOr<JsonObject> jwk = JsonObject::Parse(json);
  if (!jwk.ok()) return jwk.status();
  const absl::StatusOr<KeyType> type = TypeOf(*jwk);
  if (!type.ok()) return type.status();
  if (*type == KeyType::kRsa) return ReadRsaPrivate(*jwk);
  const absl::StatusOr<PublicKey> public_key = ReadPublic(*jwk, *type);
  if (!public_key.ok()) return public_key.status();
  const std::optional<SecretBytes> d = Number(*jwk, "d", RawKeyBytes(*type));
  if (!d.has_value()) return Malformed("\"d\" is missing, or not of the curve's size");
  absl::StatusOr<PrivateKey> key = PrivateKey::FromRaw(*type, d->bytes());
  if (!key.ok()) return key.status();
  if (key->public_key() != *public_key) return Malformed("the public key belongs to another one");
  return key;
}

std::string ToJwk(const PublicKey& key) { return std::string(Write(key, nullptr).text()); }

SecretBytes ToJwk(const PrivateKey& key) { return Write(key.public_key(), &key); }

std::string JwkThumbprint(const PublicKey& key) {
  return EncodeBase64Url(Hash(HashAlgorithm::kSha256, ToJwk(key)).bytes());
}

}  // namespace strata::crypto
