// File: stress_internal.h
//
// What the parts of the stress program share.

#ifndef STRATA_CRYPTO_STRESS_INTERNAL_H_
#define STRATA_CRYPTO_STRESS_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace strata::crypto {

using Random = std::mt19937_64;

// Ends the program, with the seed, if something does not hold.
void Require(bool holds, const char* what);

// Mostly short, now and then long.
std::string Message(Random& random);

void FlipABit(std::string& bytes, Random& random);

inline std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Keys, contexts and the like that all threads share, and what is done with them. Each function
// tries one thing with random values.
class Protocols {
 public:
  Protocols();
  ~Protocols();

  void SignAndVerify(Random& random) const;
  void WriteAndReadKeys(Random& random) const;
  void SignAndVerifyTokens(Random& random) const;
  void SealAndOpenFiles(Random& random) const;
  void TalkByTls(Random& random) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_STRESS_INTERNAL_H_
