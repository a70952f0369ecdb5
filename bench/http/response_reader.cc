#include "bench/http/response_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace bench {
namespace {

constexpr std::string_view kStatus = "HTTP/1.1 200 ";
constexpr std::string_view kEmptyLine = "\r\n\r\n";
constexpr std::size_t kMaxHead = 16 * 1024;

bool IsField(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

// What is wrong with a whole head, its empty line included; null if nothing is.
const char* WrongInHead(std::string_view head, std::size_t body_size) {
  if (!head.starts_with(kStatus)) return "another status than 200";
  bool has_length = false;
  for (std::size_t begin = head.find("\r\n") + 2; begin + 2 < head.size();) {
    const std::size_t end = head.find("\r\n", begin);
    std::string_view line = head.substr(begin, end - begin);
    begin = end + 2;
    if (IsField(line, "Transfer-Encoding")) return "a transfer coding";
    if (!IsField(line, "Content-Length")) continue;
    if (has_length) return "two Content-Length";
    has_length = true;
    line.remove_prefix(std::min(line.find_first_not_of(" \t", line.find(':') + 1), line.size()));
    std::uint64_t length = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), length);
    if (error != std::errc() || rest != line.data() + line.size() || length != body_size) {
      return "another Content-Length";
    }
  }
  return has_length ? nullptr : "no Content-Length";
}

}  // namespace

std::optional<unsigned> ResponseReader::Read(std::string_view bytes, ExpectedResponse& expected) {
  unsigned ended = 0;
  while (!bytes.empty()) {
    if (!in_body_) {
      if (!ReadHead(bytes, expected)) return std::nullopt;
      if (!in_body_) return ended;
    }
    const std::string_view left = expected.body.substr(body_read_);
    const std::size_t size = std::min(left.size(), bytes.size());
    if (bytes.substr(0, size) != left.substr(0, size)) {
      expected.wrong = "another body";
      return std::nullopt;
    }
    bytes.remove_prefix(size);
    body_read_ += size;
    if (body_read_ == expected.body.size()) {
      body_read_ = 0;
      in_body_ = false;
      ++ended;
    }
  }
  return ended;
}

// Removes a head, or what there is of it, from `bytes`; in_body_ says which. False if it is wrong.
bool ResponseReader::ReadHead(std::string_view& bytes, ExpectedResponse& expected) {
  const std::size_t size = expected.head_size;
  if (size != 0 && head_.empty() && bytes.size() >= size && bytes.starts_with(kStatus) &&
      bytes.substr(size - kEmptyLine.size(), kEmptyLine.size()) == kEmptyLine) {
    bytes.remove_prefix(size);
    in_body_ = true;
    return true;
  }
  return ReadPartOfHead(bytes, expected);
}

bool ResponseReader::ReadPartOfHead(std::string_view& bytes, ExpectedResponse& expected) {
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kMaxHead));
  const std::size_t end = head_.find(kEmptyLine);
  if (end == std::string::npos) {
    if (head_.size() >= kMaxHead) {
      expected.wrong = "a head without an end";
      return false;
    }
    bytes = {};
    return true;
  }
  head_.resize(end + kEmptyLine.size());
  bytes.remove_prefix(head_.size() - before);
  expected.wrong = WrongInHead(head_, expected.body.size());
  if (expected.wrong != nullptr) return false;
  expected.head_size = head_.size();
  head_.clear();
  in_body_ = true;
  return true;
}

}  // namespace bench
