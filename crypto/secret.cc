// The bytes of a secret: where they are allocated and how they go.

#include "strata/crypto/secret.h"

#include <openssl/crypto.h>

#include <cstring>

namespace strata::crypto {

SecretBytes::SecretBytes(std::size_t size)
    : data_(size == 0 ? nullptr : new std::uint8_t[size]()), size_(size) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Wipe();
    Swap(other);
  }
  return *this;
}

SecretBytes SecretBytes::Copy(std::span<const std::uint8_t> bytes) {
  SecretBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data_, bytes.data(), bytes.size());
  return copy;
}

SecretBytes SecretBytes::Copy(std::string_view text) {
  return Copy(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

void SecretBytes::Truncate(std::size_t size) {
  if (size >= size_) return;
  WipeBytes(mutable_bytes().subspan(size));
  size_ = size;
}

void SecretBytes::Wipe() {
  if (data_ == nullptr) return;
  WipeBytes(mutable_bytes());
  delete[] data_;
  data_ = nullptr;
  size_ = 0;
}

bool ConstantTimeEquals(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void WipeBytes(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace strata::crypto
