// zstd, by the zstd library.

#include "strata/http/zstd_coding.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "absl/status/status.h"

namespace strata::http {
namespace {

// 8 MiB, the most that RFC 9659 lets an encoder use and a decoder take.
constexpr int kMaxWindowBits = 23;
constexpr int kMinWindowBits = 10;
constexpr int kMaxLevel = 19;

ZSTD_EndDirective ToZstd(Encoder::Flush flush) {
  switch (flush) {
    case Encoder::Flush::kNone:
      return ZSTD_e_continue;
    case Encoder::Flush::kSync:
      return ZSTD_e_flush;
    case Encoder::Flush::kFinish:
      break;
  }
  return ZSTD_e_end;
}

class ZstdEncoder final : public Encoder {
 public:
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }

  bool Init(const ZstdOptions& options) {
    context_ = ZSTD_createCCtx();
    return context_ != nullptr && Set(ZSTD_c_compressionLevel, options.level) &&
           Set(ZSTD_c_windowLog, options.window_bits);
  }

  CodingStep Encode(std::string_view input, Flush flush, std::span<char> output) override {
    ZSTD_inBuffer in = {.src = input.data(), .size = input.size(), .pos = 0};
    ZSTD_outBuffer out = {.dst = output.data(), .size = output.size(), .pos = 0};
    const std::size_t unwritten = ZSTD_compressStream2(context_, &out, &in, ToZstd(flush));
    CodingStep step = {.read = in.pos, .written = out.pos};
    if (ZSTD_isError(unwritten)) {
      step.error = CodingError::kNoMemory;
    } else if (flush == Flush::kNone) {
      step.more = in.pos < in.size || out.pos == out.size;
    } else {
      step.more = unwritten > 0;
    }
    return step;
  }

  bool Reset() override {
    return !ZSTD_isError(ZSTD_CCtx_reset(context_, ZSTD_reset_session_only));
  }

 private:
  bool Set(ZSTD_cParameter parameter, int value) {
    return !ZSTD_isError(ZSTD_CCtx_setParameter(context_, parameter, value));
  }

  ZSTD_CCtx* context_ = nullptr;
};

class ZstdDecoder final : public Decoder {
 public:
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  bool Init() {
    context_ = ZSTD_createDCtx();
    return context_ != nullptr &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxWindowBits));
  }

 private:
  MemberStep DecodeMember(std::string_view input, std::span<char> output) override {
    ZSTD_inBuffer in = {.src = input.data(), .size = input.size(), .pos = 0};
    ZSTD_outBuffer out = {.dst = output.data(), .size = output.size(), .pos = 0};
    const std::size_t wanted = ZSTD_decompressStream(context_, &out, &in);
    MemberStep step = {.read = in.pos, .written = out.pos};
    if (ZSTD_isError(wanted)) {
      step.error = ZSTD_getErrorCode(wanted) == ZSTD_error_memory_allocation
                       ? CodingError::kNoMemory
                       : CodingError::kCorrupt;
    }
    step.ended = wanted == 0;
    return step;
  }

  bool ResetMember() override {
    return !ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only));
  }

  // Of a frame (RFC 8878 section 3.1.1), or of a skippable one (section 3.1.2).
  bool IsMemberStart(char first) const override {
    return first == '\x28' || (first & 0xf0) == 0x50;
  }

  ZSTD_DCtx* context_ = nullptr;
};

class ZstdFactory final : public CodingFactory {
 public:
  explicit ZstdFactory(const ZstdOptions& options) : options_(options) {}

  ContentCoding coding() const override { return ContentCoding::kZstd; }

  std::unique_ptr<Encoder> NewEncoder() const override {
    auto encoder = std::make_unique<ZstdEncoder>();
    if (!encoder->Init(options_)) return nullptr;
    return encoder;
  }

  std::unique_ptr<Decoder> NewDecoder() const override {
    auto decoder = std::make_unique<ZstdDecoder>();
    if (!decoder->Init()) return nullptr;
    return decoder;
  }

 private:
  const ZstdOptions options_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const CodingFactory>> NewZstdCoding(const ZstdOptions& options) {
  if (options.level < 1 || options.level > kMaxLevel || options.window_bits < kMinWindowBits ||
      options.window_bits > kMaxWindowBits) {
    return absl::InvalidArgumentError("zstd: level or window_bits out of bounds");
  }
  return std::make_shared<ZstdFactory>(options);
}

}  // namespace strata::http
