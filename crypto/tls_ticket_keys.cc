// Keys of session tickets.

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <utility>

#include "strata/crypto/provider_internal.h"
#include "strata/crypto/random.h"
#include "strata/crypto/tls_ticket_keys_internal.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;

// Fetched once, for the life of the process.
const EVP_CIPHER* TicketCipher() {
  static const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

}  // namespace

TlsTicketKeys::TlsTicketKeys(std::chrono::seconds lifetime)
    : lifetime_(lifetime), current_(NewKey()) {}

std::shared_ptr<const TlsTicketKeys::Key> TlsTicketKeys::NewKey() {
  return std::make_shared<const Key>(Key{SecureRandom::Bytes<kNameBytes>(),
                                         SecureRandom::Secret(kKeyBytes),
                                         SecureRandom::Secret(kKeyBytes), Clock::now()});
}

void TlsTicketKeys::Rotate() {
  std::shared_ptr<const Key> fresh = NewKey();
  const std::lock_guard lock(mutex_);
  previous_ = std::exchange(current_, std::move(fresh));
}

std::shared_ptr<const TlsTicketKeys::Key> TlsTicketKeys::Current() {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (now - current_->made >= lifetime_) {
    // The one before is dropped, and if nobody came for so long the present one too.
    const bool recent = now - current_->made < 2 * lifetime_;
    previous_ = recent ? std::move(current_) : nullptr;
    current_ = NewKey();
  }
  return current_;
}

bool TlsTicketKeys::SetMac(const Key& key, EVP_MAC_CTX* mac) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OctetParam(OSSL_MAC_PARAM_KEY, key.authentication.bytes()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), kEndOfParams};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

bool TlsTicketKeys::Begin(std::uint8_t* name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac) {
  const std::shared_ptr<const Key> key = Current();
  std::ranges::copy(key->name, name);
  SecureRandom::Fill({iv, kIvBytes});
  return EVP_EncryptInit_ex2(cipher, TicketCipher(), key->encryption.bytes().data(), iv, nullptr) ==
             1 &&
         SetMac(*key, mac);
}

TlsTicketKeys::Found TlsTicketKeys::Find(const std::uint8_t* name, const std::uint8_t* iv,
                                         EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  std::shared_ptr<const Key> key = Current();
  const auto is_named = [name](const std::shared_ptr<const Key>& one) {
    return one != nullptr && std::equal(one->name.begin(), one->name.end(), name);
  };
  Found found = Found::kCurrent;
  if (!is_named(key)) {
    const std::lock_guard lock(mutex_);
    if (!is_named(previous_)) return Found::kNone;
    key = previous_;
    found = Found::kPrevious;
  }
  const bool good = EVP_DecryptInit_ex2(cipher, TicketCipher(), key->encryption.bytes().data(), iv,
                                        nullptr) == 1 &&
                    SetMac(*key, mac);
  return good ? found : Found::kFailed;
}

}  // namespace strata::crypto
