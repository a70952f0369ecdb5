// All primitives at once, from several threads, against each other and for a bounded time:
//
//   bazel run //crypto:stress -- [seconds [seed]]
//
// What one function makes another must undo, what was changed must be refused, and two ways to the
// same result must agree. Prints what it did; any disagreement ends it with the seed.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/stress_internal.h"
#include "strata/crypto/aead.h"
#include "strata/crypto/crc32c.h"
#include "strata/crypto/hash.h"
#include "strata/crypto/hazmat/aes_ctr.h"
#include "strata/crypto/hmac.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"

// OpenSSL is not built for ThreadSanitizer, which so sees the memory that it frees and not the
// atomic counts of references that say when.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libcrypto.so\ncalled_from_lib:libssl.so\n";
}

namespace strata::crypto {
namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t seed;

}  // namespace

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "crypto stress: %s (seed %llu)\n", what,
               static_cast<unsigned long long>(seed));
  std::_Exit(1);
}

// Mostly short, now and then long.
std::string Message(Random& random) {
  const std::size_t limit = random() % 16 == 0 ? 100'000 : 300;
  std::string message(random() % limit, '\0');
  for (char& c : message) c = static_cast<char>(random());
  return message;
}

void FlipABit(std::string& bytes, Random& random) {
  const std::size_t bit = random() % (8 * bytes.size());
  bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
}

namespace {

HashAlgorithm AnyHash(Random& random) { return static_cast<HashAlgorithm>(random() % 6); }

// One key of each algorithm, which all threads share, and one of each that is made anew.
class Aeads {
 public:
  Aeads() {
    for (int i = 0; i < 3; ++i) {
      const auto algorithm = static_cast<AeadAlgorithm>(i);
      const SecretBytes key = SecureRandom::Secret(AeadKeyBytes(algorithm));
      absl::StatusOr<Aead> aead = Aead::Create(algorithm, key.bytes());
      Require(aead.ok(), "an Aead was not made");
      shared_.push_back(*std::move(aead));
    }
  }

  void SealAndOpen(Random& random) const {
    const Aead& aead = shared_[random() % shared_.size()];
    const std::string text = Message(random);
    const std::string ad = Message(random);
    std::string sealed = aead.Seal(text, ad).value();
    Require(aead.Open(sealed, ad).value() == text, "a sealed message does not open");
    if (random() % 4 == 0) sealed.resize(random() % sealed.size());
    if (!sealed.empty() && random() % 2 == 0) FlipABit(sealed, random);
    const bool intact =
        sealed.size() == text.size() + kAeadOverheadBytes && aead.Open(sealed, ad).ok();
    const absl::StatusOr<std::string> opened = aead.Open(sealed, ad);
    Require(opened.ok() == intact && (!opened.ok() || *opened == text), "a forgery opens");
    const Aead& other =
        shared_[(random() % (shared_.size() - 1) + static_cast<std::size_t>(aead.algorithm()) + 1) %
                shared_.size()];
    Require(!other.Open(aead.Seal(text, ad).value(), ad).ok(), "another key opens");
  }

 private:
  std::vector<Aead> shared_;
};

void CounterModeAgreesWithItself(Random& random) {
  const SecretBytes key = SecureRandom::Secret(random() % 2 == 0 ? 16 : 32);
  const auto counter = SecureRandom::Bytes<16>();
  hazmat::AesCtr stream = *hazmat::AesCtr::Create(key.bytes(), counter);
  std::vector<std::uint8_t> whole(random() % 5000 + 1);
  Require(stream.Transform(whole, whole).ok(), "AES-CTR fails");
  for (int i = 0; i < 4; ++i) {
    const std::size_t offset = random() % whole.size();
    std::vector<std::uint8_t> part(random() % (whole.size() - offset));
    Require(stream.Seek(offset).ok() && stream.Transform(part, part).ok(), "AES-CTR fails");
    Require(
        std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset)),
        "AES-CTR seeks elsewhere");
  }
}

void PiecesAgreeWithTheWhole(Random& random) {
  const HashAlgorithm algorithm = AnyHash(random);
  const std::string message = Message(random);
  const SecretBytes key = SecureRandom::Secret(1 + random() % 200);
  const Hmac hmac = *Hmac::Create(algorithm, key.bytes());
  Hasher hasher(algorithm);
  HmacStream stream = hmac.Begin();
  std::uint32_t crc = 0;
  for (std::size_t at = 0; at < message.size();) {
    const std::string_view piece = std::string_view(message).substr(at, 1 + random() % 500);
    hasher.Update(piece);
    stream.Update(piece);
    crc = ExtendCrc32c(crc, piece);
    at += piece.size();
  }
  Require(hasher.Finish() == Hash(algorithm, message), "a hash depends on its pieces");
  Require(crc == Crc32c(message), "a CRC depends on its pieces");
  const Digest mac = stream.Finish();
  Require(hmac.Verify(message, mac.bytes()), "an HMAC depends on its pieces");
  std::string forged(reinterpret_cast<const char*>(mac.bytes().data()), mac.size());
  FlipABit(forged, random);
  Require(!hmac.Verify(message, AsBytes(forged)), "a forged HMAC is accepted");
}

