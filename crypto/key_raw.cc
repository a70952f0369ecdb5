// Keys from their numbers and back: where a key is found good, or not.

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <utility>

#include "strata/crypto/key.h"
#include "strata/crypto/key_der_internal.h"
#include "strata/crypto/key_internal.h"

namespace strata::crypto {
namespace {

absl::Status NotAKey(std::string_view what) {
  return OpenSslFailure(absl::StatusCode::kInvalidArgument, what);
}

// For what can fail only for want of memory: a key that was made can be written.
void Require(bool holds) {
  if (holds) return;
  std::fputs("strata crypto: OpenSSL cannot write a key\n", stderr);
  std::abort();
}

// What OpenSSL calls a type that is not RSA.
const char* NameOf(KeyType type) {
  switch (type) {
    case KeyType::kEd25519:
      return "ED25519";
    case KeyType::kX25519:
      return "X25519";
    case KeyType::kP256:
      return SN_X9_62_prime256v1;
    case KeyType::kP384:
      return SN_secp384r1;
    case KeyType::kRsa:
      break;
  }
  return "RSA";
}

bool IsOnWeierstrassCurve(KeyType type) { return type == KeyType::kP256 || type == KeyType::kP384; }

OpenSslPtr<EC_GROUP> GroupOf(KeyType type) {
  return OpenSslPtr<EC_GROUP>(
      EC_GROUP_new_by_curve_name(type == KeyType::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1));
}

// 2^255 - 19, and the y of the points of order 1, 2, 4 and 8 of edwards25519 (RFC 8032, section
// 5.1), little-endian. All are taken without the sign of x, which is the highest bit.
using Coordinate = std::array<std::uint8_t, 32>;
constexpr Coordinate LittleEndian(std::uint8_t lowest, std::uint8_t middle, std::uint8_t highest) {
  Coordinate y = {};
  y.fill(middle);
  y[0] = lowest;
  y[31] = highest;
  return y;
}
constexpr Coordinate kFieldPrime = LittleEndian(0xed, 0xff, 0x7f);
constexpr Coordinate kSmallOrder[] = {
    LittleEndian(0, 0, 0),
    LittleEndian(1, 0, 0),
    LittleEndian(0xec, 0xff, 0x7f),
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

absl::Status CheckEd25519(ByteSpan bytes) {
  Coordinate y;
  std::ranges::copy(bytes, y.begin());
  y[31] &= 0x7f;
  if (!std::lexicographical_compare(y.rbegin(), y.rend(), kFieldPrime.rbegin(),
                                    kFieldPrime.rend())) {
    return NotAKey("Ed25519: the public key is not canonical");
  }
  if (std::ranges::find(kSmallOrder, y) != std::end(kSmallOrder)) {
    return NotAKey("Ed25519: the public key is of small order");
  }
  return absl::OkStatus();
}

OpenSslPtr<BIGNUM> Number(ByteSpan bytes) {
  OpenSslPtr<BIGNUM> number(BN_secure_new());
  Require(number != nullptr &&
          BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()) != nullptr);
  return number;
}

// A key from parameters that `build` pushes; null if OpenSSL refuses them.
template <typename Build>
OpenSslPtr<EVP_PKEY> FromParameters(const char* algorithm, int selection, Build build) {
  const OpenSslPtr<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr || !build(builder.get())) return nullptr;
  const OpenSslPtr<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const OpenSslPtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
    return nullptr;
  }
  return OpenSslPtr<EVP_PKEY>(key);
}

// A key of an elliptic curve, from its uncompressed point, and its private number if there is one.
OpenSslPtr<EVP_PKEY> EcKey(KeyType type, ByteSpan point, const BIGNUM* scalar) {
  const auto build = [&](OSSL_PARAM_BLD* builder) {
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, NameOf(type), 0) ==
               1 &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size()) == 1 &&
           (scalar == nullptr ||
            OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1);
  };
  return FromParameters("EC", scalar == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, build);
}

