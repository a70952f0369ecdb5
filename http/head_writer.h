// File: head_writer.h
//
// Writes heads, and the framing of chunked bodies, behind what is in a string or into a buffer.
// What would break the framing is not written: a name that is no token, a value with CR, LF, NUL or
// another control byte, a target with a space.
//
//   std::string out;
//   HeadWriter writer(out);
//   writer.StatusLine(200);
//   writer.Field(FieldId::kContentType, "text/plain");
//   writer.ContentLength(13);
//   writer.End();
//   if (writer.error() != WriteError::kNone) ...   // `out` is as it was before.
//   out += "Hello, World!";
//
// The first error holds: from then on nothing is written, and what was written since the writer was
// made is taken back.

#ifndef STRATA_HTTP_HEAD_WRITER_H_
#define STRATA_HTTP_HEAD_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "strata/http/field.h"
#include "strata/http/method.h"

namespace strata::http {

enum class WriteError : std::uint8_t {
  kNone,
  kBadMethod,  // No token.
  kBadTarget,  // Empty, or with a byte that is not visible ASCII, or "#".
  kBadStatus,  // Not from 100 to 999.
  kBadReason,  // With a control byte.
  kBadName,    // No token.
  kBadValue,   // With a control byte other than tab.
  kNoRoom,     // The buffer is too small.
};

std::string_view ToString(WriteError error);

class HeadWriter {
 public:
  // Appends to a string, which must outlive this.
  explicit HeadWriter(std::string& out);

  // Fills a buffer from its begin.
  explicit HeadWriter(std::span<char> buffer);

  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  // "HTTP/1.1 200 OK\r\n". A code that is not registered has an empty reason.
  void StatusLine(int status);
  void StatusLine(int status, std::string_view reason);

  // "GET /where HTTP/1.1\r\n".
  void RequestLine(Method method, std::string_view target);
  void RequestLine(std::string_view method, std::string_view target);

  // "Name: value\r\n". Not kOther.
  void Field(FieldId id, std::string_view value);
  void Field(std::string_view name, std::string_view value);
  void ContentLength(std::uint64_t bytes);

  // What the caller has made ready: whole lines, each with its CR LF. Not looked at.
  void Raw(std::string_view lines);

  // The empty line, after a head or after trailers.
  void End();

  // "1a\r\n" in front of a chunk's data; not 0. The data is the caller's to write, then ChunkEnd().
  void ChunkSize(std::uint64_t bytes);
  void ChunkEnd();

  // "0\r\n". Trailers may follow, by Field(), and then End().
  void LastChunk();

  WriteError error() const { return error_; }
  bool ok() const { return error_ == WriteError::kNone; }

  // How many bytes were written; 0 after an error.
  std::size_t bytes() const;

 private:
  void Fail(WriteError error);
  void Write(std::initializer_list<std::string_view> parts);

  std::string* out_ = nullptr;
  std::size_t start_ = 0;  // The string's size in the beginning.
  std::span<char> buffer_;
  std::size_t used_ = 0;  // Of the buffer.
  WriteError error_ = WriteError::kNone;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_HEAD_WRITER_H_
