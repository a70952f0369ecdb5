#include <algorithm>

#include "strata/crypto/random.h"
#include "strata/orm/encrypted_key_source_internal.h"

namespace strata::orm::internal {

Header KeySource::NewHeader(std::uint32_t page_bytes) const {
  Header header;
  header.page_bytes = page_bytes;
  header.cipher = options_.cipher;
  header.file_id = crypto::SecureRandom::Bytes<kFileIdBytes>();
  Renew(header);
  return header;
}

void KeySource::Renew(Header& header) const {
  header.salt = crypto::SecureRandom::Bytes<kSaltBytes>();
  header.cost = std::monostate();
  if (key_.source() == EncryptionKey::Source::kKey) return;
  std::visit([&header](const auto& cost) { header.cost = cost; }, options_.cost);
}

absl::StatusOr<crypto::SecretBytes> KeySource::Root(const Header& header) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(derived_.begin(), derived_.end(), [&](const Derived& derived) {
    return derived.salt == header.salt && derived.cost == header.cost;
  });
  if (found != derived_.end()) return found->root.Clone();
  absl::StatusOr<crypto::SecretBytes> root = DeriveRoot(key_, header, options_);
  if (!root.ok()) return root.status();
  derived_.push_front({header.salt, header.cost, root->Clone()});
  if (derived_.size() > kMaxDerived) derived_.pop_back();
  return root;
}

}  // namespace strata::orm::internal
