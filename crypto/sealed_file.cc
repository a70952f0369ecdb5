// Sealed files in pieces: what waits for more, and what may leave.

#include "strata/crypto/sealed_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "strata/crypto/aead_internal.h"
#include "strata/crypto/password.h"
#include "strata/crypto/random.h"
#include "strata/crypto/sealed_file_internal.h"

namespace strata::crypto {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Moves what fits from the front of `from` behind the first `size` of `to`. `to` ends up full, or
// `from` empty.
void Fill(std::span<std::uint8_t> to, std::size_t& size, Bytes& from) {
  const std::size_t count = std::min(to.size() - size, from.size());
  std::copy_n(from.begin(), count, to.begin() + static_cast<std::ptrdiff_t>(size));
  size += count;
  from = from.subspan(count);
}

absl::Status Finished() { return absl::FailedPreconditionError("the sealed file is finished"); }

}  // namespace

SealedFileKey SealedFileKey::FromKey(Bytes key) {
  return SealedFileKey(Source::kKey, SecretBytes::Copy(key));
}

SealedFileKey SealedFileKey::FromPassword(std::string_view password) {
  return SealedFileKey(Source::kPassword, SecretBytes::Copy(password));
}

struct SealedFileWriter::State {
  State(SealedFileChunks of, const SealedFileHead& head, const SealedFileHeadBytes& bytes,
        const SealedFileSecrets& secrets)
      : chunks(std::move(of)), buffer(head.chunk_bytes() + kAeadTagBytes) {
    const auto commitment = secrets.commitment();
    std::copy(bytes.begin(), bytes.end(), header.begin());
    std::copy(commitment.begin(), commitment.end(), header.begin() + kSealedFileHeadBytes);
  }

  absl::Status Update(Bytes plaintext, SealedFileSink sink) {
    const std::span<std::uint8_t> text =
        buffer.mutable_bytes().first(buffer.size() - kAeadTagBytes);
    while (!plaintext.empty()) {
      // A chunk is known not to be the last when there is a byte that it does not hold.
      if (size == text.size()) {
        if (absl::Status status = Emit(false, sink); !status.ok()) return status;
      }
      Fill(text, size, plaintext);
    }
    return absl::OkStatus();
  }

  absl::Status Emit(bool last, SealedFileSink sink) {
    if (chunks.next() == 0) {
      if (absl::Status status = sink(header); !status.ok()) return status;
    }
    const std::span<std::uint8_t> chunk = buffer.mutable_bytes().first(size + kAeadTagBytes);
    size = 0;
    if (absl::Status status = chunks.Seal(chunk, last); !status.ok()) return status;
    return sink(chunk);
  }

  SealedFileChunks chunks;
  std::array<std::uint8_t, kSealedFileHeaderBytes> header;
  SecretBytes buffer;    // Plaintext of a chunk, and room for the tag.
  std::size_t size = 0;  // Of the plaintext.
  absl::Status status;
};

SealedFileWriter::SealedFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedFileWriter::~SealedFileWriter() = default;
SealedFileWriter::SealedFileWriter(SealedFileWriter&&) noexcept = default;
SealedFileWriter& SealedFileWriter::operator=(SealedFileWriter&&) noexcept = default;

absl::StatusOr<SealedFileWriter> SealedFileWriter::Create(const SealedFileKey& key,
                                                          const SealedFileOptions& options) {
  if (key.source() == SealedFileKey::Source::kPassword) {
    absl::Status status = CheckSealedFileCost(options.cost, {});
    if (!status.ok()) return absl::InvalidArgumentError(status.message());
    if (status = CheckPasswordCost(options.cost); !status.ok()) return status;
  }
  return Create(key, options, SecureRandom::Bytes<kSealedFileSaltBytes>());
}

absl::StatusOr<SealedFileWriter> SealedFileWriter::Create(const SealedFileKey& key,
                                                          const SealedFileOptions& options,
                                                          Bytes salt) {
  if (absl::Status status = CheckSealedFileKey(key); !status.ok()) return status;
  SealedFileHead head = {.algorithm = options.algorithm,
                         .chunk_log2 = options.chunk_log2,
                         .source = key.source(),
                         .cost = options.cost};
  std::copy_n(salt.begin(), head.salt.size(), head.salt.begin());
  const absl::StatusOr<SealedFileHeadBytes> bytes = EncodeSealedFileHead(head);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<SealedFileSecrets> secrets = SealedFileSecrets::Derive(key, head, *bytes);
  if (!secrets.ok()) return secrets.status();
  absl::StatusOr<SealedFileChunks> chunks =
      SealedFileChunks::Create(head.algorithm, AeadContext::Direction::kSeal, *secrets);
  if (!chunks.ok()) return chunks.status();
  return SealedFileWriter(std::make_unique<State>(*std::move(chunks), head, *bytes, *secrets));
}