std::vector<std::uint8_t> Uncompressed(const EC_GROUP* group, const EC_POINT* point) {
  std::vector<std::uint8_t> bytes(
      EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, nullptr, 0, nullptr));
  Require(!bytes.empty() &&
          EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes.data(),
                             bytes.size(), nullptr) == bytes.size());
  return bytes;
}

absl::StatusOr<PublicKey> EcPublicKey(KeyType type, ByteSpan bytes) {
  const std::size_t coordinate = RawKeyBytes(type);
  const bool whole = bytes.size() == 1 + 2 * coordinate && bytes[0] == 4;
  const bool compressed = bytes.size() == 1 + coordinate && (bytes[0] == 2 || bytes[0] == 3);
  if (!whole && !compressed) return NotAKey("not a point of the curve: its size or form is wrong");
  const OpenSslPtr<EC_GROUP> group = GroupOf(type);
  const OpenSslPtr<EC_POINT> point(EC_POINT_new(group.get()));
  Require(point != nullptr);
  // Refuses coordinates beyond the field, and points that are not on the curve. The curves'
  // cofactor is 1, so what is on the curve is in the group.
  if (EC_POINT_oct2point(group.get(), point.get(), bytes.data(), bytes.size(), nullptr) != 1) {
    return NotAKey("the point is not on the curve");
  }
  OpenSslPtr<EVP_PKEY> key = EcKey(type, Uncompressed(group.get(), point.get()), nullptr);
  if (key == nullptr) return NotAKey("not a public key of the curve");
  return KeyAccess::Adopt(type, std::move(key));
}

absl::StatusOr<PrivateKey> EcPrivateKey(KeyType type, ByteSpan bytes) {
  const OpenSslPtr<BIGNUM> scalar = Number(bytes);
  const OpenSslPtr<EC_GROUP> group = GroupOf(type);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return NotAKey("the private key is out of its range");
  }
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  const OpenSslPtr<EC_POINT> point(EC_POINT_new(group.get()));
  Require(point != nullptr &&
          EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1);
  const std::vector<std::uint8_t> public_bytes = Uncompressed(group.get(), point.get());
  OpenSslPtr<EVP_PKEY> key = EcKey(type, public_bytes, scalar.get());
  if (key == nullptr) return NotAKey("not a private key of the curve");
  absl::StatusOr<PublicKey> public_key = EcPublicKey(type, public_bytes);
  if (!public_key.ok()) return public_key.status();
  return KeyAccess::Adopt(std::move(key), *std::move(public_key));
}

absl::Status CheckRsa(const BIGNUM* n, const BIGNUM* e) {
  const int bits = BN_num_bits(n);
  if (bits < kMinRsaBits || bits > kMaxRsaBits || !BN_is_odd(n)) {
    return NotAKey("RSA: the modulus is not an odd number of 2048 to 8192 bits");
  }
  if (BN_num_bits(e) < 17 || BN_num_bits(e) > 32 || !BN_is_odd(e)) {
    return NotAKey("RSA: the exponent is not an odd number from 65537 to 2^32 - 1");
  }
  return absl::OkStatus();
}

// In the order of PKCS#1.
constexpr const char* kRsaParameters[kRsaPrivateNumbers] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

OpenSslPtr<BIGNUM> NumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  return OpenSslPtr<BIGNUM>(value);
}

// The public half of a key, as an object that has nothing of the private one.
PublicKey PublicHalf(KeyType type, EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  Require(size > 0);
  const unsigned char* at = der;
  OpenSslPtr<EVP_PKEY> half(d2i_PUBKEY(nullptr, &at, size));
  OPENSSL_free(der);
  Require(half != nullptr);
  return KeyAccess::Adopt(type, std::move(half));
}

}  // namespace

std::string_view KeyTypeName(KeyType type) {
  switch (type) {
    case KeyType::kEd25519:
      return "Ed25519";
    case KeyType::kX25519:
      return "X25519";
    case KeyType::kP256:
      return "P-256";
    case KeyType::kP384:
      return "P-384";
    case KeyType::kRsa:
      break;
  }
  return "RSA";
}

std::size_t RawKeyBytes(KeyType type) { return type == KeyType::kP384 ? 48 : 32; }

