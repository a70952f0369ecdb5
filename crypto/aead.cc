// Which nonce a message gets, how many messages a key serves, and whose context does the work.

#include "strata/crypto/aead.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "strata/crypto/aead_internal.h"
#include "strata/crypto/context_pool_internal.h"
#include "strata/crypto/random.h"
#include "strata/crypto/secret.h"

namespace strata::crypto {
namespace {

constexpr std::uint64_t kMaxRandomNonces = std::uint64_t{1} << 32;
constexpr std::uint64_t kMaxCountedNonces = std::uint64_t{1} << 48;

// A context takes message numbers from the common count by so many, so that threads do not fight
// for its cache line.
constexpr std::uint64_t kBatch = 64;

using Bytes = std::span<const std::uint8_t>;

Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::span<std::uint8_t> AsBytes(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

// Counts the fork() calls between the first process and this one. A child goes on with a copy of
// its parent's counter, and would use the same nonces.
constinit std::atomic<std::uint32_t> forks{0};

void CountForks() {
  static const int counting =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(counting);
}

absl::Status NotAuthentic() { return absl::UnauthenticatedError("the message is not authentic"); }

// Whether `one` may be transformed into a part of `all` that begins at `place`: it is that place,
// or lies apart from all.
bool MayTransform(Bytes one, Bytes all, const std::uint8_t* place) {
  const std::less_equal<const std::uint8_t*> not_after;
  return one.empty() || one.data() == place || not_after(one.data() + one.size(), all.data()) ||
         not_after(all.data() + all.size(), one.data());
}

void StoreBigEndian(std::uint64_t number, std::span<std::uint8_t> to) {
  for (std::size_t i = to.size(); i > 0; --i, number >>= 8) {
    to[i - 1] = static_cast<std::uint8_t>(number);
  }
}

absl::Status Overlapping() {
  return absl::InvalidArgumentError("the two buffers of an AEAD overlap");
}

}  // namespace

// A context that seals, and the message numbers that it may still use: first to end - 1.
struct Aead::Sealer {
  AeadContext context;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

struct Aead::State {
  State(AeadAlgorithm of, Bytes bytes, const AeadOptions& with)
      : algorithm(of), key(SecretBytes::Copy(bytes)), options(with) {}

  // Gives `sealer` more message numbers. False if there are none left.
  bool Refill(Sealer& sealer) {
    std::uint64_t used = messages.load(std::memory_order_relaxed);
    std::uint64_t batch;
    do {
      batch = std::min(kBatch, options.max_messages - used);
      if (batch == 0) return false;
    } while (!messages.compare_exchange_weak(used, used + batch, std::memory_order_relaxed));
    sealer.first = used;
    sealer.end = used + batch;
    return true;
  }

  void ChooseNonce(std::uint64_t message, std::span<std::uint8_t, kAeadNonceBytes> nonce) const {
    if (!options.counter.has_value()) {
      SecureRandom::Fill(nonce);
      return;
    }
    StoreBigEndian(options.counter->sender, nonce.first<4>());
    StoreBigEndian(options.counter->first + message, nonce.last<8>());
  }

  // Whether this is a child of the process whose counter it is.
  bool IsForked() const {
    return options.counter.has_value() && forks.load(std::memory_order_relaxed) != born_after_forks;
  }

