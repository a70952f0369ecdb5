// What all encoders and decoders have in common: strings, members, limits.

#include "strata/http/coder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace strata::http {
namespace {

// A string grows by so much at once.
constexpr std::size_t kMinPieceBytes = 256;
constexpr std::size_t kMaxPieceBytes = 16 * 1024;

// What texts mostly unpack to.
constexpr std::size_t kUsualRatio = 4;

// Lets `step` write behind what is in `output`, at most `room` bytes.
template <typename Step>
CodingStep AppendPiece(std::string* output, std::size_t room, const Step& step) {
  const std::size_t size = output->size();
  output->resize(size + room);
  const CodingStep done = step(std::span<char>(*output).subspan(size));
  output->resize(size + done.written);
  return done;
}

}  // namespace

std::string_view CodingErrorName(CodingError error) {
  switch (error) {
    case CodingError::kOk:
      return "ok";
    case CodingError::kCorrupt:
      return "corrupt data";
    case CodingError::kTrailingBytes:
      return "bytes behind the end";
    case CodingError::kTruncated:
      return "truncated data";
    case CodingError::kTooLarge:
      return "too large when decoded";
    case CodingError::kRatioTooHigh:
      return "decoded to too many times its size";
    case CodingError::kTooManyMembers:
      return "too many members";
    case CodingError::kNoMemory:
      return "out of memory";
  }
  return "unknown";
}

absl::Status ToStatus(CodingError error) {
  const std::string text = absl::StrCat("content coding: ", CodingErrorName(error));
  switch (error) {
    case CodingError::kOk:
      return absl::OkStatus();
    case CodingError::kCorrupt:
    case CodingError::kTrailingBytes:
    case CodingError::kTruncated:
      return absl::InvalidArgumentError(text);
    default:
      return absl::ResourceExhaustedError(text);
  }
}

CodingError Encoder::Append(std::string_view input, Flush flush, std::string* output) {
  for (;;) {
    const std::size_t room = std::clamp(input.size(), kMinPieceBytes, kMaxPieceBytes);
    const CodingStep step = AppendPiece(
        output, room, [&](std::span<char> piece) { return Encode(input, flush, piece); });
    if (!step.more) return step.error;
    input.remove_prefix(step.read);
  }
}

CodingStep Decoder::Decode(std::string_view input, std::span<char> output) {
  CodingStep done;
  // Nothing to do is told to no library: some take it for an error.
  while (error_ == CodingError::kOk && (more_ || !input.empty())) {
    if (member_ended_ && !BeginNextMember(input[0])) break;
    if (output.empty()) {
      more_ = true;
      break;
    }

    // At the bound, a byte of room tells whether anything is to come.
    char beyond;
    const std::uint64_t left = limits_.max_bytes - written_bytes_;
    std::span<char> room =
        left > 0
            ? output.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, output.size())))
            : std::span<char>(&beyond, 1);
    const MemberStep step = DecodeMember(input, room);
    if (left == 0 && step.written > 0) {
      error_ = CodingError::kTooLarge;
      break;
    }
    done.read += step.read;
    done.written += step.written;
    read_bytes_ += step.read;
    written_bytes_ += step.written;
    input.remove_prefix(step.read);
    output = output.subspan(step.written);
    member_ended_ = step.ended;
    // With room left, it has given all.
    more_ = !step.ended && step.written == room.size();
    const bool stuck = step.read == 0 && step.written == 0 && !step.ended && !input.empty();
    error_ = step.error != CodingError::kOk ? step.error
             : stuck                        ? CodingError::kCorrupt
                                            : CheckRatio();
  }
  done.more = more_ && error_ == CodingError::kOk;
  done.error = error_;
  return done;
}

bool Decoder::BeginNextMember(char first) {
  if (!IsMemberStart(first)) {
    error_ = CodingError::kTrailingBytes;
  } else if (members_ >= limits_.max_members) {
    error_ = CodingError::kTooManyMembers;
  } else if (!ResetMember()) {
    error_ = CodingError::kNoMemory;
  }
  ++members_;
  member_ended_ = false;
  return error_ == CodingError::kOk;
}

CodingError Decoder::CheckRatio() const {
  const bool too_high =
      written_bytes_ > limits_.ratio_free_bytes && written_bytes_ > read_bytes_ * limits_.max_ratio;
  return too_high ? CodingError::kRatioTooHigh : CodingError::kOk;
}

CodingStep Decoder::Append(std::string_view input, std::size_t max_bytes, std::string* output) {
  CodingStep done;
  std::size_t piece_bytes = std::clamp(input.size() * kUsualRatio, kMinPieceBytes, kMaxPieceBytes);
  do {
    const std::size_t room = std::min(max_bytes - done.written, piece_bytes);
    const CodingStep step =
        AppendPiece(output, room, [&](std::span<char> piece) { return Decode(input, piece); });
    piece_bytes = std::min(2 * piece_bytes, kMaxPieceBytes);
    input.remove_prefix(step.read);
    done.read += step.read;
    done.written += step.written;
    done.more = step.more;
    done.error = step.error;
  } while (done.more && done.written < max_bytes);
  return done;
}

CodingError Decoder::AppendAll(std::string_view input, std::string* output) {
  CodingStep step;
  do {
    step = Append(input, kMaxPieceBytes, output);
    input.remove_prefix(step.read);
  } while (step.more);
  return step.error;
}

CodingError Decoder::Finish() {
  if (error_ == CodingError::kOk && !member_ended_) error_ = CodingError::kTruncated;
  return error_;
}

bool Decoder::Reset(const DecodeLimits& limits) {
  limits_ = limits;
  error_ = CodingError::kOk;
  more_ = false;
  member_ended_ = false;
  members_ = 1;
  read_bytes_ = 0;
  written_bytes_ = 0;
  if (!ResetMember()) error_ = CodingError::kNoMemory;
  return error_ == CodingError::kOk;
}

}  // namespace strata::http