PublicKey KeyAccess::Adopt(KeyType type, OpenSslPtr<EVP_PKEY> key) {
  return PublicKey(type, std::shared_ptr<EVP_PKEY>(std::move(key)));
}

PrivateKey KeyAccess::Adopt(OpenSslPtr<EVP_PKEY> key, PublicKey public_key) {
  return PrivateKey(std::shared_ptr<EVP_PKEY>(std::move(key)), std::move(public_key));
}

PublicKey::PublicKey(KeyType type, std::shared_ptr<evp_pkey_st> key)
    : type_(type), key_(std::move(key)) {}

PrivateKey::PrivateKey(std::shared_ptr<evp_pkey_st> key, PublicKey public_key)
    : key_(std::move(key)), public_key_(std::move(public_key)) {}

absl::StatusOr<PublicKey> PublicKey::FromRaw(KeyType type, ByteSpan bytes) {
  if (type == KeyType::kRsa) return NotAKey("an RSA key has no raw form");
  if (IsOnWeierstrassCurve(type)) return EcPublicKey(type, bytes);
  if (bytes.size() != RawKeyBytes(type)) return NotAKey("a raw public key has 32 bytes");
  if (type == KeyType::kEd25519) {
    if (absl::Status status = CheckEd25519(bytes); !status.ok()) return status;
  }
  OpenSslPtr<EVP_PKEY> key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, NameOf(type), nullptr, bytes.data(), bytes.size()));
  if (key == nullptr) return NotAKey("not a public key");
  return KeyAccess::Adopt(type, std::move(key));
}

absl::StatusOr<PrivateKey> PrivateKey::FromRaw(KeyType type, ByteSpan bytes) {
  if (type == KeyType::kRsa) return NotAKey("an RSA key has no raw form");
  if (bytes.size() != RawKeyBytes(type)) return NotAKey("the private key is of another size");
  if (IsOnWeierstrassCurve(type)) return EcPrivateKey(type, bytes);
  OpenSslPtr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, NameOf(type), nullptr, bytes.data(), bytes.size()));
  if (key == nullptr) return NotAKey("not a private key");
  PublicKey public_key = PublicHalf(type, key.get());
  return KeyAccess::Adopt(std::move(key), std::move(public_key));
}

absl::StatusOr<PublicKey> RsaPublicKey(ByteSpan n, ByteSpan e) {
  const OpenSslPtr<BIGNUM> modulus = Number(n);
  const OpenSslPtr<BIGNUM> exponent = Number(e);
  if (absl::Status status = CheckRsa(modulus.get(), exponent.get()); !status.ok()) return status;
  OpenSslPtr<EVP_PKEY> key =
      FromParameters("RSA", EVP_PKEY_PUBLIC_KEY, [&](OSSL_PARAM_BLD* builder) {
        return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1;
      });
  if (key == nullptr) return NotAKey("not an RSA public key");
  return KeyAccess::Adopt(KeyType::kRsa, std::move(key));
}

absl::StatusOr<PrivateKey> RsaPrivateKey(RsaNumbers numbers) {
  absl::StatusOr<PublicKey> public_key = RsaPublicKey(numbers[0], numbers[1]);
  if (!public_key.ok()) return public_key.status();
  std::vector<OpenSslPtr<BIGNUM>> values;
  OpenSslPtr<EVP_PKEY> key = FromParameters("RSA", EVP_PKEY_KEYPAIR, [&](OSSL_PARAM_BLD* builder) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      // None is longer than the modulus; a longer one would cost time before it is refused.
      if (numbers[i].size() > numbers[0].size()) return false;
      values.push_back(Number(numbers[i]));
      if (OSSL_PARAM_BLD_push_BN(builder, kRsaParameters[i], values.back().get()) != 1) {
        return false;
      }
    }
    return true;
  });
  if (key == nullptr) return NotAKey("not an RSA private key");
  // Whether the primes are primes and all numbers belong together: a wrong one lets a signature
  // give the key away.
  const OpenSslPtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_check(context.get()) != 1) {
    return NotAKey("RSA: the numbers of the private key do not belong together");
  }
  return KeyAccess::Adopt(std::move(key), *std::move(public_key));
}

