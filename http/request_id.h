// File: request_id.h
//
// Names of requests, to find one again in the logs of all who had to do with it.
//
//   RequestIdGenerator ids;  // One for each loop.
//   RequestId made;
//   std::string_view id = sent;  // X-Request-Id, if a trusted proxy sent one.
//   if (!IsRequestId(id)) id = (made = ids.Next()).view();
//
// An id is 128 bits in hexadecimal, as a trace id of the W3C's "Trace Context". They are drawn as
// SipHash-2-4 of a counter under a key from the system's random numbers: so they do not repeat, and
// nobody can foresee one from others. All the same they are names and no secrets: they stand in
// logs and in answers.

#ifndef STRATA_HTTP_REQUEST_ID_H_
#define STRATA_HTTP_REQUEST_ID_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strata::http {

// 32 digits of 0-9 and a-f.
struct RequestId {
  std::array<char, 32> digits = {};

  // Lives as long as this.
  std::string_view view() const { return {digits.data(), digits.size()}; }
};

// Used by one thread. About 30 ns an id.
class RequestIdGenerator {
 public:
  RequestIdGenerator();
  RequestIdGenerator(const RequestIdGenerator&) = delete;
  RequestIdGenerator& operator=(const RequestIdGenerator&) = delete;

  RequestId Next();

 private:
  std::array<std::uint64_t, 2> key_;
  std::uint64_t count_ = 0;
};

// A longer one is none.
inline constexpr std::size_t kMaxRequestIdBytes = 128;

// Whether an id that somebody else made may be taken over: 1 to kMaxRequestIdBytes letters, digits
// and characters of "-_.~+/=:", which is what UUIDs, ULIDs, base64 and trace contexts are made of,
// and has no meaning in a log, a header, a shell or a page.
bool IsRequestId(std::string_view text);

}  // namespace strata::http

#endif  // STRATA_HTTP_REQUEST_ID_H_
