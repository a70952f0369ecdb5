// An AEAD of OpenSSL's with its key set, for one message after the other.

#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <array>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/aead_internal.h"
#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {
namespace {

struct Algorithm {
  const char* name;  // OpenSSL's.
  std::size_t key_bytes;
  std::uint64_t max_message_bytes;
};

constexpr std::uint64_t kMaxGcmBytes = (std::uint64_t{1} << 36) - 32;
constexpr std::uint64_t kMaxChaChaBytes = (std::uint64_t{1} << 38) - 64;

// In the order of AeadAlgorithm.
constexpr Algorithm kAlgorithms[] = {
    {"AES-128-GCM", 16, kMaxGcmBytes},
    {"AES-256-GCM", 32, kMaxGcmBytes},
    {"ChaCha20-Poly1305", 32, kMaxChaChaBytes},
    {"AES-256-GCM-SIV", 32, kMaxGcmBytes},
};

const Algorithm& Of(AeadAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

const CipherFunctions* FunctionsOf(AeadAlgorithm algorithm) {
  static const auto found = [] {
    std::array<const CipherFunctions*, std::size(kAlgorithms)> functions;
    for (std::size_t i = 0; i < functions.size(); ++i) {
      functions[i] = FindCipher(kAlgorithms[i].name);
    }
    return functions;
  }();
  return found[static_cast<std::size_t>(algorithm)];
}

}  // namespace

std::size_t AeadKeyBytes(AeadAlgorithm algorithm) { return Of(algorithm).key_bytes; }

std::uint64_t AeadMaxMessageBytes(AeadAlgorithm algorithm) {
  return Of(algorithm).max_message_bytes;
}

absl::StatusOr<AeadContext> AeadContext::Create(AeadAlgorithm algorithm, Direction direction,
                                                std::span<const std::uint8_t> key) {
  const Algorithm& of = Of(algorithm);
  if (key.size() != of.key_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("a key of ", of.name, " has ", of.key_bytes,
                                                   " bytes, this one has ", key.size()));
  }
  const CipherFunctions* functions = FunctionsOf(algorithm);
  if (functions == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat(of.name, " is not in ", OpenSSL_version(OPENSSL_VERSION)));
  }
  CipherContext context(functions);
  const auto init =
      direction == Direction::kSeal ? functions->encrypt_init : functions->decrypt_init;
  if (context.get() == nullptr ||
      init(context.get(), key.data(), key.size(), nullptr, 0, nullptr) != 1) {
    return OpenSslFailure(absl::StatusCode::kInternal, absl::StrCat(of.name, " takes no key"));
  }
  return AeadContext(std::move(context));
}

// Passes the associated data and the message through the cipher whose nonce is set.
bool AeadContext::Transform(std::span<const std::uint8_t> associated_data,
                            std::span<const std::uint8_t> in, std::uint8_t* out) {
  std::size_t written = 0;
  // No output means that it is associated data; its size is still compared with the room for it.
  if (!associated_data.empty() &&
      context_->update(context_.get(), nullptr, &written, associated_data.size(),
                       associated_data.data(), associated_data.size()) != 1) {
    return false;
  }
  if (!in.empty() &&
      context_->update(context_.get(), out, &written, in.size(), in.data(), in.size()) != 1) {
    return false;
  }
  // Of these ciphers the end has no bytes, but the tag is made or looked at.
  std::uint8_t none[1];
  return context_->final(context_.get(), none, &written, 0) == 1;
}

bool AeadContext::Seal(std::span<const std::uint8_t, kAeadNonceBytes> nonce,
                       std::span<const std::uint8_t> associated_data,
                       std::span<const std::uint8_t> in, std::uint8_t* out,
                       std::span<std::uint8_t, kAeadTagBytes> tag) {
  OSSL_PARAM get_tag[] = {OctetParam(OSSL_CIPHER_PARAM_AEAD_TAG, tag), kEndOfParams};
  const bool sealed = context_->encrypt_init(context_.get(), nullptr, 0, nonce.data(), nonce.size(),
                                             nullptr) == 1 &&
                      Transform(associated_data, in, out) &&
                      context_->get_ctx_params(context_.get(), get_tag) == 1;
  if (!sealed) ClearOpenSslErrors();
  return sealed;
}

bool AeadContext::Open(std::span<const std::uint8_t, kAeadNonceBytes> nonce,
                       std::span<const std::uint8_t> associated_data,
                       std::span<const std::uint8_t> in, std::uint8_t* out,
                       std::span<const std::uint8_t, kAeadTagBytes> tag) {
  const OSSL_PARAM set_tag[] = {OctetParam(OSSL_CIPHER_PARAM_AEAD_TAG, tag), kEndOfParams};
  const bool opened = context_->decrypt_init(context_.get(), nullptr, 0, nonce.data(), nonce.size(),
                                             nullptr) == 1 &&
                      context_->set_ctx_params(context_.get(), set_tag) == 1 &&
                      Transform(associated_data, in, out);
  if (!opened) {
    ClearOpenSslErrors();
    WipeBytes({out, in.size()});
  }
  return opened;
}

}  // namespace strata::crypto