absl::Status SealedFileWriter::Update(Bytes plaintext, SealedFileSink sink) {
  if (state_->status.ok()) state_->status = state_->Update(plaintext, sink);
  return state_->status;
}

absl::Status SealedFileWriter::Finish(SealedFileSink sink) {
  if (!state_->status.ok()) return state_->status;
  const absl::Status status = state_->Emit(true, sink);
  state_->status = status.ok() ? Finished() : status;
  return status;
}

struct SealedFileReader::State {
  State(SealedFileKey with, const SealedFileLimits& within)
      : key(std::move(with)), limits(within), buffer(kSealedFileHeaderBytes) {}

  absl::Status Update(Bytes sealed, SealedFileSink sink) {
    while (!sealed.empty()) {
      // Something follows, so what is full is not the last chunk.
      if (chunks.has_value() && size == buffer.size()) {
        if (absl::Status status = Open(false, sink); !status.ok()) return status;
      }
      Fill(buffer.mutable_bytes(), size, sealed);
      if (!chunks.has_value() && size == buffer.size()) {
        if (absl::Status status = Begin(); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Finish(SealedFileSink sink) {
    if (chunks.has_value()) return Open(true, sink);
    return DecodeSealedFileHead(buffer.bytes().first(size)).status();
  }

  // The header is complete.
  absl::Status Begin() {
    const absl::StatusOr<SealedFileHead> head = DecodeSealedFileHead(buffer.bytes());
    if (!head.ok()) return head.status();
    if (head->source != key.source()) {
      return absl::InvalidArgumentError(head->source == SealedFileKey::Source::kPassword
                                            ? "the file is sealed with a password, not with a key"
                                            : "the file is sealed with a key, not with a password");
    }
    if (head->source == SealedFileKey::Source::kPassword) {
      if (absl::Status status = CheckSealedFileCost(head->cost, limits); !status.ok()) {
        return status;
      }
    }
    absl::StatusOr<SealedFileSecrets> secrets =
        SealedFileSecrets::Derive(key, *head, buffer.bytes().first(kSealedFileHeadBytes));
    if (!secrets.ok()) return secrets.status();
    if (!ConstantTimeEquals(secrets->commitment(), buffer.bytes().subspan(kSealedFileHeadBytes))) {
      return SealedFileNotAuthentic();
    }
    absl::StatusOr<SealedFileChunks> opener =
        SealedFileChunks::Create(head->algorithm, AeadContext::Direction::kOpen, *secrets);
    if (!opener.ok()) return opener.status();
    chunks = *std::move(opener);
    key = SealedFileKey::FromKey({});
    buffer = SecretBytes(head->chunk_bytes() + kAeadTagBytes);
    size = 0;
    return absl::OkStatus();
  }

  absl::Status Open(bool last, SealedFileSink sink) {
    // No chunk is without text but the only one of an empty file: there is one form of each file.
    if (size < kAeadTagBytes || (size == kAeadTagBytes && chunks->next() > 0)) {
      return SealedFileNotAuthentic();
    }
    const std::span<std::uint8_t> chunk = buffer.mutable_bytes().first(size);
    size = 0;
    if (absl::Status status = chunks->Open(chunk, last); !status.ok()) return status;
    return sink(chunk.first(chunk.size() - kAeadTagBytes));
  }

  SealedFileKey key;  // Until the header is complete.
  SealedFileLimits limits;
  std::optional<SealedFileChunks> chunks;  // Since the header is complete.
  SecretBytes buffer;                      // The header, later a chunk and its tag.
  std::size_t size = 0;                    // Of what is in it.
  absl::Status status;
};

SealedFileReader::SealedFileReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealedFileReader::~SealedFileReader() = default;
SealedFileReader::SealedFileReader(SealedFileReader&&) noexcept = default;
SealedFileReader& SealedFileReader::operator=(SealedFileReader&&) noexcept = default;

absl::StatusOr<SealedFileReader> SealedFileReader::Create(const SealedFileKey& key,
                                                          const SealedFileLimits& limits) {
  if (absl::Status status = CheckSealedFileKey(key); !status.ok()) return status;
  return SealedFileReader(std::make_unique<State>(key.Clone(), limits));
}

absl::Status SealedFileReader::Update(Bytes sealed, SealedFileSink sink) {
  if (state_->status.ok()) state_->status = state_->Update(sealed, sink);
  return state_->status;
}

absl::Status SealedFileReader::Finish(SealedFileSink sink) {
  if (!state_->status.ok()) return state_->status;
  const absl::Status status = state_->Finish(sink);
  state_->status = status.ok() ? Finished() : status;
  return status;
}

}  // namespace strata::crypto
