// File: secret.h
//
// Bytes that nobody else may see: keys, passwords, what was derived from them.
//
//   strata::crypto::SecretBytes key = strata::crypto::SecretBytes::Copy(bytes);
//   if (!strata::crypto::ConstantTimeEquals(key.bytes(), presented)) return Refuse();
//
// A SecretBytes owns its bytes and overwrites them with zeros before the memory is given back, in a
// way that the optimiser may not remove (OPENSSL_cleanse). It is move-only, so that a copy is seen
// in the source as Clone(), and it has no operator<<, no conversion to a string, and no formatting,
// so that it does not get into a log by accident.
//
// It does not lock memory (mlock) and does not keep it out of core dumps: that is the process's
// policy, and with swap off or encrypted it protects nothing more.
//
// Not thread-safe to change; safe to read from any number of threads. Running out of memory ends in
// std::bad_alloc, as for any container.

#ifndef STRATA_CRYPTO_SECRET_H_
#define STRATA_CRYPTO_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace strata::crypto {

class SecretBytes {
 public:
  // No bytes. Allocates nothing.
  SecretBytes() = default;

  // `size` bytes, all zero, to be filled through mutable_bytes().
  explicit SecretBytes(std::size_t size);

  ~SecretBytes() { Wipe(); }

  // What was moved from is empty.
  SecretBytes(SecretBytes&& other) noexcept { Swap(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept;

  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  // A copy of bytes that live elsewhere, whose owner should wipe them.
  static SecretBytes Copy(std::span<const std::uint8_t> bytes);
  static SecretBytes Copy(std::string_view text);

  // A second owner of the same bytes. A copy of a secret is a decision, hence its own name.
  SecretBytes Clone() const { return Copy(bytes()); }

  // The bytes; valid until this object is changed, moved from or destroyed.
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  std::span<std::uint8_t> mutable_bytes() { return {data_, size_}; }

  // The same bytes as text, for functions that take a password.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Keeps the first `size` bytes, if there are more, and wipes the others.
  void Truncate(std::size_t size);

  // Overwrites and frees the bytes now; empty afterwards.
  void Wipe();

 private:
  void Swap(SecretBytes& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Whether `a` and `b` hold the same bytes. The time depends on their sizes alone, which are not
// secret, and never on where they differ (CRYPTO_memcmp, out of the optimiser's reach). Spans of
// different sizes are unequal, two empty ones are equal.
bool ConstantTimeEquals(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);
bool ConstantTimeEquals(std::string_view a, std::string_view b);

// Overwrites bytes that somebody else owns with zeros, in a way that is not optimised away.
void WipeBytes(std::span<std::uint8_t> bytes);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_SECRET_H_
