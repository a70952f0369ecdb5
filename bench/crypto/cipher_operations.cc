// AES-GCM, ChaCha20-Poly1305 and AES-CTR. Strata draws a random nonce for each message of an AEAD,
// and the rivals count theirs.

#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <memory>

#include "bench/crypto/operations.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/hazmat/aes_ctr.h"

namespace strata::bench {
namespace {

using crypto::Aead;
using crypto::AeadAlgorithm;
using crypto::hazmat::AesCtr;

constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3, 4, 5, 6, 7, 8};

using Iv = std::array<std::uint8_t, 16>;

void Next(Iv& iv) {
  for (std::uint8_t& byte : iv) {
    if (++byte != 0) return;
  }
}

void EvpSeal(EVP_CIPHER_CTX* context, std::size_t size, bool tagged) {
  Buffers& buffers = ThreadBuffers();
  int written = 0;
  Require(EVP_EncryptUpdate(context, buffers.out.data(), &written, buffers.in.data(),
                            static_cast<int>(size)) == 1);
  if (!tagged) return;
  Require(EVP_EncryptFinal_ex(context, buffers.out.data() + size, &written) == 1);
  Require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, buffers.out.data() + size) == 1);
}

// A context with the key set.
std::shared_ptr<EVP_CIPHER_CTX> MakeContext(const std::string& cipher_name, bool encrypt) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, cipher_name.c_str(), nullptr);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Require(EVP_CipherInit_ex2(context, cipher, kKey.data(), Iv().data(), encrypt, nullptr) == 1);
  EVP_CIPHER_free(cipher);
  return {context, EVP_CIPHER_CTX_free};
}

Contender Floor(const std::string& name, const std::string& cipher_name, bool tagged) {
  return {name,
          [owned = MakeContext(cipher_name, true), tagged](std::size_t size, std::size_t times) {
            EVP_CIPHER_CTX* context = owned.get();
            static thread_local Iv iv = {};
            for (; times > 0; --times) {
              Next(iv);
              Require(EVP_EncryptInit_ex2(context, nullptr, nullptr, iv.data(), nullptr) == 1);
              EvpSeal(context, size, tagged);
            }
          }};
}

Contender Naive(const std::string& cipher_name, bool tagged) {
  return {"naive", [cipher_name, tagged](std::size_t size, std::size_t times) {
            static thread_local Iv iv = {};
            for (; times > 0; --times) {
              Next(iv);
              EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, cipher_name.c_str(), nullptr);
              EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
              Require(EVP_EncryptInit_ex2(context, cipher, kKey.data(), iv.data(), nullptr) == 1);
              EvpSeal(context, size, tagged);
              EVP_CIPHER_CTX_free(context);
              EVP_CIPHER_free(cipher);
            }
          }};
}

std::shared_ptr<Aead> MakeAead(AeadAlgorithm algorithm) {
  const std::size_t key_bytes = crypto::AeadKeyBytes(algorithm);
  absl::StatusOr<Aead> aead = Aead::Create(algorithm, std::span(kKey).first(key_bytes));
  Require(aead.ok());
  return std::make_shared<Aead>(*std::move(aead));
}

Contender Sealing(AeadAlgorithm algorithm) {
  return {"strata", [aead = MakeAead(algorithm)](std::size_t size, std::size_t times) {
            Buffers& buffers = ThreadBuffers();
            const auto in = std::span(buffers.in).first(size);
            const auto out = std::span(buffers.out).first(size + crypto::kAeadOverheadBytes);
            for (; times > 0; --times) Require(aead->SealTo(in, {}, out).ok());
          }};
}

Operation Seal(const std::string& name, AeadAlgorithm algorithm, Contender sodium) {
  Operation operation = {name, {Sealing(algorithm)}};
  operation.contenders.push_back(Floor("floor", name, true));
  operation.contenders.push_back(Floor("again", name, true));
  operation.contenders.push_back(Naive(name, true));
  if (sodium.run) operation.contenders.push_back(std::move(sodium));
  return operation;
}

