// File: response_reader.h
//
// Looks at every byte that a server answers, as it comes, at little more than the price of a
// memcmp().
//
// The first head is parsed, and its size learnt. A later one of that size, which has the right
// status and its empty line where the first had it, needs no more: should its lengths have been
// wrong after all, the comparison of the body or the next status line says so. Any other head is
// parsed.

#ifndef BENCH_HTTP_RESPONSE_READER_H_
#define BENCH_HTTP_RESPONSE_READER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

// What all connections of a client expect.
struct ExpectedResponse {
  std::string_view body;
  std::size_t head_size = 0;    // Learnt; 0 before the first.
  const char* wrong = nullptr;  // What was wrong, after an answer that was.
};

// Responses with status 200 and this body, one after the other.
class ResponseReader {
 public:
  // Takes the next bytes of a connection, and returns how many responses they end; nothing if one
  // of them is wrong. All calls have the same `expected`.
  std::optional<unsigned> Read(std::string_view bytes, ExpectedResponse& expected);

  // No response has begun that has not ended.
  bool between_responses() const { return head_.empty() && !in_body_; }

 private:
  bool ReadHead(std::string_view& bytes, ExpectedResponse& expected);
  bool ReadPartOfHead(std::string_view& bytes, ExpectedResponse& expected);

  std::string head_;  // Of a head that is parsed, what has come.
  std::size_t body_read_ = 0;
  bool in_body_ = false;
};

}  // namespace bench

#endif  // BENCH_HTTP_RESPONSE_READER_H_
