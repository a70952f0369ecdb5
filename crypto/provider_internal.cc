// How the functions of an implementation are found: EVP fetches it, its provider lists what it has.

#include "strata/crypto/provider_internal.h"

#include <openssl/core.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <memory>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "strata/crypto/openssl_internal.h"

namespace strata::crypto {
namespace {

bool IsNamed(const OSSL_ALGORITHM& algorithm, std::string_view name) {
  for (std::string_view one : absl::StrSplit(algorithm.algorithm_names, ':')) {
    if (absl::EqualsIgnoreCase(one, name)) return true;
  }
  return false;
}

// The functions of `provider` for the algorithm `name`; null if it has none.
const OSSL_DISPATCH* FindFunctions(const OSSL_PROVIDER* provider, int operation,
                                   std::string_view name) {
  int no_cache = 0;
  const OSSL_ALGORITHM* algorithm = OSSL_PROVIDER_query_operation(provider, operation, &no_cache);
  // A provider whose list may change from one call to the next cannot be kept.
  if (algorithm == nullptr || no_cache != 0) return nullptr;
  for (; algorithm->algorithm_names != nullptr; ++algorithm) {
    if (IsNamed(*algorithm, name)) return algorithm->implementation;
  }
  return nullptr;
}

void Take(const OSSL_DISPATCH& entry, CipherFunctions& to) {
  switch (entry.function_id) {
    case OSSL_FUNC_CIPHER_NEWCTX:
      to.newctx = OSSL_FUNC_cipher_newctx(&entry);
      break;
    case OSSL_FUNC_CIPHER_FREECTX:
      to.freectx = OSSL_FUNC_cipher_freectx(&entry);
      break;
    case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
      to.encrypt_init = OSSL_FUNC_cipher_encrypt_init(&entry);
      break;
    case OSSL_FUNC_CIPHER_DECRYPT_INIT:
      to.decrypt_init = OSSL_FUNC_cipher_decrypt_init(&entry);
      break;
    case OSSL_FUNC_CIPHER_UPDATE:
      to.update = OSSL_FUNC_cipher_update(&entry);
      break;
    case OSSL_FUNC_CIPHER_FINAL:
      to.final = OSSL_FUNC_cipher_final(&entry);
      break;
    case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
      to.get_ctx_params = OSSL_FUNC_cipher_get_ctx_params(&entry);
      break;
    case OSSL_FUNC_CIPHER_SET_CTX_PARAMS:
      to.set_ctx_params = OSSL_FUNC_cipher_set_ctx_params(&entry);
      break;
  }
}

void Take(const OSSL_DISPATCH& entry, DigestFunctions& to) {
  switch (entry.function_id) {
    case OSSL_FUNC_DIGEST_NEWCTX:
      to.newctx = OSSL_FUNC_digest_newctx(&entry);
      break;
    case OSSL_FUNC_DIGEST_FREECTX:
      to.freectx = OSSL_FUNC_digest_freectx(&entry);
      break;
    case OSSL_FUNC_DIGEST_DUPCTX:
      to.dupctx = OSSL_FUNC_digest_dupctx(&entry);
      break;
    case OSSL_FUNC_DIGEST_INIT:
      to.init = OSSL_FUNC_digest_init(&entry);
      break;
    case OSSL_FUNC_DIGEST_UPDATE:
      to.update = OSSL_FUNC_digest_update(&entry);
      break;
    case OSSL_FUNC_DIGEST_FINAL:
      to.final = OSSL_FUNC_digest_final(&entry);
      break;
  }
}

void Take(const OSSL_DISPATCH& entry, MacFunctions& to) {
  switch (entry.function_id) {
    case OSSL_FUNC_MAC_NEWCTX:
      to.newctx = OSSL_FUNC_mac_newctx(&entry);
      break;
    case OSSL_FUNC_MAC_FREECTX:
      to.freectx = OSSL_FUNC_mac_freectx(&entry);
      break;
    case OSSL_FUNC_MAC_INIT:
      to.init = OSSL_FUNC_mac_init(&entry);
      break;
    case OSSL_FUNC_MAC_UPDATE:
      to.update = OSSL_FUNC_mac_update(&entry);
      break;
    case OSSL_FUNC_MAC_FINAL:
      to.final = OSSL_FUNC_mac_final(&entry);
      break;
  }
}

bool IsComplete(const CipherFunctions& of) {
  return of.newctx != nullptr && of.freectx != nullptr && of.encrypt_init != nullptr &&
         of.decrypt_init != nullptr && of.update != nullptr && of.final != nullptr &&
         of.get_ctx_params != nullptr && of.set_ctx_params != nullptr;
}

bool IsComplete(const DigestFunctions& of) {
  return of.newctx != nullptr && of.freectx != nullptr && of.dupctx != nullptr &&
         of.init != nullptr && of.update != nullptr && of.final != nullptr;
}

bool IsComplete(const MacFunctions& of) {
  return of.newctx != nullptr && of.freectx != nullptr && of.init != nullptr &&
         of.update != nullptr && of.final != nullptr;
}

// Keeps what was fetched, and so its provider, for the rest of the process: there are few of them.
template <typename Functions, typename Method>
const Functions* Find(Method* fetched, const OSSL_PROVIDER* (*provider_of)(const Method*),
                      int operation, const char* name) {
  if (fetched == nullptr) {
    ClearOpenSslErrors();
    return nullptr;
  }
  const OSSL_PROVIDER* provider = provider_of(fetched);
  auto functions = std::make_unique<Functions>();
  functions->provider_context = OSSL_PROVIDER_get0_provider_ctx(provider);
  functions->fetched = fetched;
  const OSSL_DISPATCH* entry = FindFunctions(provider, operation, name);
  if (entry == nullptr) return nullptr;
  for (; entry->function_id != 0; ++entry) Take(*entry, *functions);
  return IsComplete(*functions) ? functions.release() : nullptr;
}

}  // namespace

const CipherFunctions* FindCipher(const char* name) {
  return Find<CipherFunctions, EVP_CIPHER>(EVP_CIPHER_fetch(nullptr, name, nullptr),
                                           EVP_CIPHER_get0_provider, OSSL_OP_CIPHER, name);
}

const DigestFunctions* FindDigest(const char* name) {
  return Find<DigestFunctions, EVP_MD>(EVP_MD_fetch(nullptr, name, nullptr), EVP_MD_get0_provider,
                                       OSSL_OP_DIGEST, name);
}

const MacFunctions* FindMac(const char* name) {
  return Find<MacFunctions, EVP_MAC>(EVP_MAC_fetch(nullptr, name, nullptr), EVP_MAC_get0_provider,
                                     OSSL_OP_MAC, name);
}

}  // namespace strata::crypto
