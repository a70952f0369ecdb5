// A reader of vector files, strict: a mistake in a file must not pass for a test.

#include "strata/crypto/testing/vectors.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace strata::crypto::testing {
namespace {

[[noreturn]] void Fail(std::string_view what) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace

std::string VectorCase::Text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) Fail(absl::StrCat(file_, ":", line_, ": no ", name));
  return found->second;
}

Bytes VectorCase::Hex(const std::string& name) const { return FromHex(Text(name)); }

std::uint64_t VectorCase::Number(const std::string& name) const {
  std::uint64_t number;
  if (!absl::SimpleAtoi(Text(name), &number)) {
    Fail(absl::StrCat(file_, ":", line_, ": ", name, " is no number"));
  }
  return number;
}

std::vector<VectorCase> ReadVectors(const std::string& file) {
  std::ifstream in("crypto/testdata/" + file);
  std::vector<VectorCase> cases;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (absl::StartsWith(line, "#")) continue;
    if (line.empty()) {
      inside = false;
      continue;
    }
    if (!inside) {
      cases.emplace_back();
      cases.back().file_ = file;
      cases.back().line_ = number;
      inside = true;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) Fail(absl::StrCat(file, ":", number, ": no '='"));
    cases.back().values_[std::string(absl::StripAsciiWhitespace(line.substr(0, equals)))] =
        absl::StripAsciiWhitespace(line.substr(equals + 1));
  }
  if (cases.empty()) Fail(absl::StrCat("crypto/testdata/", file, " has no cases"));
  return cases;
}

std::string ReadTestFile(const std::string& file) {
  std::ifstream in("crypto/testdata/" + file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in || text.empty()) Fail(absl::StrCat("crypto/testdata/", file, " cannot be read"));
  return text;
}

Bytes FromHex(std::string_view hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  if (absl::BytesToHexString(bytes) != absl::AsciiStrToLower(hex)) {
    Fail(absl::StrCat("not hexadecimal: ", hex));
  }
  return Bytes(bytes.begin(), bytes.end());
}

std::string ToHex(const Bytes& bytes) { return absl::BytesToHexString(AsText(bytes)); }

std::string_view AsText(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace strata::crypto::testing
