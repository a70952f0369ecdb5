// File: access_record.h
//
// One line of an access log: what is told of a request, and the three formats it is told in. The
// writing of lines to a file is access_log.h.
//
//   AccessRecordWriter writer(AccessLogFormat::kCommon);
//   std::string line(AccessRecordWriter::MaxBytes(record), '\0');
//   line.resize(writer.Write(record, line.data()) - line.data());
//
// kCommon is the format that NCSA's httpd had, kCombined that of Apache and nginx with two fields
// more, kJson an object a line:
//
//   192.0.2.1 - alice [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 13
//   192.0.2.1 - alice [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 13 "https://a/" "curl/8"
//   {"time":"2026-01-02T03:04:05.678Z","peer":"192.0.2.1","user":"alice","method":"GET",
//    "target":"/x","protocol":"HTTP/1.1","status":200,"bytes":13,"duration_us":42,
//    "referer":"https://a/","user_agent":"curl/8","request_id":"..."}      (in one line)
//
// Nothing that a client sends can forge a line or a field, or steer a terminal that shows one. In
// the first two formats a byte that is not visible ASCII, a quote and a backslash are written \xHH,
// \" and \\, and where no quotes stand around a field also a blank. What is empty is "-". In JSON
// control characters, those of C1, line separators and those that change the direction of writing
// are \uHHHH, what is no UTF-8 is U+FFFD, and what is empty is left out. Fields are cut at
// kMaxAccessFieldBytes, and end in "..." then.

#ifndef STRATA_HTTP_ACCESS_RECORD_H_
#define STRATA_HTTP_ACCESS_RECORD_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "strata/net/address.h"

namespace strata::http {

enum class AccessLogFormat : std::uint8_t { kCommon, kCombined, kJson };

// What is longer is cut.
inline constexpr std::size_t kMaxAccessFieldBytes = 2048;

// Views, that need to live as long as the call they are given to.
struct AccessRecord {
  std::chrono::system_clock::time_point time = {};  // Of the request's beginning, or as you like.
  const net::Address* peer = nullptr;               // The client; its port is not written.
  std::string_view user = {};                       // Who was authenticated.
  std::string_view method = {};                     // Empty for what was no request.
  std::string_view target = {};
  std::string_view protocol = "HTTP/1.1";
  std::uint16_t status = 0;
  std::uint64_t bytes = 0;                 // Of the response's content.
  std::chrono::nanoseconds duration = {};  // JSON only, as the request id.
  std::string_view referer = {};
  std::string_view user_agent = {};
  std::string_view request_id = {};
};

// Belongs to one thread, as it keeps the text of the last second.
class AccessRecordWriter {
 public:
  explicit AccessRecordWriter(AccessLogFormat format) : format_(format) {}

  // How many bytes Write() may need for this record, in any format.
  static std::size_t MaxBytes(const AccessRecord& record);

  // Writes a line with its newline, and returns its end.
  char* Write(const AccessRecord& record, char* out);

 private:
  char* WriteText(const AccessRecord& record, char* out);
  char* WriteJson(const AccessRecord& record, char* out);
  void UpdateTime(std::chrono::sys_seconds second);

  const AccessLogFormat format_;

  // "[02/Jan/2026:03:04:05 +0000] " or "2026-01-02T03:04:05" of the second.
  std::chrono::sys_seconds second_{std::chrono::seconds(std::numeric_limits<std::int64_t>::min())};
  std::array<char, 40> time_text_;
  std::size_t time_size_ = 0;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_ACCESS_RECORD_H_
