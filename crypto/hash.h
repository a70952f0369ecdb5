// File: hash.h
//
// Cryptographic hashes: of bytes at hand, of bytes that come in pieces, of files.
//
//   using strata::crypto::HashAlgorithm;
//   strata::crypto::Digest digest = strata::crypto::Hash(HashAlgorithm::kSha256, "abc");
//   std::string hex = digest.ToHex();
//
//   strata::crypto::Hasher hasher(HashAlgorithm::kSha256);
//   hasher.Update("a");
//   hasher.Update("bc");
//   assert(hasher.Finish() == digest);
//
// A hash takes no key: whoever can change the data can change the hash. For a proof of origin there
// is hmac.h, and for passwords, which are to be slow, password.h.
//
// Functions are thread-safe; a Hasher is used by one thread at a time. They do not fail: a hash
// that OpenSSL's providers do not have (HashIsAvailable) ends the process with a message, as does a
// lack of memory. Debian's OpenSSL has all of them.

#ifndef STRATA_CRYPTO_HASH_H_
#define STRATA_CRYPTO_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace strata::crypto {

enum class HashAlgorithm {
  kSha256,      // FIPS 180-4, 32 bytes.
  kSha384,      // FIPS 180-4, 48 bytes.
  kSha512,      // FIPS 180-4, 64 bytes.
  kSha3_256,    // FIPS 202, 32 bytes.
  kSha3_512,    // FIPS 202, 64 bytes.
  kBlake2b512,  // RFC 7693 without a key, 64 bytes.
};

// The size of a digest of `algorithm`, in bytes; of the largest one.
std::size_t HashBytes(HashAlgorithm algorithm);
inline constexpr std::size_t kMaxHashBytes = 64;

// Whether this process's OpenSSL has `algorithm`. Only a configuration that leaves its default
// provider out says no.
bool HashIsAvailable(HashAlgorithm algorithm);

// The result: a value of HashBytes() bytes.
class Digest {
 public:
  // No bytes.
  Digest() = default;

  // A copy of `bytes`, of which at most kMaxHashBytes are taken.
  explicit Digest(std::span<const std::uint8_t> bytes);

  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), size_}; }
  std::size_t size() const { return size_; }

  // Lower-case hexadecimal, two characters for each byte.
  std::string ToHex() const;

  // Not in constant time: a hash of public data is no secret. To compare a MAC, Hmac::Verify().
  friend bool operator==(const Digest& a, const Digest& b) {
    return std::string_view(a) == std::string_view(b);
  }

  // The bytes, as lent by this object.
  explicit operator std::string_view() const {
    return {reinterpret_cast<const char*>(bytes_.data()), size_};
  }

 private:
  friend class Hasher;

  std::array<std::uint8_t, kMaxHashBytes> bytes_ = {};
  std::size_t size_ = 0;
};

// A hash of bytes that come one after the other.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  ~Hasher();

  // Of an object that was moved from, nothing may be called but the destructor and assignment.
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  // A second computation that goes on from where this one stands.
  Hasher Clone() const;

  // Adds bytes, in any pieces: their borders do not matter. An empty one changes nothing.
  void Update(std::span<const std::uint8_t> bytes);
  void Update(std::string_view bytes);

  // The digest of all bytes since the beginning, or since the last Finish(). Begins anew.
  Digest Finish();

  HashAlgorithm algorithm() const { return algorithm_; }

 private:
  struct State;
  Hasher(HashAlgorithm algorithm, std::unique_ptr<State> state);

  HashAlgorithm algorithm_;
  std::unique_ptr<State> state_;
};

// The digest of `bytes`.
Digest Hash(HashAlgorithm algorithm, std::span<const std::uint8_t> bytes);
Digest Hash(HashAlgorithm algorithm, std::string_view bytes);

// The digest of the concatenation of `pieces`, which is not made.
Digest HashPieces(HashAlgorithm algorithm, std::span<const std::span<const std::uint8_t>> pieces);

// The digest of the contents of the file at `path`, read in constant memory to its end as it is
// then; a pipe or a device works too, if it ends. NotFound, PermissionDenied, or Internal with the
// system's reason if it cannot be opened or read.
absl::StatusOr<Digest> HashFile(HashAlgorithm algorithm, const std::string& path);

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_HASH_H_
