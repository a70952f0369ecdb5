// The key or password of a storage, and what was derived from it.

#ifndef STRATA_ORM_ENCRYPTED_KEY_SOURCE_INTERNAL_H_
#define STRATA_ORM_ENCRYPTED_KEY_SOURCE_INTERNAL_H_

#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "strata/orm/encrypted_format_internal.h"

namespace strata::orm::internal {

// Thread-safe.
class KeySource {
 public:
  KeySource(EncryptionKey key, const EncryptionOptions& options)
      : key_(std::move(key)), options_(options) {}

  const EncryptionOptions& options() const { return options_; }

  // The fields of a file that is to be made, with a salt and an identity of its own.
  Header NewHeader(std::uint32_t page_bytes) const;

  // Gives a header the cost of this key and a new salt.
  void Renew(Header& header) const;

  // DeriveRoot(), once for each salt and cost.
  absl::StatusOr<crypto::SecretBytes> Root(const Header& header);

 private:
  struct Derived {
    std::array<std::uint8_t, kSaltBytes> salt;
    KeyCost cost;
    crypto::SecretBytes root;
  };
  static constexpr std::size_t kMaxDerived = 16;

  const EncryptionKey key_;
  const EncryptionOptions options_;
  std::mutex mutex_;
  std::list<Derived> derived_;  // The last one is the first.
};

}  // namespace strata::orm::internal

#endif  // STRATA_ORM_ENCRYPTED_KEY_SOURCE_INTERNAL_H_
