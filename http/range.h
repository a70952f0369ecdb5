// File: range.h
//
// Range requests in bytes (RFC 9110 section 14): what a Range field asks for, and how the answer is
// framed.
//
//   const RangeSet set = ParseRange("bytes=0-499,-500", size);
//   switch (set.outcome()) {
//     case RangeOutcome::kWhole:          // 200, with everything.
//     case RangeOutcome::kUnsatisfiable:  // 416, with UnsatisfiedRange(size).text().
//     case RangeOutcome::kPartial:        // 206: one range, with ContentRange(range, size).text(),
//                                         // or several, framed by MultipartRanges.
//   }
//
// A Range field costs its sender nothing, so it must not cost us: there is a bound on the ranges,
// and those that overlap or nearly touch become one. What is sent is at most each byte once and
// kMaxRanges heads of parts.
//
// Sizes and offsets are in bytes; a representation has at most 2^63 of them.

#ifndef STRATA_HTTP_RANGE_H_
#define STRATA_HTTP_RANGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace strata::http {

// A Range field that asks for more is ignored. Apache's bound is 200, and a video player or a
// reader of documents asks for one to a few.
inline constexpr std::size_t kMaxRanges = 16;

// Ranges that no more bytes than these lie between are sent as one, with what is between: the head
// of another part would be longer (RFC 9110 section 15.3.7.2).
inline constexpr std::uint64_t kMaxRangeGapBytes = 80;

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // At least 1 in what ParseRange() answers.

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

enum class RangeOutcome : std::uint8_t {
  kWhole,          // Send all, as if there were no Range.
  kPartial,        // Send the ranges.
  kUnsatisfiable,  // None of the bytes asked for exists.
};

// What a Range field comes to. A value, without memory of its own.
class RangeSet {
 public:
  RangeOutcome outcome() const { return outcome_; }

  // With kPartial 1 to kMaxRanges, else none. No two of them overlap. In the order in which they
  // were asked for; one that several have become has the place of the first of these.
  std::span<const ByteRange> ranges() const { return {ranges_.data(), count_}; }

 private:
  friend RangeSet ParseRange(std::string_view field, std::uint64_t size, std::size_t max_ranges);

  void Coalesce();

  std::array<ByteRange, kMaxRanges> ranges_;
  std::uint8_t count_ = 0;
  RangeOutcome outcome_ = RangeOutcome::kWhole;
};

// Reads the value of a Range field, without blanks around it, for a representation of `size` bytes.
// Whether the field counts at all is for preconditions to tell (conditional.h).
//
// kWhole for another unit than bytes, for what is malformed (so is a range that ends before it
// begins), and for more than `max_ranges` ranges, which is at most kMaxRanges. Numbers may be of
// any length. Of a representation without bytes no part can be named: a suffix of it is the whole.
RangeSet ParseRange(std::string_view field, std::uint64_t size,
                    std::size_t max_ranges = kMaxRanges);

// The value of a Content-Range field (RFC 9110 section 14.4), in memory of its own.
class ContentRange {
 public:
  // "bytes 0-499/1234", for a range that lies within `size`.
  ContentRange(const ByteRange& range, std::uint64_t size);

  std::string_view text() const { return {text_.data(), size_}; }

 private:
  friend ContentRange UnsatisfiedRange(std::uint64_t size);

  ContentRange() = default;
  void Append(std::string_view text);
  void Append(std::uint64_t number);

  std::array<char, 72> text_;  // "bytes " and three numbers of up to 20 digits.
  std::uint8_t size_ = 0;
};

// "bytes */1234", for 416.
ContentRange UnsatisfiedRange(std::uint64_t size);

// Of a boundary between parts (RFC 2046 section 5.1.1).
inline constexpr std::size_t kMaxBoundaryBytes = 70;

// Frames several ranges as multipart/byteranges (RFC 9110 section 14.6):
//
//   for (std::size_t i = 0; i < ranges.size(); ++i) {
//     send parts.Head(i); send the bytes of ranges[i];
//   }
//   send parts.Tail();
//
// The views given must live as long as this.
class MultipartRanges {
 public:
  // `ranges` lie within `size`. `part_type` is the media type of the representation, empty for
  // none. `boundary` must not occur in it: 24 random letters and digits will not. It has 1 to
  // kMaxBoundaryBytes letters, digits, '-', '_', '.' or '+'.
  MultipartRanges(std::span<const ByteRange> ranges, std::uint64_t size, std::string_view part_type,
                  std::string_view boundary);

  // The response's Content-Type and Content-Length: of all heads, ranges and the tail.
  std::string ContentType() const;
  std::uint64_t content_length() const { return content_length_; }

  // What goes before the bytes of a range, and after those of the last.
  std::string Head(std::size_t index) const;
  std::string Tail() const;

 private:
  std::size_t HeadBytes(std::size_t index) const;

  std::span<const ByteRange> ranges_;
  std::uint64_t size_;
  std::string_view part_type_;
  std::string_view boundary_;
  std::uint64_t content_length_ = 0;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_RANGE_H_
