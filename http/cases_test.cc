// Bytes on the wire and the verdict on them, rule by rule: the files of testdata/cases. Every case
// is run whole, a byte at a time, and cut in two at every place.

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "strata/http/parse_error.h"
#include "strata/http/testing/wire_case.h"

namespace strata::http {
namespace {

using testing::NameOf;
using testing::ReadCases;
using testing::Trace;
using testing::WireCase;

constexpr std::string_view kFiles[] = {
    "request_line.txt",   "fields.txt",          "host.txt",
    "framing.txt",        "connection.txt",      "limits.txt",
    "chunked.txt",        "response.txt",        "http11probe.txt",
    "llhttp_request.txt", "llhttp_response.txt", "picohttpparser.txt",
};

std::vector<WireCase> AllCases() {
  std::vector<WireCase> all;
  for (const std::string_view file : kFiles) {
    std::vector<WireCase> cases = ReadCases(file);
    std::move(cases.begin(), cases.end(), std::back_inserter(all));
  }
  return all;
}

std::string TraceWhole(const WireCase& wire_case) {
  return Trace(wire_case, std::array<std::string_view, 1>{wire_case.bytes});
}

TEST(CasesTest, EachHasItsVerdict) {
  for (const WireCase& wire_case : AllCases()) {
    EXPECT_EQ(TraceWhole(wire_case), wire_case.expected) << wire_case.place;
  }
}

TEST(CasesTest, ComingAByteAtATimeChangesNoVerdict) {
  for (const WireCase& wire_case : AllCases()) {
    std::vector<std::string_view> pieces;
    const std::string_view bytes = wire_case.bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
    EXPECT_EQ(Trace(wire_case, pieces), wire_case.expected) << wire_case.place;
  }
}

TEST(CasesTest, ComingInTwoPiecesChangesNoVerdict) {
  for (const WireCase& wire_case : AllCases()) {
    const std::string_view bytes = wire_case.bytes;
    // Of the longest ones, every 61st cut.
    const std::size_t step = bytes.size() > 4000 ? 61 : 1;
    for (std::size_t cut = 1; cut < bytes.size(); cut += step) {
      const std::array<std::string_view, 2> pieces = {bytes.substr(0, cut), bytes.substr(cut)};
      ASSERT_EQ(Trace(wire_case, pieces), wire_case.expected)
          << wire_case.place << ", cut at " << cut;
    }
  }
}

// A rule without a case could be dropped, and no test would fail.
TEST(CasesTest, ThereAreSomeForEveryError) {
  std::set<std::string> seen;
  for (const WireCase& wire_case : AllCases()) {
    const std::size_t at = wire_case.expected.find("error ");
    if (at == std::string::npos) continue;
    const std::string_view name = std::string_view(wire_case.expected).substr(at + 6);
    seen.emplace(name.substr(0, name.find(' ')));
  }
  for (int i = 1; i < kParseErrorCount; ++i) {
    const std::string name(NameOf(static_cast<ParseError>(i)));
    EXPECT_TRUE(seen.contains(name)) << name;
  }
}

}  // namespace
}  // namespace strata::http
