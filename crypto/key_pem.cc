// PEM, line by line.

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "strata/crypto/base64url_internal.h"
#include "strata/crypto/key_pem_internal.h"

namespace strata::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kLineCharacters = 64;

// Takes lines off a text, without what ends them: "\n", "\r\n", spaces and tabs before it.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool Next(std::string_view& line) {
    if (text_.empty()) return false;
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    while (!line.empty() && std::string_view("\r \t").find(line.back()) != line.npos) {
      line.remove_suffix(1);
    }
    ++number_;
    return true;
  }

  absl::Status Malformed(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("PEM, line ", number_, ": ", what));
  }

 private:
  std::string_view text_;
  int number_ = 0;
};

// The label of a line that begins or ends a block.
std::optional<std::string_view> LabelOf(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes) ||
      line.size() <= prefix.size() + kDashes.size()) {
    return std::nullopt;
  }
  line.remove_prefix(prefix.size());
  line.remove_suffix(kDashes.size());
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? std::optional(line) : std::nullopt;
}

// The lines to the end of a block that has begun, at most as many characters as `limit`.
absl::StatusOr<SecretBytes> ReadBody(Lines& lines, std::string_view label, std::size_t limit) {
  SecretBytes base64(limit);
  std::size_t size = 0;
  for (std::string_view line; lines.Next(line);) {
    if (line.starts_with(kDashes)) {
      if (LabelOf(line, kEnd) != label) return lines.Malformed("the block ends otherwise");
      base64.Truncate(size);
      std::optional<SecretBytes> der = DecodeBase64(Base64Alphabet::kStandard, base64.text());
      if (!der.has_value() || der->empty()) return lines.Malformed("the block is not base64");
      return *std::move(der);
    }
    if (line.empty()) return lines.Malformed("an empty line, or a header, inside a block");
    std::memcpy(base64.mutable_bytes().data() + size, line.data(), line.size());
    size += line.size();
  }
  return lines.Malformed("the block has no end");
}

}  // namespace

absl::StatusOr<std::vector<PemBlock>> ReadPem(std::string_view text) {
  if (text.size() > kMaxPemBytes) return absl::InvalidArgumentError("PEM: more than 4 MB");
  std::vector<PemBlock> blocks;
  Lines lines(text);
  for (std::string_view line; lines.Next(line);) {
    if (!line.starts_with(kDashes)) continue;
    const std::optional<std::string_view> label = LabelOf(line, kBegin);
    if (!label.has_value()) return lines.Malformed("no beginning of a block");
    if (blocks.size() == kMaxPemBlocks) return lines.Malformed("more than 1024 blocks");
    // The body ends, at the latest, where a line begins with dashes.
    const std::string_view rest = text.substr(static_cast<std::size_t>(line.end() - text.begin()));
    const std::size_t limit = std::min(rest.find("\n-----"), rest.size());
    absl::StatusOr<SecretBytes> der = ReadBody(lines, *label, limit);
    if (!der.ok()) return der.status();
    blocks.push_back({std::string(*label), *std::move(der)});
  }
  if (blocks.empty()) return absl::InvalidArgumentError("PEM: no block");
  return blocks;
}

SecretBytes WritePem(std::string_view label, std::span<const std::uint8_t> der) {
  const SecretBytes base64 = EncodeBase64(Base64Alphabet::kStandard, der);
  const std::size_t lines = (base64.size() + kLineCharacters - 1) / kLineCharacters;
  SecretBytes pem(kBegin.size() + kEnd.size() + 2 * (label.size() + kDashes.size() + 1) +
                  base64.size() + lines);
  char* out = reinterpret_cast<char*>(pem.mutable_bytes().data());
  const auto append = [&out](std::string_view text) {
    out = std::copy(text.begin(), text.end(), out);
  };
  append(kBegin);
  append(label);
  append("-----\n");
  for (std::string_view rest = base64.text(); !rest.empty();) {
    const std::string_view line = rest.substr(0, kLineCharacters);
    append(line);
    append("\n");
    rest.remove_prefix(line.size());
  }
  append(kEnd);
  append(label);
  append("-----\n");
  return pem;
}

}  // namespace strata::crypto
