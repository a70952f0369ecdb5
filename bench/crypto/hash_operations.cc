// Hashes and HMAC.

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

#include <array>
#include <memory>

#include "bench/crypto/operations.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/hmac.h"

namespace strata::bench {
namespace {

using crypto::HashAlgorithm;

constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3, 4, 5, 6, 7, 8};

Contender Strata(HashAlgorithm algorithm) {
  return {"strata", [algorithm](std::size_t size, std::size_t times) {
            const auto in = std::span<const std::uint8_t>(ThreadBuffers().in).first(size);
            for (; times > 0; --times) Require(crypto::Hash(algorithm, in).size() != 0);
          }};
}

void EvpHash(EVP_MD_CTX* context, const EVP_MD* digest, std::size_t size) {
  Buffers& buffers = ThreadBuffers();
  unsigned written = 0;
  Require(EVP_DigestInit_ex2(context, digest, nullptr) == 1);
  Require(EVP_DigestUpdate(context, buffers.in.data(), size) == 1);
  Require(EVP_DigestFinal_ex(context, buffers.out.data(), &written) == 1);
}

Contender Floor(const std::string& name, const std::string& digest_name) {
  const std::shared_ptr<EVP_MD> digest(EVP_MD_fetch(nullptr, digest_name.c_str(), nullptr),
                                       EVP_MD_free);
  const std::shared_ptr<EVP_MD_CTX> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return {name, [digest, context](std::size_t size, std::size_t times) {
            for (; times > 0; --times) EvpHash(context.get(), digest.get(), size);
          }};
}

Contender Naive(const std::string& digest_name) {
  return {"naive", [digest_name](std::size_t size, std::size_t times) {
            for (; times > 0; --times) {
              EVP_MD* digest = EVP_MD_fetch(nullptr, digest_name.c_str(), nullptr);
              EVP_MD_CTX* context = EVP_MD_CTX_new();
              EvpHash(context, digest, size);
              EVP_MD_CTX_free(context);
              EVP_MD_free(digest);
            }
          }};
}

using SodiumHash = int (*)(unsigned char*, const unsigned char*, unsigned long long);

Contender Sodium(SodiumHash hash) {
  return {"sodium", [hash](std::size_t size, std::size_t times) {
            Buffers& buffers = ThreadBuffers();
            for (; times > 0; --times) hash(buffers.out.data(), buffers.in.data(), size);
          }};
}

int SodiumBlake2b(unsigned char* out, const unsigned char* in, unsigned long long size) {
  return crypto_generichash(out, 64, in, size, nullptr, 0);
}

Operation Hashing(const std::string& name, HashAlgorithm algorithm, SodiumHash sodium) {
  Operation operation = {
      name, {Strata(algorithm), Floor("floor", name), Floor("again", name), Naive(name)}};
  if (sodium != nullptr) operation.contenders.push_back(Sodium(sodium));
  return operation;
}

struct Params {
  std::array<char, 7> digest = {'S', 'H', 'A', '2', '5', '6', '\0'};
  std::array<OSSL_PARAM, 2> list = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
};

void EvpMac(EVP_MAC_CTX* context, std::size_t size) {
  Buffers& buffers = ThreadBuffers();
  std::size_t written = 0;
  Require(EVP_MAC_update(context, buffers.in.data(), size) == 1);
  Require(EVP_MAC_final(context, buffers.out.data(), &written, 32) == 1);
}

Operation Mac() {
  const auto floor = [](const std::string& name) -> Contender {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    const std::shared_ptr<EVP_MAC_CTX> owned(EVP_MAC_CTX_new(mac), EVP_MAC_CTX_free);
    EVP_MAC_free(mac);
    Params params;
    Require(EVP_MAC_init(owned.get(), kKey.data(), kKey.size(), params.list.data()) == 1);
    return {name, [owned](std::size_t size, std::size_t times) {
              EVP_MAC_CTX* context = owned.get();
              for (; times > 0; --times) {
                Require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
                EvpMac(context, size);
              }
            }};
  };
  Contender naive = {
      "naive", [](std::size_t size, std::size_t times) {
        Params params;
        for (; times > 0; --times) {
          EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
          EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
          Require(EVP_MAC_init(context, kKey.data(), kKey.size(), params.list.data()) == 1);
          EvpMac(context, size);
          EVP_MAC_CTX_free(context);
          EVP_MAC_free(mac);
        }
      }};
  Contender sodium = {"sodium", [](std::size_t size, std::size_t times) {
                        Buffers& buffers = ThreadBuffers();
                        for (; times > 0; --times) {
                          crypto_auth_hmacsha256(buffers.out.data(), buffers.in.data(), size,
                                                 kKey.data());
                        }
                      }};
  absl::StatusOr<crypto::Hmac> hmac = crypto::Hmac::Create(HashAlgorithm::kSha256, kKey);
  Require(hmac.ok());
  Contender strata = {"strata", [hmac = std::make_shared<crypto::Hmac>(*std::move(hmac))](
                                    std::size_t size, std::size_t times) {
                        const auto in =
                            std::span<const std::uint8_t>(ThreadBuffers().in).first(size);
                        for (; times > 0; --times) Require(hmac->Compute(in).size() == 32);
                      }};
  return {"HMAC-SHA-256",
          {std::move(strata), floor("floor"), floor("again"), std::move(naive), std::move(sodium)}};
}

}  // namespace

std::vector<Operation> HashOperations() {
  return {Hashing("SHA2-256", HashAlgorithm::kSha256, crypto_hash_sha256),
          Hashing("SHA2-512", HashAlgorithm::kSha512, crypto_hash_sha512),
          Hashing("SHA3-256", HashAlgorithm::kSha3_256, nullptr),
          Hashing("BLAKE2B-512", HashAlgorithm::kBlake2b512, SodiumBlake2b), Mac()};
}

}  // namespace strata::bench
