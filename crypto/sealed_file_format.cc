// The format of sealed files: what stands where, and which key seals it.

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "strata/crypto/password.h"
#include "strata/crypto/sealed_file_internal.h"

namespace strata::crypto {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The first byte is in no text, the last shows whether line ends were converted on the way.
constexpr std::array<std::uint8_t, 8> kMagic = {0x89, 'S', 'e', 'a', 'l', 'e', 'd', '\n'};
constexpr std::uint8_t kVersion = 1;

// Where the fields of the head are, in bytes.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kAlgorithmAt = 9;
constexpr std::size_t kChunkLog2At = 10;
constexpr std::size_t kSourceAt = 11;
constexpr std::size_t kScryptAt = 12;
constexpr std::size_t kSaltAt = 16;
static_assert(kSaltAt + kSealedFileSaltBytes == kSealedFileHeadBytes);

constexpr std::uint8_t kAes256GcmCode = 1;
constexpr std::uint8_t kChaCha20Poly1305Code = 2;
constexpr std::uint8_t kKeyCode = 1;
constexpr std::uint8_t kPasswordCode = 2;

constexpr std::uint32_t kMinChunkLog2 = 10;
constexpr std::uint32_t kMaxChunkLog2 = 20;

constexpr std::string_view kInfo = "strata sealed file v1";

bool IsChunkLog2(std::uint32_t log2) { return log2 >= kMinChunkLog2 && log2 <= kMaxChunkLog2; }

// The key of 32 bytes that stands behind that of the file.
absl::StatusOr<SecretBytes> MasterKey(const SealedFileKey& key, const SealedFileHead& head) {
  if (key.source() == SealedFileKey::Source::kKey) return key.secret().Clone();
  return Scrypt(key.secret().text(), head.salt, head.cost, SealedFileKey::kBytes);
}

}  // namespace

absl::Status SealedFileNotAuthentic() {
  return absl::UnauthenticatedError("the key or password is wrong, or the file is damaged");
}

absl::StatusOr<SealedFileHeadBytes> EncodeSealedFileHead(const SealedFileHead& head) {
  if (head.algorithm != AeadAlgorithm::kAes256Gcm &&
      head.algorithm != AeadAlgorithm::kChaCha20Poly1305) {
    return absl::InvalidArgumentError(
        "files are sealed by AES-256-GCM or ChaCha20-Poly1305 and nothing else");
  }
  if (!IsChunkLog2(head.chunk_log2)) {
    return absl::InvalidArgumentError("chunk_log2 is from 10 to 20");
  }
  SealedFileHeadBytes bytes = {};
  std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
  bytes[kVersionAt] = kVersion;
  bytes[kAlgorithmAt] =
      head.algorithm == AeadAlgorithm::kAes256Gcm ? kAes256GcmCode : kChaCha20Poly1305Code;
  bytes[kChunkLog2At] = static_cast<std::uint8_t>(head.chunk_log2);
  bytes[kSourceAt] = kKeyCode;
  if (head.source == SealedFileKey::Source::kPassword) {
    bytes[kSourceAt] = kPasswordCode;
    bytes[kScryptAt] = static_cast<std::uint8_t>(head.cost.log2_n);
    bytes[kScryptAt + 1] = static_cast<std::uint8_t>(head.cost.r);
    bytes[kScryptAt + 2] = static_cast<std::uint8_t>(head.cost.p);
  }
  std::copy(head.salt.begin(), head.salt.end(), bytes.begin() + kSaltAt);
  return bytes;
}

absl::StatusOr<SealedFileHead> DecodeSealedFileHead(Bytes bytes) {
  if (bytes.size() < kMagic.size() || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return absl::InvalidArgumentError("this is not a sealed file");
  }
  // A newer header may be of another size.
  if (bytes.size() > kVersionAt && bytes[kVersionAt] > kVersion) {
    return absl::UnimplementedError(absl::StrCat("a sealed file of version ", bytes[kVersionAt],
                                                 "; this program knows ", kVersion));
  }
  if (bytes.size() < kSealedFileHeaderBytes) return SealedFileNotAuthentic();
  const std::uint8_t algorithm = bytes[kAlgorithmAt];
  const std::uint8_t source = bytes[kSourceAt];
  // Of bytes that no writer of this version sets, all that can be said is that they were changed.
  if ((algorithm != kAes256GcmCode && algorithm != kChaCha20Poly1305Code) ||
      (source != kKeyCode && source != kPasswordCode) || !IsChunkLog2(bytes[kChunkLog2At])) {
    return SealedFileNotAuthentic();
  }
  SealedFileHead head;
  head.algorithm =
      algorithm == kAes256GcmCode ? AeadAlgorithm::kAes256Gcm : AeadAlgorithm::kChaCha20Poly1305;
  head.chunk_log2 = bytes[kChunkLog2At];
  head.source = source == kKeyCode ? SealedFileKey::Source::kKey : SealedFileKey::Source::kPassword;
  head.cost = {bytes[kScryptAt], bytes[kScryptAt + 1], bytes[kScryptAt + 2]};
  std::copy_n(bytes.begin() + kSaltAt, kSealedFileSaltBytes, head.salt.begin());
  return head;
}