absl::StatusOr<PrivateKey> PrivateKey::Generate(KeyType type, int rsa_bits) {
  if (type == KeyType::kRsa &&
      (rsa_bits < kMinRsaBits || rsa_bits > kMaxRsaBits || rsa_bits % 256 != 0)) {
    return NotAKey("RSA keys have 2048 to 8192 bits, a multiple of 256");
  }
  EVP_PKEY* made = nullptr;
  if (type == KeyType::kRsa) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(rsa_bits));
  } else if (IsOnWeierstrassCurve(type)) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", NameOf(type));
  } else {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, NameOf(type));
  }
  if (made == nullptr) return OpenSslFailure(absl::StatusCode::kInternal, "no key was generated");
  OpenSslPtr<EVP_PKEY> key(made);
  PublicKey public_key = PublicHalf(type, key.get());
  return KeyAccess::Adopt(std::move(key), std::move(public_key));
}

std::vector<std::uint8_t> PublicKey::ToDer() const {
  std::vector<std::uint8_t> der(
      static_cast<std::size_t>(std::max(0, i2d_PUBKEY(key_.get(), nullptr))));
  Require(!der.empty());
  std::uint8_t* at = der.data();
  Require(i2d_PUBKEY(key_.get(), &at) == static_cast<int>(der.size()));
  return der;
}

absl::StatusOr<std::vector<std::uint8_t>> PublicKey::ToRaw() const {
  if (type_ == KeyType::kRsa) return NotAKey("an RSA key has no raw form");
  std::vector<std::uint8_t> raw(1 + 2 * RawKeyBytes(type_));
  std::size_t size = raw.size();
  if (IsOnWeierstrassCurve(type_)) {
    Require(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, raw.data(),
                                            raw.size(), &size) == 1);
  } else {
    Require(EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size) == 1);
  }
  raw.resize(size);
  return raw;
}

int PublicKey::bits() const {
  switch (type_) {
    case KeyType::kRsa:
      return EVP_PKEY_get_bits(key_.get());
    case KeyType::kP384:
      return 384;
    case KeyType::kP256:
      return 256;
    default:
      return 255;
  }
}

std::vector<SecretBytes> RsaNumbersOf(EVP_PKEY* key, std::size_t count) {
  std::vector<SecretBytes> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    const OpenSslPtr<BIGNUM> number = NumberOf(key, kRsaParameters[i]);
    SecretBytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.mutable_bytes().data());
    numbers.push_back(std::move(bytes));
  }
  return numbers;
}

// Written here, for OpenSSL's own writer leaves the key in the memory that it frees.
SecretBytes PrivateKey::ToDer() const {
  switch (type()) {
    case KeyType::kRsa:
      return WritePkcs8(type(), WriteRsaPrivateKey(RsaNumbersOf(key_.get(), kRsaPrivateNumbers)));
    case KeyType::kP256:
    case KeyType::kP384:
      return WritePkcs8(type(), WriteEcPrivateKey(ToRaw()->bytes(), *public_key_.ToRaw()));
    default:
      return WritePkcs8(type(), DerElement(kDerOctetString, {ToRaw()->bytes()}));
  }
}

absl::StatusOr<SecretBytes> PrivateKey::ToRaw() const {
  if (type() == KeyType::kRsa) return NotAKey("an RSA key has no raw form");
  SecretBytes raw(RawKeyBytes(type()));
  std::size_t size = raw.size();
  if (IsOnWeierstrassCurve(type())) {
    const OpenSslPtr<BIGNUM> scalar = NumberOf(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY);
    Require(BN_bn2binpad(scalar.get(), raw.mutable_bytes().data(), static_cast<int>(size)) ==
            static_cast<int>(size));
  } else {
    // EVP_PKEY_get_raw_private_key() would leave the key in the memory that it frees.
    Require(EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY,
                                            raw.mutable_bytes().data(), size, &size) == 1 &&
            size == raw.size());
  }
  return raw;
}

}  // namespace strata::crypto
