#include "strata/crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "strata/crypto/aead_internal.h"
#include "strata/crypto/random.h"
#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using testing::AsText;
using testing::Bytes;
using testing::ReadVectors;
using testing::VectorCase;

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The published cases, by the context in which the nonce is given.
class AeadVectorTest : public ::testing::TestWithParam<std::pair<AeadAlgorithm, const char*>> {};

TEST_P(AeadVectorTest, SealsAndOpensAsPublished) {
  const auto [algorithm, file] = GetParam();
  int refused = 0;
  for (const VectorCase& vector : ReadVectors(file)) {
    SCOPED_TRACE(vector);
    const Bytes key = vector.Hex("key");
    const Bytes nonce = vector.Hex("nonce");
    const Bytes ad = vector.Hex("ad");
    const Bytes ciphertext = vector.Hex("ciphertext");
    const Bytes tag = vector.Hex("tag");
    ASSERT_EQ(nonce.size(), kAeadNonceBytes);
    ASSERT_EQ(tag.size(), kAeadTagBytes);
    const std::span<const std::uint8_t, kAeadNonceBytes> the_nonce(nonce.data(), kAeadNonceBytes);
    const std::span<const std::uint8_t, kAeadTagBytes> the_tag(tag.data(), kAeadTagBytes);

    auto opener = AeadContext::Create(algorithm, AeadContext::Direction::kOpen, key);
    ASSERT_TRUE(opener.ok());
    Bytes opened(ciphertext.size(), 0xaa);
    if (!vector.Has("plaintext")) {
      EXPECT_FALSE(opener->Open(the_nonce, ad, ciphertext, opened.data(), the_tag));
      EXPECT_EQ(opened, Bytes(ciphertext.size(), 0)) << "plaintext of a forgery";
      ++refused;
      continue;
    }
    EXPECT_TRUE(opener->Open(the_nonce, ad, ciphertext, opened.data(), the_tag));
    EXPECT_EQ(opened, vector.Hex("plaintext"));

    auto sealer = AeadContext::Create(algorithm, AeadContext::Direction::kSeal, key);
    ASSERT_TRUE(sealer.ok());
    Bytes sealed(opened.size());
    std::array<std::uint8_t, kAeadTagBytes> made;
    // Twice, for a context serves many messages.
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(sealer->Seal(the_nonce, ad, opened, sealed.data(), made));
      EXPECT_EQ(sealed, ciphertext);
      EXPECT_EQ(Bytes(made.begin(), made.end()), tag);
    }
  }
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(All, AeadVectorTest,
                         ::testing::Values(std::pair(AeadAlgorithm::kAes128Gcm, "aes_128_gcm.txt"),
                                           std::pair(AeadAlgorithm::kAes256Gcm, "aes_256_gcm.txt"),
                                           std::pair(AeadAlgorithm::kChaCha20Poly1305,
                                                     "chacha20_poly1305.txt"),
                                           std::pair(AeadAlgorithm::kChaCha20Poly1305,
                                                     "chacha20_poly1305_wycheproof.txt")),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

class AeadTest : public ::testing::TestWithParam<AeadAlgorithm> {
 protected:
  Aead Make(const AeadOptions& options = {}) {
    return *Aead::Create(GetParam(), key_.bytes(), options);
  }

  SecretBytes key_ = SecureRandom::Secret(AeadKeyBytes(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(All, AeadTest,
                         ::testing::Values(AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm,
                                           AeadAlgorithm::kChaCha20Poly1305),
                         [](const auto& info) { return "Algorithm" + std::to_string(info.index); });

TEST_P(AeadTest, OpensWhatItSealed) {
  const Aead aead = Make();
  for (const std::size_t size : {0, 1, 15, 16, 17, 64, 255, 1000, 8192, 100000}) {
    const std::string text(size, 'x');
    const absl::StatusOr<std::string> sealed = aead.Seal(text, "row 7");
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->size(), size + kAeadOverheadBytes);
    EXPECT_EQ(aead.Open(*sealed, "row 7").value(), text);
  }
}

TEST_P(AeadTest, OpensWithAnotherObjectOfTheSameKey) {
  const std::string sealed = Make().Seal("text").value();
  EXPECT_EQ(Make().Open(sealed).value(), "text");
}

TEST_P(AeadTest, HidesTheTextAndSealsItAnewEachTime) {
  const Aead aead = Make();
  const std::string text = "a text that is long enough to be found";
  const std::string one = aead.Seal(text).value();
  EXPECT_EQ(one.find("long enough"), std::string::npos);
  EXPECT_NE(one, aead.Seal(text).value());
}

TEST_P(AeadTest, RefusesAChangeOfAnyBit) {
  const Aead aead = Make();
  std::string sealed = aead.Seal("some text", "ad").value();
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    sealed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    const absl::Status status = aead.Open(sealed, "ad").status();
    ASSERT_EQ(status, absl::UnauthenticatedError("the message is not authentic")) << bit;
    sealed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
  EXPECT_TRUE(aead.Open(sealed, "ad").ok());
}

TEST_P(AeadTest, RefusesEveryTruncationWithTheSameWords) {
  const Aead aead = Make();
  const std::string sealed = aead.Seal("some text").value();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(aead.Open(sealed.substr(0, size)).status(),
              absl::UnauthenticatedError("the message is not authentic"))
        << size;
  }
  EXPECT_EQ(aead.Open(sealed + "x").status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_P(AeadTest, RefusesOtherAssociatedDataAndOtherKeys) {
  const Aead aead = Make();
  const std::string sealed = aead.Seal("text", "row 7").value();
  EXPECT_EQ(aead.Open(sealed, "row 8").status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(aead.Open(sealed).status().code(), absl::StatusCode::kUnauthenticated);
  key_ = SecureRandom::Secret(key_.size());
  EXPECT_EQ(Make().Open(sealed, "row 7").status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_P(AeadTest, ARefusalLeavesNoPlaintextAndNoError) {
  const Aead aead = Make();
  std::string sealed = aead.Seal("some text that is longer than a block").value();
  sealed.back() ^= 1;
  Bytes out(sealed.size() - kAeadOverheadBytes, 0xaa);
  EXPECT_FALSE(aead.OpenTo(AsBytes(sealed), {}, out).ok());
  EXPECT_EQ(out, Bytes(out.size(), 0));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(AeadTest, OpensAfterARefusal) {
  const Aead aead = Make();
  const std::string sealed = aead.Seal("text").value();
  EXPECT_FALSE(aead.Open(sealed, "other").ok());
  EXPECT_EQ(aead.Open(sealed).value(), "text");
}

TEST_P(AeadTest, SealsAndOpensInPlaceWithTheTagApart) {
  const Aead aead = Make();
  Bytes data = {1, 2, 3, 4, 5};
  const absl::StatusOr<AeadSeal> seal = aead.SealInPlace(data, AsBytes("page 1"));
  ASSERT_TRUE(seal.ok());
  EXPECT_NE(data, (Bytes{1, 2, 3, 4, 5}));

  Bytes moved = data;
  EXPECT_EQ(aead.OpenInPlace(moved, AsBytes("page 2"), *seal).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(moved, Bytes(5, 0));

  ASSERT_TRUE(aead.OpenInPlace(data, AsBytes("page 1"), *seal).ok());
  EXPECT_EQ(data, (Bytes{1, 2, 3, 4, 5}));
}

TEST_P(AeadTest, ThePlaintextMayStandInTheBufferOfTheResult) {
  const Aead aead = Make();
  Bytes buffer(5 + kAeadOverheadBytes);
  const auto text = std::span(buffer).subspan(kAeadNonceBytes, 5);
  std::memcpy(text.data(), "hello", 5);
  ASSERT_TRUE(aead.SealTo(text, {}, buffer).ok());
  EXPECT_EQ(aead.Open(AsText(buffer)).value(), "hello");
  ASSERT_TRUE(aead.OpenTo(buffer, {}, text).ok());
  EXPECT_EQ(std::memcmp(text.data(), "hello", 5), 0);
}

TEST_P(AeadTest, RefusesBuffersThatOverlapOrDoNotFit) {
  const Aead aead = Make();
  Bytes buffer(100);
  const auto all = std::span(buffer);
  const auto sealed = all.first(10 + kAeadOverheadBytes);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    if (at == kAeadNonceBytes) continue;
    EXPECT_EQ(aead.SealTo(all.subspan(at, 10), {}, sealed).code(),
              absl::StatusCode::kInvalidArgument)
        << at;
    EXPECT_EQ(aead.OpenTo(sealed, {}, all.subspan(at, 10)).code(),
              absl::StatusCode::kInvalidArgument)
        << at;
  }
  EXPECT_TRUE(aead.SealTo(all.subspan(sealed.size(), 10), {}, sealed).ok());
  EXPECT_EQ(aead.SealTo(all.first(10), {}, all.subspan(50, 10 + kAeadOverheadBytes - 1)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(aead.SealTo({}, {}, all.first(kAeadOverheadBytes - 1)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(aead.OpenTo(sealed, {}, all.subspan(60, 11)).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(AeadTest, EnforcesItsLimitOfMessages) {
  for (const std::uint64_t limit : {0, 1, 3, 64, 65, 200}) {
    const Aead aead = Make({.max_messages = limit, .counter = {}});
    for (std::uint64_t i = 0; i < limit; ++i) ASSERT_TRUE(aead.Seal("text").ok()) << i;
    const std::string sealed = Make().Seal("text").value();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(aead.Seal("text").status().code(), absl::StatusCode::kResourceExhausted);
    }
    EXPECT_TRUE(aead.Open(sealed).ok());
  }
}

TEST_P(AeadTest, ThreadsShareTheLimitAndNeverANonce) {
  constexpr std::uint64_t kLimit = 1000;
  const Aead aead = Make({.max_messages = kLimit, .counter = AeadCounter()});
  std::mutex mutex;
  std::set<std::string> nonces;
  std::uint64_t sealed_messages = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const absl::StatusOr<std::string> sealed = aead.Seal("text");
        if (!sealed.ok()) return;
        EXPECT_EQ(aead.Open(*sealed).value(), "text");
        const std::lock_guard lock(mutex);
        ++sealed_messages;
        nonces.insert(sealed->substr(0, kAeadNonceBytes));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(sealed_messages, kLimit);
  EXPECT_GE(sealed_messages, kLimit / 2);
  EXPECT_EQ(nonces.size(), sealed_messages);
}

TEST_P(AeadTest, CountsItsNoncesFromWhereItIsTold) {
  const AeadOptions options = {.counter = AeadCounter{.sender = 0x01020304, .first = 0xfe}};
  const Aead aead = Make(options);
  const std::string prefix = {1, 2, 3, 4, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(aead.next_counter(), 0xfeu);
  EXPECT_EQ(aead.Seal("a").value().substr(0, 12), prefix + std::string("\x00\xfe", 2));
  EXPECT_EQ(aead.Seal("b").value().substr(0, 12), prefix + std::string("\x00\xff", 2));
  EXPECT_EQ(aead.Seal("c").value().substr(0, 12), prefix + std::string("\x01\x00", 2));
  EXPECT_GT(aead.next_counter(), 0x100u);
}

// Runs `act` in a child of fork() and returns what it returns.
int InChild(const std::function<int()>& act) {
  const pid_t child = fork();
  if (child == 0) _exit(act());
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_P(AeadTest, AChildDoesNotGoOnWithItsParentsCounter) {
  const Aead counting = Make({.counter = AeadCounter()});
  const std::string sealed = counting.Seal("text").value();
  EXPECT_EQ(InChild([&] { return static_cast<int>(counting.Seal("text").status().code()); }),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(InChild([&] { return counting.Open(sealed).ok() ? 0 : 1; }), 0);
  EXPECT_EQ(InChild([&] { return Make({.counter = AeadCounter()}).Seal("text").ok() ? 0 : 1; }), 0);
  EXPECT_EQ(InChild([&] { return Make().Seal("text").ok() ? 0 : 1; }), 0);
  EXPECT_TRUE(counting.Seal("text").ok());
}

TEST_P(AeadTest, RandomNoncesDoNotRepeat) {
  const Aead aead = Make();
  std::set<std::string> nonces;
  for (int i = 0; i < 5000; ++i) nonces.insert(aead.Seal("").value().substr(0, kAeadNonceBytes));
  EXPECT_EQ(nonces.size(), 5000u);
  EXPECT_EQ(aead.next_counter(), 0u);
}

TEST_P(AeadTest, RefusesLimitsBeyondWhatNoncesBear) {
  const auto code = [&](const AeadOptions& options) {
    return Aead::Create(GetParam(), key_.bytes(), options).status().code();
  };
  const std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({.max_messages = (std::uint64_t{1} << 32) + 1, .counter = {}}), invalid);
  EXPECT_EQ(code({.max_messages = std::uint64_t{1} << 48, .counter = AeadCounter()}),
            absl::StatusCode::kOk);
  EXPECT_EQ(code({.max_messages = (std::uint64_t{1} << 48) + 1, .counter = AeadCounter()}),
            invalid);
  EXPECT_EQ(code({.max_messages = 5, .counter = AeadCounter{.first = top - 5}}),
            absl::StatusCode::kOk);
  EXPECT_EQ(code({.max_messages = 6, .counter = AeadCounter{.first = top - 5}}), invalid);
}

TEST_P(AeadTest, RefusesKeysOfAnotherSize) {
  for (const std::size_t size : {0, 1, 15, 17, 24, 31, 33, 64}) {
    EXPECT_EQ(Aead::Create(GetParam(), Bytes(size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(AeadGcmSivTest, IsThereOrSaysThatItIsNot) {
  const absl::StatusOr<Aead> aead = Aead::Create(AeadAlgorithm::kAes256GcmSiv, Bytes(32));
  if (OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= 2) {
    ASSERT_TRUE(aead.ok());
    EXPECT_EQ(aead->Open(aead->Seal("text", "ad").value(), "ad").value(), "text");
  } else {
    EXPECT_EQ(aead.status().code(), absl::StatusCode::kUnimplemented);
    EXPECT_EQ(aead.status().message().substr(0, 26), "AES-256-GCM-SIV is not in ");
  }
}

TEST(AeadTypeTest, IsMovedAndNeverCopied) {
  static_assert(!std::is_copy_constructible_v<Aead>);
  Aead aead = *Aead::Create(AeadAlgorithm::kAes256Gcm, Bytes(32));
  const std::string sealed = aead.Seal("text").value();
  Aead moved = std::move(aead);
  EXPECT_EQ(moved.Open(sealed).value(), "text");
  EXPECT_EQ(moved.algorithm(), AeadAlgorithm::kAes256Gcm);
}

}  // namespace
}  // namespace strata::crypto