absl::Status CheckSealedFileCost(const ScryptCost& cost, const SealedFileLimits& limits) {
  const std::uint32_t max_log2_n = cost.r == 1 ? 15 : 24;
  if (cost.log2_n < 1 || cost.log2_n > max_log2_n || cost.r < 1 || cost.r > 64 || cost.p < 1 ||
      cost.p > 64) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "scrypt takes log2_n from 1 to 24 (15 if r is 1), r and p from 1 to 64, and not log2_n ",
        cost.log2_n, ", r ", cost.r, ", p ", cost.p));
  }
  const std::uint64_t bytes = std::uint64_t{128} * cost.r << cost.log2_n;
  if (bytes > limits.max_scrypt_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("scrypt would take ", bytes,
                                                     " bytes, more than max_scrypt_bytes, ",
                                                     limits.max_scrypt_bytes));
  }
  if (bytes * cost.p > limits.max_scrypt_work_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("scrypt would go over ", bytes * cost.p,
                                                     " bytes, more than max_scrypt_work_bytes, ",
                                                     limits.max_scrypt_work_bytes));
  }
  return absl::OkStatus();
}

absl::Status CheckSealedFileKey(const SealedFileKey& key) {
  const std::size_t size = key.secret().size();
  if (key.source() == SealedFileKey::Source::kKey) {
    if (size == SealedFileKey::kBytes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("a key of sealed files has 32 bytes, this one has ", size));
  }
  if (size >= 1 && size <= kMaxPasswordBytes) return absl::OkStatus();
  return absl::InvalidArgumentError("a password has from 1 to 4096 bytes");
}

absl::StatusOr<SealedFileSecrets> SealedFileSecrets::Derive(const SealedFileKey& key,
                                                            const SealedFileHead& head,
                                                            Bytes bytes) {
  absl::StatusOr<SecretBytes> master = MasterKey(key, head);
  if (!master.ok()) return master.status();
  std::string info(kInfo);
  info.append(bytes.begin(), bytes.end());
  absl::StatusOr<SecretBytes> secrets =
      Hkdf(HashAlgorithm::kSha256, master->bytes(), head.salt, info,
           SealedFileKey::kBytes + kSealedFileCommitmentBytes + kSealedFilePrefixBytes);
  if (!secrets.ok()) return secrets.status();
  return SealedFileSecrets(*std::move(secrets));
}

SealedFileChunks::SealedFileChunks(AeadContext context, const SealedFileSecrets& secrets,
                                   std::uint64_t first)
    : context_(std::move(context)), next_(first) {
  std::copy(secrets.prefix().begin(), secrets.prefix().end(), nonce_.begin());
}

absl::StatusOr<SealedFileChunks> SealedFileChunks::Create(AeadAlgorithm algorithm,
                                                          AeadContext::Direction direction,
                                                          const SealedFileSecrets& secrets,
                                                          std::uint64_t first) {
  absl::StatusOr<AeadContext> context = AeadContext::Create(algorithm, direction, secrets.key());
  if (!context.ok()) return context.status();
  return SealedFileChunks(*std::move(context), secrets, first);
}

// Prefix, number (big-endian), whether it is the last.
SealedFileChunks::Nonce SealedFileChunks::TakeNonce(bool last) {
  const auto number = static_cast<std::uint32_t>(next_++);
  for (std::size_t i = 0; i < sizeof(number); ++i) {
    nonce_[kSealedFilePrefixBytes + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  nonce_.back() = last ? 1 : 0;
  return nonce_;
}

absl::Status SealedFileChunks::Seal(std::span<std::uint8_t> chunk, bool last) {
  if (next_ == kMaxSealedFileChunks) {
    return absl::ResourceExhaustedError("a sealed file has at most 2^32 chunks");
  }
  const std::span<std::uint8_t> text = chunk.first(chunk.size() - kAeadTagBytes);
  if (!context_.Seal(TakeNonce(last), {}, text, text.data(), chunk.last<kAeadTagBytes>())) {
    return absl::InternalError("OpenSSL did not seal");
  }
  return absl::OkStatus();
}

absl::Status SealedFileChunks::Open(std::span<std::uint8_t> chunk, bool last) {
  if (next_ == kMaxSealedFileChunks) return SealedFileNotAuthentic();
  const std::span<std::uint8_t> text = chunk.first(chunk.size() - kAeadTagBytes);
  if (!context_.Open(TakeNonce(last), {}, text, text.data(), chunk.last<kAeadTagBytes>())) {
    return SealedFileNotAuthentic();
  }
  return absl::OkStatus();
}

}  // namespace strata::crypto
