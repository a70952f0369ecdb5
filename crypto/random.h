// File: random.h
//
// Random bytes for keys, nonces, session names: nobody can tell them from chance or guess the next.
//
//   std::array<std::uint8_t, 12> nonce = strata::crypto::SecureRandom::Bytes<12>();
//   strata::crypto::SecretBytes key = strata::crypto::SecureRandom::Secret(32);
//   std::uint64_t die = 1 + strata::crypto::SecureRandom::Uniform(6);
//
// The bytes come from OpenSSL's generator, an AES-256-CTR DRBG (NIST SP 800-90A) for each thread,
// seeded by the kernel. A call of it costs the better part of a microsecond, so each thread keeps
// some of its bytes in store, and small draws are copies. A byte is overwritten in the store when
// it is handed out: who reads the memory later learns nothing of what was drawn before.
//
// After fork() the child never sees its parent's bytes. The store is in a page that the kernel
// empties in a child (MADV_WIPEONFORK), however the child was made; where it cannot do that (Linux
// before 4.14) nothing is stored. OpenSSL reseeds its own generator in a child. A copy of a whole
// virtual machine is beyond both: do not draw keys right after restoring a snapshot.
//
// Thread-safe: all functions are static, and no two threads share a store. They cannot fail: with
// no random bytes to be had (OpenSSL could not seed itself), no program can go on safely, so the
// process ends with a message (std::abort).

#ifndef STRATA_CRYPTO_RANDOM_H_
#define STRATA_CRYPTO_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "strata/crypto/secret.h"

namespace strata::crypto {

class SecureRandom {
 public:
  // Fills `bytes`, of any size. Fast for small ones.
  static void Fill(std::span<std::uint8_t> bytes);

  // kSize random bytes.
  template <std::size_t kSize>
  static std::array<std::uint8_t, kSize> Bytes() {
    std::array<std::uint8_t, kSize> bytes;
    Fill(bytes);
    return bytes;
  }

  // A fresh key of `size` bytes, from OpenSSL's generator for what stays private, which shares
  // nothing with the one whose output others see.
  static SecretBytes Secret(std::size_t size);

  // 64 random bits.
  static std::uint64_t Uint64();

  // A number from 0 to `bound` - 1, each as likely as any other. `bound` 0 stands for 2^64.
  static std::uint64_t Uniform(std::uint64_t bound);

  // A UniformRandomBitGenerator, for std::shuffle and the distributions of <random>.
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() const { return Uint64(); }
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_RANDOM_H_
