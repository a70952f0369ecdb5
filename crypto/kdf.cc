// Key derivation by OpenSSL's EVP_KDF, behind bounds.

#include "strata/crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/hash_internal.h"
#include "strata/crypto/openssl_internal.h"

namespace strata::crypto {
namespace {

// OpenSSL 3.0 takes no more; later ones do.
constexpr std::size_t kMaxInfoBytes = 1024;

constexpr std::uint32_t kMaxArgon2Kib = 1u << 20;

absl::Status OutOfBounds(std::string_view what) { return absl::InvalidArgumentError(what); }

// A list of parameters that lends what it names. OpenSSL reads and does not change it.
class Params {
 public:
  // OpenSSL takes an empty string for no parameter if its address is null.
  void AddBytes(const char* key, std::span<const std::uint8_t> bytes) {
    static constexpr std::uint8_t kNone[1] = {};
    const std::uint8_t* data = bytes.empty() ? kNone : bytes.data();
    list_.push_back(
        OSSL_PARAM_construct_octet_string(key, const_cast<std::uint8_t*>(data), bytes.size()));
  }
  void AddBytes(const char* key, std::string_view text) {
    AddBytes(key, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void AddName(const char* key, const char* name) {
    list_.push_back(OSSL_PARAM_construct_utf8_string(key, const_cast<char*>(name), 0));
  }
  void AddNumber(const char* key, std::uint32_t& number) {
    list_.push_back(OSSL_PARAM_construct_uint32(key, &number));
  }
  void AddNumber(const char* key, std::uint64_t& number) {
    list_.push_back(OSSL_PARAM_construct_uint64(key, &number));
  }
  void AddNumber(const char* key, int& number) {
    list_.push_back(OSSL_PARAM_construct_int(key, &number));
  }

  const OSSL_PARAM* get() {
    list_.push_back(OSSL_PARAM_construct_end());
    return list_.data();
  }

 private:
  std::vector<OSSL_PARAM> list_;
};

absl::StatusOr<SecretBytes> Derive(EVP_KDF* kdf, const char* name, Params& params,
                                   std::size_t size) {
  if (kdf == nullptr) {
    return OpenSslFailure(absl::StatusCode::kUnimplemented,
                          absl::StrCat(name, " is not in ", OpenSSL_version(OPENSSL_VERSION)));
  }
  OpenSslPtr<EVP_KDF_CTX> context(EVP_KDF_CTX_new(kdf));
  SecretBytes derived(size);
  if (context == nullptr ||
      EVP_KDF_derive(context.get(), derived.mutable_bytes().data(), size, params.get()) != 1) {
    return OpenSslFailure(absl::StatusCode::kInternal, absl::StrCat("OpenSSL did not do ", name));
  }
  return derived;
}

EVP_KDF* FetchHkdf() {
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  return kdf;
}

absl::Status CheckHkdf(HashAlgorithm hash, std::string_view info, std::size_t size) {
  if (size == 0 || size > 255 * HashBytes(hash)) {
    return OutOfBounds("HKDF derives from 1 byte to 255 times the size of the hash");
  }
  if (info.size() > kMaxInfoBytes) return OutOfBounds("HKDF takes an info of at most 1 KB");
  return absl::OkStatus();
}

absl::Status CheckSize(std::size_t size) {
  if (size == 0 || size > kMaxKdfBytes) return OutOfBounds("a key has from 1 to 1024 bytes");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SecretBytes> Hkdf(HashAlgorithm hash, std::span<const std::uint8_t> secret,
                                 std::span<const std::uint8_t> salt, std::string_view info,
                                 std::size_t size) {
  if (absl::Status status = CheckHkdf(hash, info, size); !status.ok()) return status;
  if (secret.empty()) return OutOfBounds("HKDF has no secret to derive from");
  int mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
  Params params;
  params.AddNumber(OSSL_KDF_PARAM_MODE, mode);
  params.AddName(OSSL_KDF_PARAM_DIGEST, OpenSslNameOf(hash));
  params.AddBytes(OSSL_KDF_PARAM_KEY, secret);
  if (!salt.empty()) params.AddBytes(OSSL_KDF_PARAM_SALT, salt);
  if (!info.empty()) params.AddBytes(OSSL_KDF_PARAM_INFO, info);
  return Derive(FetchHkdf(), "HKDF", params, size);
}

absl::StatusOr<SecretBytes> HkdfExpand(HashAlgorithm hash, std::span<const std::uint8_t> key,
                                       std::string_view info, std::size_t size) {
  if (absl::Status status = CheckHkdf(hash, info, size); !status.ok()) return status;
  if (key.size() < HashBytes(hash)) {
    return OutOfBounds("HKDF expands a key that has at least the size of the hash");
  }
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  Params params;
  params.AddNumber(OSSL_KDF_PARAM_MODE, mode);
  params.AddName(OSSL_KDF_PARAM_DIGEST, OpenSslNameOf(hash));
  params.AddBytes(OSSL_KDF_PARAM_KEY, key);
  if (!info.empty()) params.AddBytes(OSSL_KDF_PARAM_INFO, info);
  return Derive(FetchHkdf(), "HKDF", params, size);
}

absl::StatusOr<SecretBytes> Pbkdf2(HashAlgorithm hash, std::string_view password,
                                   std::span<const std::uint8_t> salt, std::uint32_t iterations,
                                   std::size_t size) {
  if (absl::Status status = CheckSize(size); !status.ok()) return status;
  if (iterations == 0 || iterations > kMaxPbkdf2Iterations) {
    return OutOfBounds("PBKDF2 takes from 1 to 20,000,000 iterations");
  }
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "PBKDF2", nullptr);
  // The standard's vectors go below what SP 800-132 asks for, and the caller chooses here.
  int no_lower_bounds = 1;
  Params params;
  params.AddNumber(OSSL_KDF_PARAM_PKCS5, no_lower_bounds);
  params.AddName(OSSL_KDF_PARAM_DIGEST, OpenSslNameOf(hash));
  params.AddBytes(OSSL_KDF_PARAM_PASSWORD, password);
  params.AddBytes(OSSL_KDF_PARAM_SALT, salt);
  params.AddNumber(OSSL_KDF_PARAM_ITER, iterations);
  return Derive(kdf, "PBKDF2", params, size);
}

absl::StatusOr<SecretBytes> Scrypt(std::string_view password, std::span<const std::uint8_t> salt,
                                   const ScryptCost& cost, std::size_t size) {
  if (absl::Status status = CheckSize(size); !status.ok()) return status;
  if (cost.log2_n < 1 || cost.log2_n > 24 || cost.r < 1 || cost.r > 64 || cost.p < 1 ||
      cost.p > 64) {
    return OutOfBounds("a cost of scrypt is not within its bounds");
  }
  std::uint64_t n = std::uint64_t{1} << cost.log2_n;
  if (128 * n * cost.r > kMaxScryptBytes)
    return OutOfBounds("scrypt takes at most 1 GiB of memory");
  if (128 * n * cost.r * cost.p > kMaxScryptWorkBytes) {
    return OutOfBounds("scrypt goes over at most 4 GiB of memory");
  }
  // RFC 7914, section 2: N < 2^(128 * r / 8).
  if (cost.r == 1 && cost.log2_n >= 16) return OutOfBounds("scrypt with r = 1 takes N below 2^16");

  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "SCRYPT", nullptr);
  std::uint32_t r = cost.r;
  std::uint32_t p = cost.p;
  // Our bound is the one above; OpenSSL's counts the blocks of p and some more.
  std::uint64_t max_bytes = 2 * kMaxScryptBytes;
  Params params;
  params.AddBytes(OSSL_KDF_PARAM_PASSWORD, password);
  params.AddBytes(OSSL_KDF_PARAM_SALT, salt);
  params.AddNumber(OSSL_KDF_PARAM_SCRYPT_N, n);
  params.AddNumber(OSSL_KDF_PARAM_SCRYPT_R, r);
  params.AddNumber(OSSL_KDF_PARAM_SCRYPT_P, p);
  params.AddNumber(OSSL_KDF_PARAM_SCRYPT_MAXMEM, max_bytes);
  return Derive(kdf, "scrypt", params, size);
}

absl::StatusOr<SecretBytes> Argon2id(std::string_view password, std::span<const std::uint8_t> salt,
                                     const Argon2Cost& cost, std::size_t size) {
  if (absl::Status status = CheckSize(size); !status.ok()) return status;
  if (size < 4 || salt.size() < 8) return OutOfBounds("Argon2id takes 4 bytes and a salt of 8");
  if (cost.lanes < 1 || cost.lanes > 64 || cost.passes < 1 || cost.passes > 64 ||
      cost.memory_kib < 8 * cost.lanes || cost.memory_kib > kMaxArgon2Kib) {
    return OutOfBounds("a cost of Argon2id is not within its bounds");
  }
  static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "ARGON2ID", nullptr);
  Argon2Cost copy = cost;
  Params params;
  params.AddBytes(OSSL_KDF_PARAM_PASSWORD, password);
  params.AddBytes(OSSL_KDF_PARAM_SALT, salt);
  params.AddNumber(OSSL_KDF_PARAM_ITER, copy.passes);
  // Names that the headers of 3.0 do not have yet.
  params.AddNumber("lanes", copy.lanes);
  params.AddNumber("memcost", copy.memory_kib);
  return Derive(kdf, "Argon2id", params, size);
}

}  // namespace strata::crypto
