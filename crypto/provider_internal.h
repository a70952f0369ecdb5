// The functions of OpenSSL's ciphers, digests and MACs, called without EVP in between.
//
// EVP chooses an implementation (EVP_CIPHER_fetch, by the process's configuration), and then stands
// between the caller and it at every call: an IV is set by asking the provider for its size by
// name, a tag is read by turning a control number into a name. For a message of 64 bytes that is a
// third of the time. The provider's functions themselves are what provider-cipher(7),
// provider-digest(7) and provider-mac(7) document, and OSSL_PROVIDER_query_operation(3) gives them
// out. So: EVP chooses, once, and the calls go straight to what it chose.
//
// A context here is one key or one computation, and is used by one thread at a time.

#ifndef STRATA_CRYPTO_PROVIDER_INTERNAL_H_
#define STRATA_CRYPTO_PROVIDER_INTERNAL_H_

#include <openssl/core_dispatch.h>
#include <openssl/params.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace strata::crypto {

struct CipherFunctions {
  OSSL_FUNC_cipher_newctx_fn* newctx = nullptr;
  OSSL_FUNC_cipher_freectx_fn* freectx = nullptr;
  OSSL_FUNC_cipher_encrypt_init_fn* encrypt_init = nullptr;
  OSSL_FUNC_cipher_decrypt_init_fn* decrypt_init = nullptr;
  OSSL_FUNC_cipher_update_fn* update = nullptr;
  OSSL_FUNC_cipher_final_fn* final = nullptr;
  OSSL_FUNC_cipher_get_ctx_params_fn* get_ctx_params = nullptr;
  OSSL_FUNC_cipher_set_ctx_params_fn* set_ctx_params = nullptr;
  void* provider_context = nullptr;
  const void* fetched = nullptr;  // What holds the provider.
};

struct DigestFunctions {
  OSSL_FUNC_digest_newctx_fn* newctx = nullptr;
  OSSL_FUNC_digest_freectx_fn* freectx = nullptr;
  OSSL_FUNC_digest_dupctx_fn* dupctx = nullptr;
  OSSL_FUNC_digest_init_fn* init = nullptr;
  OSSL_FUNC_digest_update_fn* update = nullptr;
  OSSL_FUNC_digest_final_fn* final = nullptr;
  void* provider_context = nullptr;
  const void* fetched = nullptr;  // What holds the provider.
};

struct MacFunctions {
  OSSL_FUNC_mac_newctx_fn* newctx = nullptr;
  OSSL_FUNC_mac_freectx_fn* freectx = nullptr;
  OSSL_FUNC_mac_init_fn* init = nullptr;
  OSSL_FUNC_mac_update_fn* update = nullptr;
  OSSL_FUNC_mac_final_fn* final = nullptr;
  void* provider_context = nullptr;
  const void* fetched = nullptr;  // What holds the provider.
};

// The functions of the implementation that EVP fetches for `name`; null if this OpenSSL has none.
// They live as long as the process. Each call looks them up anew: keep what it returns.
const CipherFunctions* FindCipher(const char* name);
const DigestFunctions* FindDigest(const char* name);
const MacFunctions* FindMac(const char* name);

// The one owner of a context made by `functions->newctx`, which frees it, and with it wipes it.
template <typename Functions>
class ProviderContext {
 public:
  ProviderContext() = default;
  explicit ProviderContext(const Functions* functions)
      : ProviderContext(functions, functions->newctx(functions->provider_context)) {}
  ProviderContext(const Functions* functions, void* context)
      : functions_(functions), context_(context) {}
  ~ProviderContext() {
    if (context_ != nullptr) functions_->freectx(context_);
  }

  ProviderContext(ProviderContext&& other) noexcept { Swap(other); }
  ProviderContext& operator=(ProviderContext&& other) noexcept {
    Swap(other);
    return *this;
  }

  // Null if there was no memory.
  void* get() const { return context_; }
  const Functions* operator->() const { return functions_; }
  const Functions* functions() const { return functions_; }

 private:
  void Swap(ProviderContext& other) {
    std::swap(functions_, other.functions_);
    std::swap(context_, other.context_);
  }

  const Functions* functions_ = nullptr;
  void* context_ = nullptr;
};

using CipherContext = ProviderContext<CipherFunctions>;
using DigestContext = ProviderContext<DigestFunctions>;
using MacContext = ProviderContext<MacFunctions>;

// A parameter that lends `bytes` to a provider, and the end of a list of them. OpenSSL's own
// OSSL_PARAM_construct_octet_string does the same by a call.
inline OSSL_PARAM OctetParam(const char* key, std::span<const std::uint8_t> bytes) {
  return {key, OSSL_PARAM_OCTET_STRING, const_cast<std::uint8_t*>(bytes.data()), bytes.size(),
          OSSL_PARAM_UNMODIFIED};
}
inline constexpr OSSL_PARAM kEndOfParams = {nullptr, 0, nullptr, 0, 0};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_PROVIDER_INTERNAL_H_
