// Password hashing: which function at what cost, and nothing of the password kept.

#include "strata/crypto/password.h"

#include <array>
#include <span>

#include "strata/crypto/phc_internal.h"
#include "strata/crypto/random.h"

namespace strata::crypto {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool IsTooCheap(const ScryptCost& cost) {
  return cost.log2_n < 32 && (std::uint64_t{cost.r} << cost.log2_n) * cost.p < (8u << 14);
}
bool IsTooCheap(const Pbkdf2Cost& cost) { return cost.iterations < 100'000; }
bool IsTooCheap(const Argon2Cost& cost) { return cost.memory_kib < 7 * 1024; }

absl::StatusOr<SecretBytes> Derive(std::string_view password, std::string_view salt,
                                   const PasswordCost& cost, std::size_t size) {
  if (const auto* scrypt = std::get_if<ScryptCost>(&cost)) {
    return Scrypt(password, AsBytes(salt), *scrypt, size);
  }
  if (const auto* pbkdf2 = std::get_if<Pbkdf2Cost>(&cost)) {
    return Pbkdf2(HashAlgorithm::kSha256, password, AsBytes(salt), pbkdf2->iterations, size);
  }
  return Argon2id(password, AsBytes(salt), std::get<Argon2Cost>(cost), size);
}

absl::Status CheckPassword(std::string_view password) {
  if (password.size() > kMaxPasswordBytes) {
    return absl::InvalidArgumentError("a password has at most 4096 bytes");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPasswordCost(const PasswordCost& cost) {
  if (std::visit([](const auto& of) { return IsTooCheap(of); }, cost)) {
    return absl::InvalidArgumentError("the cost is too low to protect a password");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> HashPassword(std::string_view password, const PasswordCost& cost) {
  if (absl::Status status = CheckPassword(password); !status.ok()) return status;
  if (absl::Status status = CheckPasswordCost(cost); !status.ok()) return status;
  Phc phc;
  phc.cost = cost;
  const auto salt = SecureRandom::Bytes<kSaltBytes>();
  phc.salt.assign(salt.begin(), salt.end());
  absl::StatusOr<SecretBytes> hash = Derive(password, phc.salt, cost, kHashBytes);
  if (!hash.ok()) return hash.status();
  phc.hash = hash->text();
  return FormatPhc(phc);
}

absl::Status VerifyPassword(std::string_view password, std::string_view stored) {
  if (absl::Status status = CheckPassword(password); !status.ok()) return status;
  absl::StatusOr<Phc> phc = ParsePhc(stored);
  if (!phc.ok()) return phc.status();
  absl::StatusOr<SecretBytes> hash = Derive(password, phc->salt, phc->cost, phc->hash.size());
  if (!hash.ok()) return hash.status();
  if (!ConstantTimeEquals(hash->text(), phc->hash)) {
    return absl::UnauthenticatedError("the password is another one");
  }
  return absl::OkStatus();
}

bool PasswordNeedsRehash(std::string_view stored, const PasswordCost& cost) {
  const absl::StatusOr<Phc> phc = ParsePhc(stored);
  return !phc.ok() || phc->cost != cost;
}

}  // namespace strata::crypto
