// The keys of session tickets: the present one, and the one before, whose tickets are still taken.

#ifndef STRATA_CRYPTO_TLS_TICKET_KEYS_INTERNAL_H_
#define STRATA_CRYPTO_TLS_TICKET_KEYS_INTERNAL_H_

#include <openssl/evp.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "strata/crypto/secret.h"

namespace strata::crypto {

// Thread-safe. Tickets are AES-256-CBC and HMAC-SHA256, as RFC 5077 (section 4) recommends and
// OpenSSL's tickets are made.
class TlsTicketKeys {
 public:
  static constexpr std::size_t kNameBytes = 16;
  static constexpr std::size_t kIvBytes = 16;

  // A key serves `lifetime` to make tickets, and as long again to take them.
  explicit TlsTicketKeys(std::chrono::seconds lifetime);

  void Rotate();

  // For a new ticket: writes the name of the key and an IV, and sets the key. False on failure.
  bool Begin(std::uint8_t* name, std::uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);

  // For a ticket that has come.
  enum class Found { kNone, kCurrent, kPrevious, kFailed };
  Found Find(const std::uint8_t* name, const std::uint8_t* iv, EVP_CIPHER_CTX* cipher,
             EVP_MAC_CTX* mac);

 private:
  using Clock = std::chrono::steady_clock;

  struct Key {
    std::array<std::uint8_t, kNameBytes> name;
    SecretBytes encryption;
    SecretBytes authentication;
    Clock::time_point made;
  };

  static std::shared_ptr<const Key> NewKey();
  static bool SetMac(const Key& key, EVP_MAC_CTX* mac);
  std::shared_ptr<const Key> Current();

  const std::chrono::seconds lifetime_;
  std::mutex mutex_;
  std::shared_ptr<const Key> current_;
  std::shared_ptr<const Key> previous_;  // Null before the first rotation.
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_TLS_TICKET_KEYS_INTERNAL_H_
