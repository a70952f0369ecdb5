// Any text asks for ranges that lie within the representation, do not overlap, and are few; and the
// frames around them are as long as was said. The first two bytes say the size.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "strata/http/range.h"

namespace {

using strata::http::ByteRange;
using strata::http::MultipartRanges;
using strata::http::RangeOutcome;
using strata::http::RangeSet;

void Check(bool condition) {
  if (!condition) std::abort();
}

void CheckFrames(std::span<const ByteRange> ranges, std::uint64_t size) {
  const MultipartRanges parts(ranges, size, "text/plain", "x");
  std::uint64_t length = parts.Tail().size();
  for (std::size_t i = 0; i < ranges.size(); ++i) length += parts.Head(i).size() + ranges[i].size;
  Check(length == parts.content_length());
}

void CheckRanges(std::string_view field, std::uint64_t size) {
  const RangeSet set = strata::http::ParseRange(field, size);
  Check((set.outcome() == RangeOutcome::kPartial) == !set.ranges().empty());
  std::vector<ByteRange> ranges(set.ranges().begin(), set.ranges().end());
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    Check(ranges[i].size > 0 && ranges[i].offset < size);
    Check(ranges[i].size <= size - ranges[i].offset);
    Check(i == 0 || ranges[i].offset > end + strata::http::kMaxRangeGapBytes);
    end = ranges[i].offset + ranges[i].size;
  }
  Check(ranges.size() <= strata::http::kMaxRanges);
  CheckFrames(set.ranges(), size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view field(reinterpret_cast<const char*>(data + 2), size - 2);
  // The files of the corpus end with a line, as all files do.
  if (field.ends_with('\n')) field.remove_suffix(1);
  CheckRanges(field, data[0] * 256u + data[1]);
  CheckRanges(field, std::uint64_t{1} << 63);
  return 0;
}
