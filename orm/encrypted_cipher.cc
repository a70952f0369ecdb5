#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "strata/crypto/kdf.h"
#include "strata/crypto/random.h"
#include "strata/orm/encrypted_cipher_internal.h"

namespace strata::orm::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;
using crypto::hazmat::AesCtr;
using crypto::hazmat::CounterBlock;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kGenerationBytes = sizeof(std::uint32_t);
static_assert(kReservedBytes == crypto::kAeadOverheadBytes + kGenerationBytes);

// By purpose.
constexpr std::string_view kInfo[kPurposes] = {"strata orm pages v1", "strata orm log v1",
                                               "strata orm journal v1", "strata orm marker v1"};
constexpr std::string_view kStreamInfo = "strata orm pages ctr v1";

// What a page or message is bound to.
template <std::size_t kNumbersBytes>
struct Binding {
  explicit Binding(const FileId& id) { std::copy(id.begin(), id.end(), bytes.begin()); }

  std::array<std::uint8_t, kFileIdBytes + kNumbersBytes> bytes;
};

Binding<8> BindingOfPage(const FileId& id, std::uint32_t number, std::uint32_t generation) {
  Binding<8> binding(id);
  StoreNumber(number, binding.bytes, kFileIdBytes);
  StoreNumber(generation, binding.bytes, kFileIdBytes + 4);
  return binding;
}

using PositionBinding = Binding<sizeof(FileCipher::Position)>;

PositionBinding BindingOfMessage(const FileId& id, const FileCipher::Position& position) {
  PositionBinding binding(id);
  for (std::size_t i = 0; i < position.size(); ++i) {
    StoreNumber(position[i], binding.bytes, kFileIdBytes + i * sizeof(position[i]));
  }
  return binding;
}

absl::Status Damaged(std::uint32_t number) {
  return absl::DataLossError(absl::StrCat("page ", number, " is damaged"));
}

bool IsZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

absl::StatusOr<FileCipher::Generation> FileCipher::Derive(const crypto::SecretBytes& key,
                                                          PageCipher cipher) {
  Generation generation;
  for (const std::string_view info : kInfo) {
    const absl::StatusOr<crypto::SecretBytes> sub_key =
        crypto::HkdfExpand(crypto::HashAlgorithm::kSha256, key.bytes(), info, kKeyBytes);
    if (!sub_key.ok()) return sub_key.status();
    absl::StatusOr<crypto::Aead> aead =
        crypto::Aead::Create(crypto::AeadAlgorithm::kAes256Gcm, sub_key->bytes());
    if (!aead.ok()) return aead.status();
    generation.aeads.push_back(*std::move(aead));
  }
  if (cipher == PageCipher::kAes256CtrUnauthenticated) {
    const absl::StatusOr<crypto::SecretBytes> sub_key =
        crypto::HkdfExpand(crypto::HashAlgorithm::kSha256, key.bytes(), kStreamInfo, kKeyBytes);
    if (!sub_key.ok()) return sub_key.status();
    absl::StatusOr<AesCtr> stream = AesCtr::Create(sub_key->bytes(), CounterBlock{});
    if (!stream.ok()) return stream.status();
    generation.stream = *std::move(stream);
  }
  return generation;
}

absl::StatusOr<std::unique_ptr<FileCipher>> FileCipher::Create(const Header& header,
                                                               const FileKeys& keys) {
  std::unique_ptr<FileCipher> cipher(new FileCipher(header));
  for (const crypto::SecretBytes& key : keys) {
    absl::StatusOr<Generation> generation = Derive(key, header.cipher);
    if (!generation.ok()) return generation.status();
    cipher->generations_.push_back(*std::move(generation));
  }
  return cipher;
}

FileCipher::Generation* FileCipher::Find(std::uint32_t generation) {
  const std::uint32_t age = header_.generation - generation;  // Huge for one that is newer.
  return age < generations_.size() ? &generations_[age] : nullptr;
}

absl::Status FileCipher::SealPage(std::uint32_t number, Bytes page,
                                  std::span<std::uint8_t> sealed) {
  const Bytes text = page.first(page.size() - kReservedBytes);
  if (!IsZero(page.last(kReservedBytes))) {
    return absl::InvalidArgumentError("the reserved bytes of a page are in use");
  }
  Generation& newest = generations_.front();
  StoreNumber(header_.generation, sealed, sealed.size() - kGenerationBytes);
  if (newest.stream.has_value()) {
    CounterBlock counter;
    crypto::SecureRandom::Fill(counter);
    std::copy(counter.begin(), counter.end(), sealed.begin());
    const std::span<std::uint8_t> unused = sealed.subspan(counter.size() + text.size());
    std::fill(unused.begin(), unused.end() - kGenerationBytes, std::uint8_t{0});
    absl::Status status = newest.stream->Restart(counter);
    if (!status.ok()) return status;
    return newest.stream->Transform(text, sealed.subspan(counter.size(), text.size()));
  }
  const auto binding = BindingOfPage(header_.file_id, number, header_.generation);
  return newest.aeads[static_cast<std::size_t>(Purpose::kPages)].SealTo(
      text, binding.bytes, sealed.first(sealed.size() - kGenerationBytes));
}

absl::Status FileCipher::OpenPage(std::uint32_t number, Bytes sealed,
                                  std::span<std::uint8_t> page) {
  const std::span<std::uint8_t> text = page.first(page.size() - kReservedBytes);
  std::fill(page.end() - kReservedBytes, page.end(), std::uint8_t{0});
  const std::uint32_t written_by = GenerationOf(sealed);
  Generation* generation = Find(written_by);
  if (generation == nullptr) {
    std::fill(text.begin(), text.end(), std::uint8_t{0});
    return Damaged(number);
  }
  if (generation->stream.has_value()) {
    CounterBlock counter;
    std::copy_n(sealed.begin(), counter.size(), counter.begin());
    absl::Status status = generation->stream->Restart(counter);
    if (!status.ok()) return status;
    return generation->stream->Transform(sealed.subspan(counter.size(), text.size()), text);
  }
  const auto binding = BindingOfPage(header_.file_id, number, written_by);
  const bool opened =
      generation->aeads[static_cast<std::size_t>(Purpose::kPages)]
          .OpenTo(sealed.first(sealed.size() - kGenerationBytes), binding.bytes, text)
          .ok();
  return opened ? absl::OkStatus() : Damaged(number);
}

absl::Status FileCipher::SealMessage(Purpose purpose, const Position& position, Bytes text,
                                     std::span<std::uint8_t> sealed) {
  const auto binding = BindingOfMessage(header_.file_id, position);
  return generations_.front().aeads[static_cast<std::size_t>(purpose)].SealTo(text, binding.bytes,
                                                                              sealed);
}

bool FileCipher::OpenMessage(Purpose purpose, std::uint32_t generation, const Position& position,
                             Bytes sealed, std::span<std::uint8_t> text) {
  Generation* found = Find(generation);
  if (found == nullptr) return false;
  const auto binding = BindingOfMessage(header_.file_id, position);
  return found->aeads[static_cast<std::size_t>(purpose)].OpenTo(sealed, binding.bytes, text).ok();
}

}  // namespace strata::orm::internal
