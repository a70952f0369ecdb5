// AES-CTR by OpenSSL's cipher, which keeps the position; seeking sets a new counter and drops the
// part of a block that lies before the offset.

#include "strata/crypto/hazmat/aes_ctr.h"

#include <functional>
#include <utility>

#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/provider_internal.h"

namespace strata::crypto::hazmat {
namespace {

constexpr std::size_t kBlockBytes = std::tuple_size_v<CounterBlock>;

const CipherFunctions* FunctionsFor(std::size_t key_bytes) {
  static const CipherFunctions* const aes128 = FindCipher("AES-128-CTR");
  static const CipherFunctions* const aes256 = FindCipher("AES-256-CTR");
  return key_bytes == 16 ? aes128 : aes256;
}

bool Overlap(std::span<const std::uint8_t> in, std::span<const std::uint8_t> out) {
  const std::less<const std::uint8_t*> before;
  return in.data() != out.data() && before(in.data(), out.data() + out.size()) &&
         before(out.data(), in.data() + in.size());
}

absl::Status Failure() {
  return OpenSslFailure(absl::StatusCode::kInternal, "OpenSSL did not compute AES-CTR");
}

}  // namespace

CounterBlock Advance(const CounterBlock& counter, std::uint64_t blocks) {
  CounterBlock sum = counter;
  std::uint64_t carry = 0;
  for (std::size_t i = kBlockBytes; i > 0; --i, blocks >>= 8) {
    const std::uint64_t digit = sum[i - 1] + (blocks & 0xff) + carry;
    sum[i - 1] = static_cast<std::uint8_t>(digit);
    carry = digit >> 8;
  }
  return sum;
}

struct AesCtr::State {
  CipherContext context;
  CounterBlock start;

  absl::Status SetCounter(const CounterBlock& counter) {
    if (context->encrypt_init(context.get(), nullptr, 0, counter.data(), counter.size(), nullptr) !=
        1) {
      return Failure();
    }
    return absl::OkStatus();
  }
};

AesCtr::AesCtr(std::unique_ptr<State> state) : state_(std::move(state)) {}
AesCtr::~AesCtr() = default;
AesCtr::AesCtr(AesCtr&&) noexcept = default;
AesCtr& AesCtr::operator=(AesCtr&&) noexcept = default;

absl::StatusOr<AesCtr> AesCtr::Create(std::span<const std::uint8_t> key,
                                      const CounterBlock& counter) {
  if (key.size() != 16 && key.size() != 32) {
    return absl::InvalidArgumentError("a key of AES-CTR has 16 or 32 bytes");
  }
  const CipherFunctions* functions = FunctionsFor(key.size());
  if (functions == nullptr) return absl::UnimplementedError("this OpenSSL does not have AES-CTR");
  CipherContext context(functions);
  if (context.get() == nullptr ||
      context->encrypt_init(context.get(), key.data(), key.size(), counter.data(), counter.size(),
                            nullptr) != 1) {
    return Failure();
  }
  return AesCtr(std::unique_ptr<State>(new State{std::move(context), counter}));
}

absl::Status AesCtr::Transform(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
  if (in.size() != out.size() || Overlap(in, out)) {
    return absl::InvalidArgumentError("the buffers of AES-CTR differ in size, or overlap");
  }
  if (in.empty()) return absl::OkStatus();
  const CipherContext& context = state_->context;
  std::size_t written = 0;
  if (context->update(context.get(), out.data(), &written, out.size(), in.data(), in.size()) != 1) {
    return Failure();
  }
  return absl::OkStatus();
}

absl::Status AesCtr::Restart(const CounterBlock& counter) {
  state_->start = counter;
  return state_->SetCounter(counter);
}

absl::Status AesCtr::Seek(std::uint64_t offset) {
  const CounterBlock block = Advance(state_->start, offset / kBlockBytes);
  if (absl::Status status = state_->SetCounter(block); !status.ok()) return status;
  CounterBlock dropped = {};
  const auto before = std::span(dropped).first(offset % kBlockBytes);
  return Transform(before, before);
}

}  // namespace strata::crypto::hazmat