// Opens messages that are already sealed, over and over.
Operation Open() {
  const auto open_floor = [](const char* name) -> Contender {
    return {name,
            [owned = MakeContext("AES-256-GCM", false), aead = MakeAead(AeadAlgorithm::kAes256Gcm)](
                std::size_t size, std::size_t times) {
              EVP_CIPHER_CTX* context = owned.get();
              std::vector<std::uint8_t> in(size + crypto::kAeadOverheadBytes);
              Buffers& buffers = ThreadBuffers();
              Require(aead->SealTo(std::span(buffers.in).first(size), {}, in).ok());
              for (; times > 0; --times) {
                int written = 0;
                Require(EVP_DecryptInit_ex2(context, nullptr, nullptr, in.data(), nullptr) == 1);
                Require(EVP_DecryptUpdate(context, buffers.out.data(), &written, in.data() + 12,
                                          static_cast<int>(size)) == 1);
                Require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16,
                                            in.data() + 12 + size) == 1);
                Require(EVP_DecryptFinal_ex(context, buffers.out.data() + size, &written) == 1);
              }
            }};
  };
  Contender strata = {
      "strata", [aead = MakeAead(AeadAlgorithm::kAes256Gcm)](std::size_t size, std::size_t times) {
        std::vector<std::uint8_t> in(size + crypto::kAeadOverheadBytes);
        Buffers& buffers = ThreadBuffers();
        Require(aead->SealTo(std::span(buffers.in).first(size), {}, in).ok());
        const auto out = std::span(buffers.out).first(size);
        for (; times > 0; --times) Require(aead->OpenTo(in, {}, out).ok());
      }};
  return {"AES-256-GCM open", {std::move(strata), open_floor("floor"), open_floor("again")}};
}

Contender SodiumGcm() {
  if (crypto_aead_aes256gcm_is_available() == 0) return {};
  auto state = std::shared_ptr<crypto_aead_aes256gcm_state>(
      static_cast<crypto_aead_aes256gcm_state*>(sodium_malloc(sizeof(crypto_aead_aes256gcm_state))),
      sodium_free);
  crypto_aead_aes256gcm_beforenm(state.get(), kKey.data());
  return {"sodium", [state](std::size_t size, std::size_t times) {
            Buffers& buffers = ThreadBuffers();
            Iv iv = {};
            for (; times > 0; --times) {
              Next(iv);
              unsigned long long written = 0;
              crypto_aead_aes256gcm_encrypt_afternm(buffers.out.data(), &written, buffers.in.data(),
                                                    size, nullptr, 0, nullptr, iv.data(),
                                                    state.get());
            }
          }};
}

Contender SodiumChaCha() {
  return {"sodium", [](std::size_t size, std::size_t times) {
            Buffers& buffers = ThreadBuffers();
            Iv iv = {};
            for (; times > 0; --times) {
              Next(iv);
              unsigned long long written = 0;
              crypto_aead_chacha20poly1305_ietf_encrypt(buffers.out.data(), &written,
                                                        buffers.in.data(), size, nullptr, 0,
                                                        nullptr, iv.data(), kKey.data());
            }
          }};
}

Operation Ctr() {
  absl::StatusOr<AesCtr> stream = AesCtr::Create(kKey, {});
  Require(stream.ok());
  auto shared = std::make_shared<AesCtr>(*std::move(stream));
  Contender strata = {"strata", [shared](std::size_t size, std::size_t times) {
                        Buffers& buffers = ThreadBuffers();
                        Iv iv = {};
                        const auto out = std::span(buffers.out).first(size);
                        for (; times > 0; --times) {
                          Next(iv);
                          Require(shared->Restart(iv).ok());
                          Require(shared->Transform(std::span(buffers.in).first(size), out).ok());
                        }
                      }};
  return {"AES-256-CTR",
          {std::move(strata), Floor("floor", "AES-256-CTR", false),
           Floor("again", "AES-256-CTR", false), Naive("AES-256-CTR", false)}};
}

}  // namespace

std::vector<Operation> CipherOperations() {
  Require(sodium_init() >= 0);
  std::vector<Operation> operations;
  operations.push_back(Seal("AES-128-GCM", AeadAlgorithm::kAes128Gcm, {}));
  operations.push_back(Seal("AES-256-GCM", AeadAlgorithm::kAes256Gcm, SodiumGcm()));
  operations.push_back(Open());
  operations.push_back(Seal("ChaCha20-Poly1305", AeadAlgorithm::kChaCha20Poly1305, SodiumChaCha()));
  operations.push_back(Ctr());
  return operations;
}

}  // namespace strata::bench
