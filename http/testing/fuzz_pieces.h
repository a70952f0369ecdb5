// An input of a fuzz target that also says in which pieces it comes.
//
// The first byte is the number of cuts, then comes that many times the size of a piece, then the
// bytes on the wire; what is behind the last cut is the last piece. So a file of a corpus that
// begins with a byte of 0 is not cut, and a fuzzer that changes a cut changes no byte on the wire.

#ifndef STRATA_HTTP_TESTING_FUZZ_PIECES_H_
#define STRATA_HTTP_TESTING_FUZZ_PIECES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strata::http::testing {

class FuzzPieces {
 public:
  FuzzPieces(const std::uint8_t* data, std::size_t size) {
    const std::size_t cuts = size == 0 ? 0 : std::min<std::size_t>(data[0], size - 1);
    const std::size_t begin = std::min(size, cuts + 1);
    wire_ = std::string_view(reinterpret_cast<const char*>(data) + begin, size - begin);
    std::string_view rest = wire_;
    for (std::size_t i = 0; i < cuts; ++i) {
      pieces_.push_back(rest.substr(0, data[1 + i]));
      rest.remove_prefix(pieces_.back().size());
    }
    pieces_.push_back(rest);
  }

  // All in one.
  std::span<const std::string_view> whole() const { return std::span(&wire_, 1); }

  std::span<const std::string_view> pieces() const { return pieces_; }

  // A byte each.
  std::vector<std::string_view> bytes() const {
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < wire_.size(); ++i) bytes.push_back(wire_.substr(i, 1));
    return bytes;
  }

 private:
  std::string_view wire_;
  std::vector<std::string_view> pieces_;
};

// Ends the program if the trace of the same bytes depends on how they came.
template <typename Trace>
std::string TraceOfAnyPieces(const FuzzPieces& input, Trace&& trace) {
  const std::string whole = trace(input.whole());
  for (const std::string& other : {trace(input.pieces()), trace(input.bytes())}) {
    if (other == whole) continue;
    std::fprintf(stderr, "whole:\n%s\nin pieces:\n%s\n", whole.c_str(), other.c_str());
    std::abort();
  }
  return whole;
}

}  // namespace strata::http::testing

#endif  // STRATA_HTTP_TESTING_FUZZ_PIECES_H_
