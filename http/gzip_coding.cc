// gzip and deflate, by zlib.

#include "strata/http/gzip_coding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "absl/status/status.h"

namespace strata::http {
namespace {

// How zlib is told the format: added to the bits of the window, or those negated.
constexpr int kGzipFormat = 16;
constexpr int kMaxWindowBits = 15;
constexpr int kRawDeflate = -kMaxWindowBits;

constexpr char kGzipId1 = 0x1f;

// Hands a part of input and output to zlib, whose sizes have 32 bits, and tells what it has used.
class Lent {
 public:
  Lent(z_stream* z, std::string_view input, std::span<char> output)
      : z_(z), input_size_(Clip(input.size())), output_size_(Clip(output.size())) {
    // zlib reads its input and no more, though its declaration does not say so.
    z->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    z->avail_in = input_size_;
    z->next_out = reinterpret_cast<Bytef*>(output.data());
    z->avail_out = output_size_;
  }

  std::size_t read() const { return input_size_ - z_->avail_in; }
  std::size_t written() const { return output_size_ - z_->avail_out; }

 private:
  static uInt Clip(std::size_t size) {
    return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
  }

  z_stream* const z_;
  const uInt input_size_;
  const uInt output_size_;
};

int ToZlib(Encoder::Flush flush) {
  switch (flush) {
    case Encoder::Flush::kNone:
      return Z_NO_FLUSH;
    case Encoder::Flush::kSync:
      return Z_SYNC_FLUSH;
    case Encoder::Flush::kFinish:
      break;
  }
  return Z_FINISH;
}

class DeflateEncoder final : public Encoder {
 public:
  ~DeflateEncoder() override { deflateEnd(&z_); }

  bool Init(ContentCoding coding, const DeflateOptions& options) {
    const int format = coding == ContentCoding::kGzip ? kGzipFormat : 0;
    return deflateInit2(&z_, options.level, Z_DEFLATED, options.window_bits + format,
                        options.mem_level, Z_DEFAULT_STRATEGY) == Z_OK;
  }

  CodingStep Encode(std::string_view input, Flush flush, std::span<char> output) override {
    const Lent lent(&z_, input, output);
    // All of the input must be in before anything is flushed.
    const bool all = input.size() <= std::numeric_limits<uInt>::max();
    const int result = deflate(&z_, all ? ToZlib(flush) : Z_NO_FLUSH);
    CodingStep step = {.read = lent.read(), .written = lent.written()};
    // With room left, it has read all, and flushed what was to be; there is no other error than
    // that of nothing left to do.
    step.more = result != Z_STREAM_END && (z_.avail_out == 0 || step.read < input.size());
    return step;
  }

  bool Reset() override { return deflateReset(&z_) == Z_OK; }

 private:
  z_stream z_ = {};
};

class InflateDecoder final : public Decoder {
 public:
  ~InflateDecoder() override { inflateEnd(&z_); }

  bool Init(ContentCoding coding, const DeflateOptions& options) {
    is_gzip_ = coding == ContentCoding::kGzip;
    window_bits_ = kMaxWindowBits + (is_gzip_ ? kGzipFormat : 0);
    detect_raw_ = !is_gzip_ && options.accept_raw_deflate;
    return inflateInit2(&z_, window_bits_) == Z_OK;
  }

 private:
  MemberStep DecodeMember(std::string_view input, std::span<char> output) override {
    return format_known_ ? Inflate(input, output) : DetectFormat(input, output);
  }

  bool ResetMember() override {
    format_known_ = !detect_raw_;
    head_size_ = 0;
    return inflateReset2(&z_, window_bits_) == Z_OK;
  }

  bool IsMemberStart(char first) const override { return is_gzip_ && first == kGzipId1; }

  MemberStep Inflate(std::string_view input, std::span<char> output) {
    const Lent lent(&z_, input, output);
    const int result = inflate(&z_, Z_NO_FLUSH);
    MemberStep step = {.read = lent.read(), .written = lent.written()};
    switch (result) {
      case Z_STREAM_END:
        step.ended = true;
        break;
      case Z_OK:
      case Z_BUF_ERROR:  // It wants more input or room.
        break;
      case Z_MEM_ERROR:
        step.error = CodingError::kNoMemory;
        break;
      default:
        step.error = CodingError::kCorrupt;
    }
    return step;
  }

  // Waits for the first two bytes, which are the header of RFC 1950 section 2.2 if its check says
  // so. Of plain deflate they give one byte at most, so that inflate takes both at once.
  MemberStep DetectFormat(std::string_view input, std::span<char> output) {
    const std::size_t size = std::min(head_.size() - head_size_, input.size());
    std::copy_n(input.begin(), size, head_.begin() + head_size_);
    head_size_ += size;
    if (head_size_ < head_.size()) return {.read = size};
    format_known_ = true;
    const unsigned method = static_cast<unsigned char>(head_[0]);
    const unsigned flags = static_cast<unsigned char>(head_[1]);
    const bool is_zlib = (method & 0x0f) == Z_DEFLATED && (method << 8 | flags) % 31 == 0;
    if (!is_zlib) inflateReset2(&z_, kRawDeflate);
    MemberStep step = Inflate(std::string_view(head_.data(), head_.size()), output);
    step.read = size;
    return step;
  }

  z_stream z_ = {};
  bool is_gzip_ = false;
  int window_bits_ = 0;
  bool detect_raw_ = false;

  bool format_known_ = true;
  std::array<char, 2> head_ = {};
  std::size_t head_size_ = 0;
};

class DeflateFactory final : public CodingFactory {
 public:
  DeflateFactory(ContentCoding coding, const DeflateOptions& options)
      : coding_(coding), options_(options) {}

  ContentCoding coding() const override { return coding_; }
  std::unique_ptr<Encoder> NewEncoder() const override { return New<DeflateEncoder>(); }
  std::unique_ptr<Decoder> NewDecoder() const override { return New<InflateDecoder>(); }

 private:
  template <typename Coder>
  std::unique_ptr<Coder> New() const {
    auto coder = std::make_unique<Coder>();
    if (!coder->Init(coding_, options_)) return nullptr;
    return coder;
  }

  const ContentCoding coding_;
  const DeflateOptions options_;
};

absl::StatusOr<std::shared_ptr<const CodingFactory>> NewFactory(ContentCoding coding,
                                                                const DeflateOptions& options) {
  // zlib would take 8 bits too, and make them 9.
  if (options.level < 1 || options.level > 9 || options.window_bits < 9 ||
      options.window_bits > kMaxWindowBits || options.mem_level < 1 || options.mem_level > 9) {
    return absl::InvalidArgumentError("deflate: level, window_bits or mem_level out of bounds");
  }
  return std::make_shared<DeflateFactory>(coding, options);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const CodingFactory>> NewGzipCoding(const DeflateOptions& options) {
  return NewFactory(ContentCoding::kGzip, options);
}

absl::StatusOr<std::shared_ptr<const CodingFactory>> NewDeflateCoding(
    const DeflateOptions& options) {
  return NewFactory(ContentCoding::kDeflate, options);
}

}  // namespace strata::http
