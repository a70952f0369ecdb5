// br, by the brotli library.

#include "strata/http/brotli_coding.h"

#include <brotli/decode.h>
#include <brotli/encode.h>

#include "absl/status/status.h"

namespace strata::http {
namespace {

BrotliEncoderOperation ToBrotli(Encoder::Flush flush) {
  switch (flush) {
    case Encoder::Flush::kNone:
      return BROTLI_OPERATION_PROCESS;
    case Encoder::Flush::kSync:
      return BROTLI_OPERATION_FLUSH;
    case Encoder::Flush::kFinish:
      break;
  }
  return BROTLI_OPERATION_FINISH;
}

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(const BrotliOptions& options) : options_(options) {}
  ~BrotliEncoder() override { BrotliEncoderDestroyInstance(state_); }

  CodingStep Encode(std::string_view input, Flush flush, std::span<char> output) override {
    std::size_t input_left = input.size();
    std::size_t output_left = output.size();
    auto* next_input = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* next_output = reinterpret_cast<std::uint8_t*>(output.data());
    CodingStep step;
    if (!BrotliEncoderCompressStream(state_, ToBrotli(flush), &input_left, &next_input,
                                     &output_left, &next_output, nullptr)) {
      step.error = CodingError::kNoMemory;
    }
    step.read = input.size() - input_left;
    step.written = output.size() - output_left;
    step.more =
        step.error == CodingError::kOk && (input_left > 0 || BrotliEncoderHasMoreOutput(state_));
    return step;
  }

  bool Reset() override {
    BrotliEncoderDestroyInstance(state_);
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    return state_ != nullptr && Set(BROTLI_PARAM_QUALITY, options_.quality) &&
           Set(BROTLI_PARAM_LGWIN, options_.window_bits);
  }

 private:
  bool Set(BrotliEncoderParameter parameter, int value) {
    return BrotliEncoderSetParameter(state_, parameter, static_cast<std::uint32_t>(value));
  }

  const BrotliOptions options_;
  BrotliEncoderState* state_ = nullptr;
};

// The bits of a stream's window by its first byte (RFC 7932 section 9.1); 0 for the large windows
// that are not of that format.
int WindowBits(std::uint8_t first) {
  if ((first & 1) == 0) return 16;
  if (const int bits = first >> 1 & 7; bits != 0) return 17 + bits;
  const int bits = first >> 4 & 7;
  if (bits == 0) return 17;
  return bits == 1 ? 0 : 8 + bits;
}

class BrotliDecoder final : public Decoder {
 public:
  explicit BrotliDecoder(int max_window_bits) : max_window_bits_(max_window_bits) {}
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }

 private:
  MemberStep DecodeMember(std::string_view input, std::span<char> output) override {
    if (!window_checked_ && !input.empty()) {
      if (WindowBits(static_cast<std::uint8_t>(input[0])) > max_window_bits_) {
        return {.error = CodingError::kCorrupt};
      }
      window_checked_ = true;
    }
    std::size_t input_left = input.size();
    std::size_t output_left = output.size();
    auto* next_input = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* next_output = reinterpret_cast<std::uint8_t*>(output.data());
    const BrotliDecoderResult result = BrotliDecoderDecompressStream(
        state_, &input_left, &next_input, &output_left, &next_output, nullptr);
    MemberStep step = {.read = input.size() - input_left, .written = output.size() - output_left};
    step.ended = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (result == BROTLI_DECODER_RESULT_ERROR) {
      const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state_);
      const bool no_memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                             code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
      step.error = no_memory ? CodingError::kNoMemory : CodingError::kCorrupt;
    }
    return step;
  }

  bool ResetMember() override {
    BrotliDecoderDestroyInstance(state_);
    state_ = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    window_checked_ = false;
    return state_ != nullptr;
  }

  // There is no such thing in RFC 7932.
  bool IsMemberStart(char) const override { return false; }

  const int max_window_bits_;
  bool window_checked_ = false;
  BrotliDecoderState* state_ = nullptr;
};

class BrotliFactory final : public CodingFactory {
 public:
  explicit BrotliFactory(const BrotliOptions& options) : options_(options) {}

  ContentCoding coding() const override { return ContentCoding::kBrotli; }

  std::unique_ptr<Encoder> NewEncoder() const override {
    auto encoder = std::make_unique<BrotliEncoder>(options_);
    if (!encoder->Reset()) return nullptr;
    return encoder;
  }

  std::unique_ptr<Decoder> NewDecoder() const override {
    return std::make_unique<BrotliDecoder>(options_.max_window_bits);
  }

 private:
  const BrotliOptions options_;
};

bool IsBetween(int least, int value, int most) { return least <= value && value <= most; }

}  // namespace

absl::StatusOr<std::shared_ptr<const CodingFactory>> NewBrotliCoding(const BrotliOptions& options) {
  constexpr int kMinBits = BROTLI_MIN_WINDOW_BITS;
  constexpr int kMaxBits = BROTLI_MAX_WINDOW_BITS;
  if (!IsBetween(BROTLI_MIN_QUALITY, options.quality, BROTLI_MAX_QUALITY) ||
      !IsBetween(kMinBits, options.window_bits, kMaxBits) ||
      !IsBetween(kMinBits, options.max_window_bits, kMaxBits)) {
    return absl::InvalidArgumentError("brotli: quality or window bits out of bounds");
  }
  return std::make_shared<BrotliFactory>(options);
}

}  // namespace strata::http
