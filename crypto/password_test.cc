#include "strata/crypto/password.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "strata/crypto/phc_internal.h"

namespace strata::crypto {
namespace {

// The cheapest that HashPassword() makes.
constexpr ScryptCost kScrypt = {.log2_n = 14, .r = 8, .p = 1};
constexpr Pbkdf2Cost kPbkdf2 = {.iterations = 100'000};

// scrypt of "password" and the salt "SodiumChloride" (RFC 7914, section 12), the hash's 64 bytes.
constexpr char kPublished[] =
    "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU"
    "$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw";

bool HasArgon2() { return OPENSSL_version_major() > 3 || OPENSSL_version_minor() >= 2; }

TEST(PasswordTest, AcceptsThePasswordAndNoOther) {
  for (const PasswordCost& cost : {PasswordCost(kScrypt), PasswordCost(kPbkdf2)}) {
    const std::string stored = HashPassword("correct horse", cost).value();
    EXPECT_TRUE(VerifyPassword("correct horse", stored).ok());
    for (const char* other : {"", "correct hors", "correct horse ", "Correct horse"}) {
      EXPECT_EQ(VerifyPassword(other, stored).code(), absl::StatusCode::kUnauthenticated) << other;
    }
  }
}

TEST(PasswordTest, WorksAsInItsHeader) {
  const absl::StatusOr<std::string> stored = HashPassword("correct horse");
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->substr(0, 24), "$scrypt$ln=15,r=8,p=3$" + stored->substr(22, 2));
  EXPECT_FALSE(PasswordNeedsRehash(*stored));
}

TEST(PasswordTest, AcceptsWhatIsPublished) {
  EXPECT_TRUE(VerifyPassword("pleaseletmein", kPublished).ok());
  EXPECT_EQ(VerifyPassword("pleaseletmeout", kPublished).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(PasswordTest, SaltsEachHash) {
  EXPECT_NE(HashPassword("p", kScrypt).value(), HashPassword("p", kScrypt).value());
}

TEST(PasswordTest, TakesBytesOfAnyValue) {
  const std::string password("p\0q\xff", 4);
  const std::string stored = HashPassword(password, kScrypt).value();
  EXPECT_TRUE(VerifyPassword(password, stored).ok());
  EXPECT_FALSE(VerifyPassword("p", stored).ok());
}

TEST(PasswordTest, BoundsThePassword) {
  const std::string longest(kMaxPasswordBytes, 'p');
  EXPECT_TRUE(HashPassword(longest, kScrypt).ok());
  EXPECT_EQ(HashPassword(longest + "p", kScrypt).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(VerifyPassword(longest + "p", kPublished).code(), absl::StatusCode::kInvalidArgument);
}

TEST(PasswordTest, RefusesCostsThatAreTooLowOrTooHigh) {
  const PasswordCost refused[] = {
      ScryptCost{.log2_n = 13, .r = 8, .p = 1}, ScryptCost{.log2_n = 14, .r = 7, .p = 1},
      ScryptCost{.log2_n = 40, .r = 8, .p = 1}, ScryptCost{.log2_n = 21, .r = 8, .p = 1},
      Pbkdf2Cost{.iterations = 99'999},         Pbkdf2Cost{.iterations = 0xffffffff},
      Argon2Cost{.memory_kib = 7167},           Argon2Cost{.memory_kib = 0xffffffff},
  };
  for (const PasswordCost& cost : refused) {
    EXPECT_EQ(HashPassword("p", cost).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(PasswordTest, RefusesAStoredCostBeforeAnyWork) {
  for (const char* cost :
       {"$scrypt$ln=30,r=8,p=1$", "$scrypt$ln=20,r=64,p=64$", "$scrypt$ln=4294967295,r=8,p=1$",
        "$scrypt$ln=0,r=8,p=1$", "$scrypt$ln=14,r=0,p=1$", "$scrypt$ln=14,r=8,p=4294967295$",
        "$pbkdf2-sha256$i=4294967295$", "$pbkdf2-sha256$i=0$",
        "$argon2id$v=19$m=4294967295,t=1,p=1$", "$argon2id$v=19$m=65536,t=4294967295,p=1$"}) {
    const std::string stored = absl::StrCat(cost, "U29kaXVtQ2hsb3JpZGU$", std::string(43, 'A'));
    ASSERT_TRUE(ParsePhc(stored).ok()) << stored;
    EXPECT_EQ(VerifyPassword("p", stored).code(), absl::StatusCode::kInvalidArgument) << stored;
  }
}

TEST(PasswordTest, Argon2idIsThereOrSaysThatItIsNot) {
  // From the reference implementation's test.c.
  const char stored[] =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  const absl::StatusCode expected =
      HasArgon2() ? absl::StatusCode::kOk : absl::StatusCode::kUnimplemented;
  EXPECT_EQ(VerifyPassword("password", stored).code(), expected);
  EXPECT_EQ(HashPassword("password", Argon2Cost()).status().code(), expected);
}

TEST(PasswordTest, SaysWhenToHashAnew) {
  EXPECT_TRUE(PasswordNeedsRehash(kPublished));
  EXPECT_FALSE(PasswordNeedsRehash(kPublished, kScrypt));
  EXPECT_TRUE(PasswordNeedsRehash(kPublished, kPbkdf2));
  EXPECT_TRUE(PasswordNeedsRehash("nonsense", kScrypt));
}

TEST(PhcTest, ReadsWhatItWrites) {
  for (const PasswordCost& cost : {PasswordCost(ScryptCost{1, 2, 3}), PasswordCost(Pbkdf2Cost{4}),
                                   PasswordCost(Argon2Cost{5, 6, 7})}) {
    const Phc phc = {cost, "eight by", "sixteen bytes..."};
    const absl::StatusOr<Phc> read = ParsePhc(FormatPhc(phc));
    ASSERT_TRUE(read.ok()) << FormatPhc(phc);
    EXPECT_EQ(read->cost, cost);
    EXPECT_EQ(read->salt, phc.salt);
    EXPECT_EQ(read->hash, phc.hash);
  }
}

TEST(PhcTest, RefusesEveryPrefixAndEveryPlaceWithOneMoreCharacter) {
  const std::string whole = kPublished;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char* more : {"$", ",", "=", " ", "\n", "\t", "+0", "-", "\xff"}) {
      std::string longer = whole;
      longer.insert(at, more);
      // Within the base64, '+' and '0' may be bytes of another salt or hash.
      const absl::StatusOr<Phc> read = ParsePhc(longer);
      if (read.ok()) {
        EXPECT_EQ(FormatPhc(*read), longer);
      }
    }
  }
  const std::size_t costs = whole.find("U29");
  for (std::size_t size = 0; size < costs + 10; ++size) {
    EXPECT_FALSE(ParsePhc(whole.substr(0, size)).ok()) << size;
  }
}

TEST(PhcTest, RefusesOtherWaysToWriteTheSame) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"ln=14", "ln=014"},
      {"ln=14", "ln=+14"},
      {"ln=14", "ln= 14"},
      {"ln=14", "ln=14 "},
      {"ln=14", "Ln=14"},
      {"ln=14", "ln=0xe"},
      {"ln=14", "ln="},
      {"ln=14", "ln"},
      {"ln=14", "ln=-1"},
      {"ln=14,", ""},
      {"p=1", "p=1,x=1"},
      {"p=1", "p=1,"},
      {"r=8,p=1", "p=1,r=8"},
      {"$scrypt", "scrypt"},
      {"scrypt", "SCRYPT"},
      {"scrypt", "bcrypt"},
      {"U29k", "U2=9k"},
      {"U29k", "U2 9k"},
      {"+", "-"},
      {"ln=14", "ln=99999999999"},
      {"ZGU$", "ZGV$"},  // Spare bits of the last character.
      {"ZGU$", "ZGU=$"},
      {"ZGU$", "ZGU$$"},
      {"$U29kaXVtQ2hsb3JpZGU$", "$$"},
      {"$U29kaXVtQ2hsb3JpZGU$", "$c2hvcnQ$"},
      {"$scrypt$", "$scrypt$bad$pbkdf2-sha256$i=1$"},
  };
  for (const auto& [from, to] : changes) {
    const std::string changed = absl::StrReplaceAll(kPublished, {{from, to}});
    ASSERT_NE(changed, kPublished) << from;
    EXPECT_EQ(ParsePhc(changed).status().code(), absl::StatusCode::kInvalidArgument) << changed;
  }
  EXPECT_FALSE(ParsePhc(std::string(kPublished) + "$").ok());
  EXPECT_FALSE(ParsePhc(std::string(kPublished) + std::string(1, '\0')).ok());
  EXPECT_FALSE(ParsePhc(std::string(100'000, '$')).ok());
}

}  // namespace
}  // namespace strata::crypto