void DerivedKeysAreTheSameTwice(Random& random) {
  const SecretBytes secret = SecureRandom::Secret(32);
  const std::string info = std::to_string(random());
  const std::size_t size = 1 + random() % 500;
  const SecretBytes one = *Hkdf(HashAlgorithm::kSha256, secret.bytes(), {}, info, size);
  const SecretBytes two = *Hkdf(HashAlgorithm::kSha256, secret.bytes(), {}, info, size);
  Require(ConstantTimeEquals(one.bytes(), two.bytes()), "HKDF differs from itself");
}

// A child's first bytes are not those that its parent draws next.
void ChildrenDrawTheirOwn() {
  int ends[2];
  Require(pipe(ends) == 0, "no pipe");
  const pid_t child = fork();
  if (child == 0) {
    const auto drawn = SecureRandom::Bytes<16>();
    _exit(write(ends[1], drawn.data(), drawn.size()) == ssize_t{drawn.size()} ? 0 : 1);
  }
  const auto mine = SecureRandom::Bytes<16>();
  std::array<std::uint8_t, 16> its = {};
  int status = 1;
  Require(read(ends[0], its.data(), its.size()) == ssize_t{its.size()} &&
              waitpid(child, &status, 0) == child && status == 0,
          "a child draws nothing");
  Require(its != mine, "a child repeats its parent");
  close(ends[0]);
  close(ends[1]);
}

struct Counts {
  std::atomic<std::uint64_t> aead{0}, ctr{0}, pieces{0}, keys{0};
  std::atomic<std::uint64_t> signatures{0}, containers{0}, tokens{0}, files{0}, tls{0};
};

void Work(const Aeads& aeads, const Protocols& protocols, Random random, Clock::time_point end,
          Counts& counts) {
  while (Clock::now() < end) {
    switch (random() % 9) {
      case 0:
        aeads.SealAndOpen(random);
        ++counts.aead;
        break;
      case 1:
        CounterModeAgreesWithItself(random);
        ++counts.ctr;
        break;
      case 2:
        PiecesAgreeWithTheWhole(random);
        ++counts.pieces;
        break;
      case 3:
        DerivedKeysAreTheSameTwice(random);
        ++counts.keys;
        break;
      case 4:
        protocols.SignAndVerify(random);
        ++counts.signatures;
        break;
      case 5:
        protocols.WriteAndReadKeys(random);
        ++counts.containers;
        break;
      case 6:
        protocols.SignAndVerifyTokens(random);
        ++counts.tokens;
        break;
      case 7:
        protocols.SealAndOpenFiles(random);
        ++counts.files;
        break;
      case 8:
        protocols.TalkByTls(random);
        ++counts.tls;
        break;
    }
  }
}

void Run(int seconds) {
  // While there is one thread alone, for a fork of several is another program's matter.
  int children = 0;
  for (; children < 50; ++children) ChildrenDrawTheirOwn();

  const Aeads aeads;
  const Protocols protocols;
  Counts counts;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(seconds);
  std::vector<std::thread> threads;
  int started = 0;
  // More threads than a pool has slots, in short generations, so that slots change hands.
  while (Clock::now() < end) {
    const Clock::time_point until = std::min(end, Clock::now() + std::chrono::milliseconds(300));
    for (int i = 0; i < 14; ++i) {
      threads.emplace_back(Work, std::cref(aeads), std::cref(protocols),
                           Random(seed + static_cast<unsigned>(++started)), until,
                           std::ref(counts));
    }
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  const std::string stored = HashPassword("correct horse").value();
  Require(VerifyPassword("correct horse", stored).ok(), "a password is refused");
  Require(!VerifyPassword("correct hors", stored).ok(), "another password is accepted");
  const std::pair<const char*, std::uint64_t> done[] = {
      {"sealed and opened", counts.aead},
      {"key streams", counts.ctr},
      {"hashes and HMACs", counts.pieces},
      {"derivations", counts.keys},
      {"signatures", counts.signatures},
      {"keys written and read", counts.containers},
      {"tokens", counts.tokens},
      {"files", counts.files},
      {"TLS sessions", counts.tls},
      {"forks", static_cast<std::uint64_t>(children)},
      {"passwords", 1}};
  std::printf("crypto stress: seed %llu, %d threads; all agree:",
              static_cast<unsigned long long>(seed), started);
  for (const auto& [what, count] : done) {
    std::printf(" %llu %s,", static_cast<unsigned long long>(count), what);
  }
  std::printf(" in %d s\n", seconds);
}

}  // namespace
}  // namespace strata::crypto

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 3;
  strata::crypto::seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device()();
  if (seconds < 1 || seconds > 3600) {
    std::fputs("stress [seconds, 1 to 3600 [seed]]\n", stderr);
    return 2;
  }
  strata::crypto::Run(seconds);
}