  const AeadAlgorithm algorithm;
  const SecretBytes key;
  const AeadOptions options;
  const std::uint32_t born_after_forks = forks.load(std::memory_order_relaxed);
  std::atomic<std::uint64_t> messages{0};
  ContextPool<Sealer> sealers;
  ContextPool<AeadContext> openers;
};

Aead::Aead(std::unique_ptr<State> state) : state_(std::move(state)) {}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

absl::StatusOr<Aead> Aead::Create(AeadAlgorithm algorithm, std::span<const std::uint8_t> key,
                                  const AeadOptions& options) {
  if (!options.counter.has_value() && options.max_messages > kMaxRandomNonces) {
    return absl::InvalidArgumentError("random nonces serve at most 2^32 messages per key");
  }
  if (options.counter.has_value() &&
      options.max_messages > std::min(kMaxCountedNonces, 0 - options.counter->first - 1)) {
    return absl::InvalidArgumentError("a counter serves at most 2^48 messages, and ends at 2^64");
  }
  absl::StatusOr<AeadContext> context =
      AeadContext::Create(algorithm, AeadContext::Direction::kSeal, key);
  if (!context.ok()) return context.status();
  if (options.counter.has_value()) CountForks();
  auto state = std::make_unique<State>(algorithm, key, options);
  state->sealers.Give(std::make_unique<Sealer>(Sealer{*std::move(context)}));
  return Aead(std::move(state));
}

// A context that has a message number left.
absl::Status Aead::TakeSealer(std::unique_ptr<Sealer>& sealer) const {
  sealer = state_->sealers.Take();
  if (sealer == nullptr) {
    absl::StatusOr<AeadContext> context =
        AeadContext::Create(state_->algorithm, AeadContext::Direction::kSeal, state_->key.bytes());
    if (!context.ok()) return context.status();
    sealer = std::make_unique<Sealer>(Sealer{*std::move(context)});
  }
  if (sealer->first == sealer->end && !state_->Refill(*sealer)) {
    state_->sealers.Give(std::move(sealer));
    return absl::ResourceExhaustedError("the key has served all the messages it may");
  }
  return absl::OkStatus();
}

absl::Status Aead::SealParts(Bytes in, Bytes associated_data, std::uint8_t* out,
                             std::span<std::uint8_t, kAeadNonceBytes> nonce,
                             std::span<std::uint8_t, kAeadTagBytes> tag) const {
  if (in.size() > AeadMaxMessageBytes(state_->algorithm)) {
    return absl::InvalidArgumentError("the message is too long for an AEAD");
  }
  if (state_->IsForked()) {
    return absl::FailedPreconditionError("a child of fork() may not go on with a counter");
  }
  std::unique_ptr<Sealer> sealer;
  if (absl::Status status = TakeSealer(sealer); !status.ok()) return status;
  // The number is used up, whatever comes: a nonce is never tried again.
  state_->ChooseNonce(sealer->first++, nonce);
  if (!sealer->context.Seal(nonce, associated_data, in, out, tag)) {
    return absl::InternalError("OpenSSL did not seal");
  }
  state_->sealers.Give(std::move(sealer));
  return absl::OkStatus();
}

absl::Status Aead::OpenParts(Bytes in, Bytes associated_data, std::uint8_t* out,
                             std::span<const std::uint8_t, kAeadNonceBytes> nonce,
                             std::span<const std::uint8_t, kAeadTagBytes> tag) const {
  if (in.size() > AeadMaxMessageBytes(state_->algorithm)) {
    WipeBytes({out, in.size()});
    return NotAuthentic();
  }
  std::unique_ptr<AeadContext> opener = state_->openers.Take();
  if (opener == nullptr) {
    absl::StatusOr<AeadContext> context =
        AeadContext::Create(state_->algorithm, AeadContext::Direction::kOpen, state_->key.bytes());
    if (!context.ok()) return context.status();
    opener = std::make_unique<AeadContext>(*std::move(context));
  }
  const bool opened = opener->Open(nonce, associated_data, in, out, tag);
  state_->openers.Give(std::move(opener));
  return opened ? absl::OkStatus() : NotAuthentic();
}

absl::Status Aead::SealTo(Bytes plaintext, Bytes associated_data,
                          std::span<std::uint8_t> sealed) const {
  if (sealed.size() < kAeadOverheadBytes ||
      sealed.size() - kAeadOverheadBytes != plaintext.size()) {
    return absl::InvalidArgumentError("sealed is not kAeadOverheadBytes more than the plaintext");
  }
  std::uint8_t* ciphertext = sealed.data() + kAeadNonceBytes;
  if (!MayTransform(plaintext, sealed, ciphertext)) return Overlapping();
  return SealParts(plaintext, associated_data, ciphertext, sealed.first<kAeadNonceBytes>(),
                   sealed.last<kAeadTagBytes>());
}

absl::Status Aead::OpenTo(Bytes sealed, Bytes associated_data,
                          std::span<std::uint8_t> plaintext) const {
  if (sealed.size() < kAeadOverheadBytes) return NotAuthentic();
  const Bytes ciphertext = sealed.subspan(kAeadNonceBytes, sealed.size() - kAeadOverheadBytes);
  if (ciphertext.size() != plaintext.size()) {
    return absl::InvalidArgumentError("plaintext is not kAeadOverheadBytes less than sealed");
  }
  if (!MayTransform(plaintext, sealed, ciphertext.data())) return Overlapping();
  return OpenParts(ciphertext, associated_data, plaintext.data(), sealed.first<kAeadNonceBytes>(),
                   sealed.last<kAeadTagBytes>());
}

absl::StatusOr<std::string> Aead::Seal(std::string_view plaintext,
                                       std::string_view associated_data) const {
  std::string sealed(plaintext.size() + kAeadOverheadBytes, '\0');
  absl::Status status = SealTo(AsBytes(plaintext), AsBytes(associated_data), AsBytes(sealed));
  if (!status.ok()) return status;
  return sealed;
}

absl::StatusOr<std::string> Aead::Open(std::string_view sealed,
                                       std::string_view associated_data) const {
  if (sealed.size() < kAeadOverheadBytes) return NotAuthentic();
  std::string plaintext(sealed.size() - kAeadOverheadBytes, '\0');
  absl::Status status = OpenTo(AsBytes(sealed), AsBytes(associated_data), AsBytes(plaintext));
  if (!status.ok()) return status;
  return plaintext;
}

absl::StatusOr<AeadSeal> Aead::SealInPlace(std::span<std::uint8_t> data,
                                           Bytes associated_data) const {
  AeadSeal seal;
  absl::Status status = SealParts(data, associated_data, data.data(), seal.nonce, seal.tag);
  if (!status.ok()) return status;
  return seal;
}

absl::Status Aead::OpenInPlace(std::span<std::uint8_t> data, Bytes associated_data,
                               const AeadSeal& seal) const {
  return OpenParts(data, associated_data, data.data(), seal.nonce, seal.tag);
}

std::uint64_t Aead::next_counter() const {
  if (!state_->options.counter.has_value()) return 0;
  return state_->options.counter->first + state_->messages.load(std::memory_order_relaxed);
}

AeadAlgorithm Aead::algorithm() const { return state_->algorithm; }

}  // namespace strata::crypto
