// The containers of keys, compared with the few forms that we take.

#include <algorithm>
#include <array>
#include <utility>

#include "strata/crypto/key_der_internal.h"

namespace strata::crypto {
namespace {

constexpr std::uint8_t kContext0 = 0xa0;
constexpr std::uint8_t kContext1 = 0xa1;

// AlgorithmIdentifiers, whole: RFC 8410 (section 3), RFC 5480 (section 2.1.1, by named curve), and
// RFC 8017 (appendix A.1, with its NULL).
constexpr std::uint8_t kEd25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
constexpr std::uint8_t kX25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e};
constexpr std::uint8_t kP256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                  0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t kP384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                  0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t kRsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

struct Algorithm {
  KeyType type;
  ByteSpan identifier;
};
constexpr Algorithm kAlgorithms[] = {{KeyType::kEd25519, kEd25519},
                                     {KeyType::kX25519, kX25519},
                                     {KeyType::kP256, kP256},
                                     {KeyType::kP384, kP384},
                                     {KeyType::kRsa, kRsa}};

std::optional<KeyType> ReadAlgorithm(DerReader& reader) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (reader.Skip(algorithm.identifier)) return algorithm.type;
  }
  return std::nullopt;
}

// The curve of a namedCurve: the end of an identifier of above.
std::optional<KeyType> CurveOf(ByteSpan object_id) {
  constexpr std::size_t kBefore = 11;  // SEQUENCE and id-ecPublicKey.
  for (const Algorithm& algorithm : {kAlgorithms[2], kAlgorithms[3]}) {
    if (std::ranges::equal(algorithm.identifier.subspan(kBefore), object_id)) return algorithm.type;
  }
  return std::nullopt;
}

// PBES2 (RFC 8018, appendix A.4), and what it is made of.
constexpr std::uint8_t kPbes2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d};
constexpr std::uint8_t kPbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
constexpr std::uint8_t kScrypt[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b};
// hmacWithSHA256 to 512 and aes128, 192, 256-CBC are these, with another last byte.
constexpr std::uint8_t kHmacWithSha2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02};
constexpr std::uint8_t kAes[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01};

constexpr std::size_t kMaxEncryptionSaltBytes = 64;
constexpr std::size_t kAesBlockBytes = 16;

bool IsOneOf(ByteSpan object_id, ByteSpan prefix, std::initializer_list<std::uint8_t> last) {
  return object_id.size() == prefix.size() + 1 &&
         std::ranges::equal(object_id.first(prefix.size()), prefix) &&
         std::ranges::find(last, object_id.back()) != last.end();
}

absl::Status Malformed() { return absl::InvalidArgumentError("malformed encrypted key"); }
absl::Status TooCostly() {
  return absl::InvalidArgumentError("encrypted key: its key derivation is out of bounds");
}
absl::Status Unknown(std::string_view what) { return absl::UnimplementedError(what); }

absl::Status CheckPbkdf2(DerReader parameters) {
  const std::optional<ByteSpan> salt = parameters.Read(kDerOctetString);
  const std::optional<std::uint32_t> iterations = parameters.ReadUint32();
  if (!salt.has_value() || !iterations.has_value()) return Malformed();
  if (salt->size() > kMaxEncryptionSaltBytes || *iterations == 0 ||
      *iterations > kMaxKeyIterations) {
    return TooCostly();
  }
  if (parameters.HasTag(kDerInteger)) {
    const std::optional<std::uint32_t> key_bytes = parameters.ReadUint32();
    if (!key_bytes.has_value() || *key_bytes > 32) return Malformed();
  }
  // Without a prf it is HMAC-SHA1.
  if (parameters.empty()) return Unknown("encrypted key: PBKDF2 with HMAC-SHA1");
  const std::optional<ByteSpan> prf = parameters.Read(kDerSequence);
  if (!prf.has_value() || !parameters.empty()) return Malformed();
  const std::optional<ByteSpan> name = DerReader(*prf).Read(kDerObjectId);
  if (!name.has_value()) return Malformed();
  if (!IsOneOf(*name, kHmacWithSha2, {9, 10, 11})) return Unknown("encrypted key: unknown PRF");
  return absl::OkStatus();
}

