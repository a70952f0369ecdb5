// Ranges of bytes.

#include "strata/http/range.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <limits>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace strata::http {
namespace {

constexpr std::uint64_t kMaxNumber = std::numeric_limits<std::uint64_t>::max();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// Takes the digits at the front. A number too large is the largest: no representation has that
// byte.
std::uint64_t TakeNumber(std::string_view& text) {
  std::uint64_t value = 0;
  for (; !text.empty() && IsDigit(text.front()); text.remove_prefix(1)) {
    const auto digit = static_cast<std::uint64_t>(text.front() - '0');
    value = value > (kMaxNumber - digit) / 10 ? kMaxNumber : value * 10 + digit;
  }
  return value;
}

// What a range-spec asks for. Of `size` 0 if none of that is there.
struct Spec {
  ByteRange range;
  bool valid = false;
  bool satisfiable = false;  // As section 14.1.2 defines it.
};

// Takes a range-spec at the front.
Spec TakeSpec(std::string_view& text, std::uint64_t size) {
  Spec spec;
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    if (text.empty() || !IsDigit(text.front())) return spec;
    const std::uint64_t length = TakeNumber(text);
    spec.valid = true;
    spec.satisfiable = length > 0;
    spec.range.size = std::min(length, size);
    spec.range.offset = size - spec.range.size;
    return spec;
  }
  if (text.empty() || !IsDigit(text.front())) return spec;
  const std::uint64_t first = TakeNumber(text);
  if (!text.starts_with('-')) return spec;
  text.remove_prefix(1);
  const bool open = text.empty() || !IsDigit(text.front());
  const std::uint64_t last = open ? kMaxNumber : TakeNumber(text);
  if (last < first) return spec;
  spec.valid = true;
  spec.satisfiable = first < size;
  if (spec.satisfiable) spec.range = {first, std::min(last, size - 1) - first + 1};
  return spec;
}

[[maybe_unused]] bool IsBoundaryCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == '+';
}

constexpr std::string_view kDashes = "--";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kTypeName = "Content-Type: ";
constexpr std::string_view kRangeName = "Content-Range: ";

}  // namespace

// Looks at the ranges in the order of their offsets. A run of them that nearly touch goes to the
// place of the first that was asked for; the places of the others are given up.
void RangeSet::Coalesce() {
  std::array<std::uint8_t, kMaxRanges> order;
  std::iota(order.begin(), order.begin() + count_, std::uint8_t{0});
  std::sort(order.begin(), order.begin() + count_, [this](std::uint8_t a, std::uint8_t b) {
    return ranges_[a].offset < ranges_[b].offset;
  });
  std::array<bool, kMaxRanges> kept{};
  for (std::size_t i = 0; i < count_;) {
    const std::uint64_t begin = ranges_[order[i]].offset;
    std::uint64_t end = begin;
    std::uint8_t place = order[i];
    for (; i < count_; ++i) {
      const ByteRange& next = ranges_[order[i]];
      if (next.offset > end && next.offset - end > kMaxRangeGapBytes) break;
      end = std::max(end, next.offset + next.size);
      place = std::min(place, order[i]);
    }
    ranges_[place] = {begin, end - begin};
    kept[place] = true;
  }
  std::uint8_t count = 0;
  for (std::uint8_t i = 0; i < count_; ++i) {
    if (kept[i]) ranges_[count++] = ranges_[i];
  }
  count_ = count;
}

RangeSet ParseRange(std::string_view field, std::uint64_t size, std::size_t max_ranges) {
  constexpr std::string_view kUnit = "bytes=";
  const RangeSet whole;
  if (!absl::StartsWithIgnoreCase(field, kUnit)) return whole;
  field.remove_prefix(kUnit.size());
  max_ranges = std::min(max_ranges, kMaxRanges);

  RangeSet set;
  std::size_t specs = 0;
  bool suffix_of_nothing = false;
  for (;;) {
    SkipBlanks(field);
    if (field.starts_with(',')) {  // An empty element, or the comma after one that was not.
      field.remove_prefix(1);
      continue;
    }
    if (field.empty()) break;
    const Spec spec = TakeSpec(field, size);
    SkipBlanks(field);
    if (!spec.valid || !(field.empty() || field.starts_with(','))) return whole;
    if (++specs > max_ranges) return whole;
    if (spec.range.size > 0) set.ranges_[set.count_++] = spec.range;
    suffix_of_nothing = suffix_of_nothing || (spec.satisfiable && spec.range.size == 0);
  }
  if (specs == 0 || suffix_of_nothing) return whole;
  set.outcome_ = set.count_ > 0 ? RangeOutcome::kPartial : RangeOutcome::kUnsatisfiable;
  if (set.count_ > 1) set.Coalesce();
  return set;
}

ContentRange::ContentRange(const ByteRange& range, std::uint64_t size) {
  assert(range.size > 0 && range.offset < size && range.size <= size - range.offset);
  Append("bytes ");
  Append(range.offset);
  Append("-");
  Append(range.offset + (range.size - 1));
  Append("/");
  Append(size);
}

void ContentRange::Append(std::string_view text) {
  std::copy(text.begin(), text.end(), text_.begin() + size_);
  size_ = static_cast<std::uint8_t>(size_ + text.size());
}

void ContentRange::Append(std::uint64_t number) {
  const auto [end, error] =
      std::to_chars(text_.data() + size_, text_.data() + text_.size(), number);
  assert(error == std::errc());
  size_ = static_cast<std::uint8_t>(end - text_.data());
}

ContentRange UnsatisfiedRange(std::uint64_t size) {
  ContentRange range;
  range.Append("bytes */");
  range.Append(size);
  return range;
}

MultipartRanges::MultipartRanges(std::span<const ByteRange> ranges, std::uint64_t size,
                                 std::string_view part_type, std::string_view boundary)
    : ranges_(ranges), size_(size), part_type_(part_type), boundary_(boundary) {
  assert(!boundary.empty() && boundary.size() <= kMaxBoundaryBytes);
  assert(std::all_of(boundary.begin(), boundary.end(), IsBoundaryCharacter));
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    content_length_ += HeadBytes(i) + ranges_[i].size;
  }
  content_length_ += Tail().size();
}

std::string MultipartRanges::ContentType() const {
  return absl::StrCat("multipart/byteranges; boundary=", boundary_);
}

std::string MultipartRanges::Head(std::size_t index) const {
  const ContentRange content_range(ranges_[index], size_);
  std::string head;
  head.reserve(HeadBytes(index));
  // The line end before a boundary belongs to the boundary; the first needs none.
  absl::StrAppend(&head, index > 0 ? kLineEnd : "", kDashes, boundary_, kLineEnd);
  if (!part_type_.empty()) absl::StrAppend(&head, kTypeName, part_type_, kLineEnd);
  absl::StrAppend(&head, kRangeName, content_range.text(), kLineEnd, kLineEnd);
  return head;
}

std::string MultipartRanges::Tail() const {
  return absl::StrCat(kLineEnd, kDashes, boundary_, kDashes, kLineEnd);
}

std::size_t MultipartRanges::HeadBytes(std::size_t index) const {
  std::size_t size = (index > 0 ? kLineEnd.size() : 0) + kDashes.size() + boundary_.size() +
                     kLineEnd.size() + kRangeName.size() +
                     ContentRange(ranges_[index], size_).text().size() + 2 * kLineEnd.size();
  if (!part_type_.empty()) size += kTypeName.size() + part_type_.size() + kLineEnd.size();
  return size;
}

}  // namespace strata::http
