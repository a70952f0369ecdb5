// File: coder.h
//
// Encoders and decoders of content codings, whichever they are: bytes in, bytes out, in pieces.
//
//   encoder->Append("Hello, ", Encoder::Flush::kNone, &body);
//   encoder->Append("World!", Encoder::Flush::kFinish, &body);
//
//   CodingError error = decoder->AppendAll(body, &text);
//   if (error == CodingError::kOk) error = decoder->Finish();
//
// A decoder never gives more than its DecodeLimits say, whatever comes: a body that unpacks to more
// ends in an error at the bound.
//
// They come from a CodingPool (coding_pool.h), which keeps them for the next stream, or from a
// CodingFactory. A factory is thread-safe; an encoder or a decoder is used by one thread.

#ifndef STRATA_HTTP_CODER_H_
#define STRATA_HTTP_CODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "strata/http/content_coding.h"

namespace strata::http {

enum class CodingError : std::uint8_t {
  kOk,

  // Of the body.
  kCorrupt,
  kTrailingBytes,  // Something behind the end.
  kTruncated,      // The end came too early.

  // Of its size: what DecodeLimits says.
  kTooLarge,
  kRatioTooHigh,
  kTooManyMembers,

  kNoMemory,
};

// "corrupt data" and the like: lower case, no period.
std::string_view CodingErrorName(CodingError error);

// InvalidArgument for errors of the body, ResourceExhausted for the others. OK for kOk.
absl::Status ToStatus(CodingError error);

// What a call has done.
struct CodingStep {
  std::size_t read = 0;     // Bytes of the input.
  std::size_t written = 0;  // Bytes of output.

  // The output is full. To be called again with the rest of the input, though there may be none.
  bool more = false;

  CodingError error = CodingError::kOk;
};

class Encoder {
 public:
  enum class Flush : std::uint8_t {
    kNone,    // More follows; the encoder may keep bytes back.
    kSync,    // What was given so far comes out: for events and other streams.
    kFinish,  // That was all.
  };

  // What Encode() needs room for at least.
  static constexpr std::size_t kMinOutputBytes = 16;

  virtual ~Encoder() = default;

  // Encodes from the front of `input`. While `more`, the next call has the same `flush`. After the
  // end, or an error, only Reset() may follow. The error is kNoMemory or kOk.
  virtual CodingStep Encode(std::string_view input, Flush flush, std::span<char> output) = 0;

  // Encodes all of `input` and appends to `output`. How much that may be, the input bounds, of
  // which no coding makes more than a few bytes in a hundred more.
  CodingError Append(std::string_view input, Flush flush, std::string* output);

  // To begin anew. False if there is no memory: then it can do nothing more.
  virtual bool Reset() = 0;

 protected:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

struct DecodeLimits {
  // Of output.
  std::uint64_t max_bytes = std::uint64_t{16} << 20;

  // Output for each byte of input, when there is more output than `ratio_free_bytes`. Texts hardly
  // shrink to a fiftieth; deflate cannot go beyond 1032, the others can.
  std::uint32_t max_ratio = 200;
  std::uint64_t ratio_free_bytes = std::uint64_t{1} << 20;

  // Streams one behind another, which gzip (RFC 1952 section 2.2) and zstd (RFC 8878 section 3)
  // know.
  std::uint32_t max_members = 1024;
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Decodes from the front of `input` into `output`, which has room for one byte at least. After an
  // error every call returns that error; what came out before it is to be thrown away.
  CodingStep Decode(std::string_view input, std::span<char> output);

  // Decodes and appends to `output` at most `max_bytes`, at least 1.
  CodingStep Append(std::string_view input, std::size_t max_bytes, std::string* output);

  // All that `input` gives.
  CodingError AppendAll(std::string_view input, std::string* output);

  // There is no more input; to be called when the last call had no `more`. kTruncated if that is in
  // the middle, or if there was none at all.
  CodingError Finish();

  // To begin, and to begin anew. False if there is no memory: then it can do nothing more.
  bool Reset(const DecodeLimits& limits);

 protected:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // A step of one member, without limits. `ended`, if its last byte was read and all is written.
  struct MemberStep {
    std::size_t read = 0;
    std::size_t written = 0;
    bool ended = false;
    CodingError error = CodingError::kOk;
  };

 private:
  virtual MemberStep DecodeMember(std::string_view input, std::span<char> output) = 0;
  virtual bool ResetMember() = 0;

  // Whether another member may follow the first and begin like that.
  virtual bool IsMemberStart(char first) const = 0;

  bool BeginNextMember(char first);
  CodingError CheckRatio() const;

  DecodeLimits limits_;
  CodingError error_ = CodingError::kOk;
  bool more_ = false;
  bool member_ended_ = false;
  std::uint32_t members_ = 1;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
};

// Makes encoders and decoders of one coding.
class CodingFactory {
 public:
  virtual ~CodingFactory() = default;

  virtual ContentCoding coding() const = 0;

  // Null if there is no memory. An encoder can begin; a decoder is to be Reset() first.
  virtual std::unique_ptr<Encoder> NewEncoder() const = 0;
  virtual std::unique_ptr<Decoder> NewDecoder() const = 0;

 protected:
  CodingFactory() = default;
  CodingFactory(const CodingFactory&) = delete;
  CodingFactory& operator=(const CodingFactory&) = delete;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CODER_H_