absl::Status CheckScrypt(DerReader parameters) {
  const std::optional<ByteSpan> salt = parameters.Read(kDerOctetString);
  const std::optional<std::uint32_t> n = parameters.ReadUint32();
  const std::optional<std::uint32_t> r = parameters.ReadUint32();
  const std::optional<std::uint32_t> p = parameters.ReadUint32();
  if (!salt.has_value() || !n.has_value() || !r.has_value() || !p.has_value()) return Malformed();
  if (!parameters.empty() && !parameters.ReadUint32().has_value()) return Malformed();
  if (!parameters.empty()) return Malformed();
  if (salt->size() > kMaxEncryptionSaltBytes || *n < 2 || *r == 0 || *p == 0 || *r > 64 ||
      *p > kMaxKeyScryptP || std::uint64_t{128} * *n * *r > kMaxKeyScryptBytes) {
    return TooCostly();
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<ByteSpan> DerReader::Read(std::uint8_t tag) {
  if (bytes_.size() < 2 || bytes_[0] != tag) return std::nullopt;
  std::size_t size = bytes_[1];
  std::size_t header = 2;
  if (size >= 0x80) {
    const std::size_t count = size & 0x7f;
    if (count < 1 || count > 3 || bytes_.size() < 2 + count) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < count; ++i) size = size << 8 | bytes_[2 + i];
    header += count;
    const bool minimal = size >= 0x80 && size >> (8 * (count - 1)) != 0;
    if (!minimal) return std::nullopt;
  }
  if (size > bytes_.size() - header) return std::nullopt;
  const ByteSpan contents = bytes_.subspan(header, size);
  bytes_ = bytes_.subspan(header + size);
  return contents;
}

bool DerReader::ReadInteger(std::uint8_t value) {
  const std::uint8_t integer[] = {kDerInteger, 1, value};
  return Skip(integer);
}

std::optional<std::uint32_t> DerReader::ReadUint32() {
  const std::optional<ByteSpan> contents = Read(kDerInteger);
  if (!contents.has_value() || contents->empty() || contents->size() > 5) return std::nullopt;
  const ByteSpan bytes = *contents;
  const bool negative = bytes[0] >= 0x80;
  const bool padded = bytes.size() > 1 && bytes[0] == 0 && bytes[1] < 0x80;
  if (negative || padded || (bytes.size() == 5 && bytes[0] != 0)) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

bool DerReader::Skip(ByteSpan bytes) {
  if (bytes_.size() < bytes.size() || !std::ranges::equal(bytes_.first(bytes.size()), bytes)) {
    return false;
  }
  bytes_ = bytes_.subspan(bytes.size());
  return true;
}

std::optional<ContainedKey> ReadSpki(ByteSpan der) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  if (!sequence.has_value() || !outer.empty()) return std::nullopt;
  DerReader inner(*sequence);
  const std::optional<KeyType> type = ReadAlgorithm(inner);
  if (!type.has_value()) return std::nullopt;
  const std::optional<ByteSpan> bits = inner.Read(kDerBitString);
  // The first byte counts the bits that the last one does not use.
  if (!bits.has_value() || !inner.empty() || bits->empty() || (*bits)[0] != 0) return std::nullopt;
  return ContainedKey{*type, bits->subspan(1)};
}

std::optional<ContainedKey> ReadPkcs8(ByteSpan der) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  if (!sequence.has_value() || !outer.empty()) return std::nullopt;
  DerReader inner(*sequence);
  if (!inner.ReadInteger(0)) return std::nullopt;
  const std::optional<KeyType> type = ReadAlgorithm(inner);
  if (!type.has_value()) return std::nullopt;
  const std::optional<ByteSpan> key = inner.Read(kDerOctetString);
  if (!key.has_value() || !inner.empty()) return std::nullopt;
  if (*type != KeyType::kEd25519 && *type != KeyType::kX25519) return ContainedKey{*type, *key};
  DerReader wrapped(*key);
  const std::optional<ByteSpan> raw = wrapped.Read(kDerOctetString);
  if (!raw.has_value() || !wrapped.empty()) return std::nullopt;
  return ContainedKey{*type, *raw};
}

std::optional<ContainedEcKey> ReadEcPrivateKey(ByteSpan der, std::optional<KeyType> expected) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  if (!sequence.has_value() || !outer.empty()) return std::nullopt;
  DerReader inner(*sequence);
  if (!inner.ReadInteger(1)) return std::nullopt;
  const std::optional<ByteSpan> scalar = inner.Read(kDerOctetString);
  if (!scalar.has_value()) return std::nullopt;
  if (inner.HasTag(kContext0)) {
    const std::optional<ByteSpan> parameters = inner.Read(kContext0);
    if (!parameters.has_value()) return std::nullopt;
    const std::optional<KeyType> curve = CurveOf(*parameters);
    if (!curve.has_value() || (expected.has_value() && *expected != *curve)) return std::nullopt;
    expected = curve;
  }
  if (!expected.has_value()) return std::nullopt;
  ContainedEcKey key = {*expected, *scalar, std::nullopt};
  if (inner.HasTag(kContext1)) {
    const std::optional<ByteSpan> wrapped = inner.Read(kContext1);
    if (!wrapped.has_value()) return std::nullopt;
    DerReader reader(*wrapped);
    const std::optional<ByteSpan> bits = reader.Read(kDerBitString);
    if (!bits.has_value() || !reader.empty() || bits->empty() || (*bits)[0] != 0) {
      return std::nullopt;
    }
    key.point = bits->subspan(1);
  }
  if (!inner.empty()) return std::nullopt;
  return key;
}

absl::Status CheckEncryption(ByteSpan der) {
  DerReader outer(der);
  const std::optional<ByteSpan> sequence = outer.Read(kDerSequence);
  if (!sequence.has_value() || !outer.empty()) return Malformed();
  DerReader inner(*sequence);
  const std::optional<ByteSpan> algorithm = inner.Read(kDerSequence);
  const std::optional<ByteSpan> ciphertext = inner.Read(kDerOctetString);
  if (!algorithm.has_value() || !ciphertext.has_value() || !inner.empty()) return Malformed();
  DerReader scheme(*algorithm);
  const std::optional<ByteSpan> name = scheme.Read(kDerObjectId);
  if (!name.has_value()) return Malformed();
  if (!std::ranges::equal(*name, kPbes2)) return Unknown("encrypted key: not of PBES2");
  const std::optional<ByteSpan> parts = scheme.Read(kDerSequence);
  if (!parts.has_value() || !scheme.empty()) return Malformed();
  DerReader both(*parts);
  const std::optional<ByteSpan> derivation = both.Read(kDerSequence);
  const std::optional<ByteSpan> cipher = both.Read(kDerSequence);
  if (!derivation.has_value() || !cipher.has_value() || !both.empty()) return Malformed();

  DerReader of_cipher(*cipher);
  const std::optional<ByteSpan> cipher_name = of_cipher.Read(kDerObjectId);
  if (!cipher_name.has_value()) return Malformed();
  if (!IsOneOf(*cipher_name, kAes, {2, 22, 42})) return Unknown("encrypted key: not by AES-CBC");
  const std::optional<ByteSpan> iv = of_cipher.Read(kDerOctetString);
  if (!iv.has_value() || iv->size() != kAesBlockBytes || !of_cipher.empty()) return Malformed();
  if (ciphertext->empty() || ciphertext->size() % kAesBlockBytes != 0) return Malformed();

  DerReader of_derivation(*derivation);
  const std::optional<ByteSpan> derivation_name = of_derivation.Read(kDerObjectId);
  const std::optional<ByteSpan> parameters = of_derivation.Read(kDerSequence);
  if (!derivation_name.has_value() || !parameters.has_value() || !of_derivation.empty()) {
    return Malformed();
  }
  if (std::ranges::equal(*derivation_name, kPbkdf2)) return CheckPbkdf2(DerReader(*parameters));
  if (std::ranges::equal(*derivation_name, kScrypt)) return CheckScrypt(DerReader(*parameters));
  return Unknown("encrypted key: neither PBKDF2 nor scrypt");
}

SecretBytes DerElement(std::uint8_t tag, std::initializer_list<ByteSpan> parts) {
  std::size_t size = 0;
  for (const ByteSpan part : parts) size += part.size();
  std::array<std::uint8_t, 4> header = {tag};
  std::size_t header_size = 2;
  if (size < 0x80) {
    header[1] = static_cast<std::uint8_t>(size);
  } else if (size < 0x100) {
    header = {tag, 0x81, static_cast<std::uint8_t>(size)};
    header_size = 3;
  } else {
    // No key has 64 KB.
    header = {tag, 0x82, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    header_size = 4;
  }
  SecretBytes element(header_size + size);
  auto out =
      std::ranges::copy(ByteSpan(header).first(header_size), element.mutable_bytes().begin()).out;
  for (const ByteSpan part : parts) out = std::ranges::copy(part, out).out;
  return element;
}

SecretBytes WritePkcs8(KeyType type, const SecretBytes& contents) {
  constexpr std::uint8_t kVersion[] = {kDerInteger, 1, 0};
  ByteSpan identifier;
  for (const Algorithm& algorithm : kAlgorithms) {
    if (algorithm.type == type) identifier = algorithm.identifier;
  }
  const SecretBytes key = DerElement(kDerOctetString, {contents.bytes()});
  return DerElement(kDerSequence, {kVersion, identifier, key.bytes()});
}

SecretBytes WriteEcPrivateKey(ByteSpan scalar, ByteSpan point) {
  constexpr std::uint8_t kVersion[] = {kDerInteger, 1, 1};
  constexpr std::uint8_t kNoUnusedBits[] = {0};
  const SecretBytes bits = DerElement(kDerBitString, {kNoUnusedBits, point});
  const SecretBytes public_key = DerElement(kContext1, {bits.bytes()});
  const SecretBytes private_key = DerElement(kDerOctetString, {scalar});
  return DerElement(kDerSequence, {kVersion, private_key.bytes(), public_key.bytes()});
}

SecretBytes WriteRsaPrivateKey(std::span<const SecretBytes> numbers) {
  constexpr std::uint8_t kVersion[] = {kDerInteger, 1, 0};
  constexpr std::uint8_t kSign[] = {0};
  SecretBytes all = SecretBytes::Copy(ByteSpan(kVersion));
  for (const SecretBytes& number : numbers) {
    const bool needs_sign = number.bytes()[0] >= 0x80;
    const SecretBytes integer =
        DerElement(kDerInteger, {ByteSpan(kSign).first(needs_sign ? 1 : 0), number.bytes()});
    SecretBytes longer(all.size() + integer.size());
    std::ranges::copy(integer.bytes(),
                      std::ranges::copy(all.bytes(), longer.mutable_bytes().begin()).out);
    all = std::move(longer);
  }
  return DerElement(kDerSequence, {all.bytes()});
}

}  // namespace strata::crypto
