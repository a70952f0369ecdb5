// File: multipart.h
//
// Bodies of type multipart/form-data (RFC 7578, on RFC 2046 section 5.1), parsed as they arrive.
//
//   class Upload : public MultipartHandler {
//     bool OnPart(const MultipartPart& part) override;  // part.name, part.filename
//     bool OnData(std::string_view bytes) override;     // Of that part, as often as it takes.
//     bool OnPartEnd() override;
//   };
//
//   std::optional<std::string> boundary = MultipartBoundary(content_type);  // Else: 400 or 415.
//   MultipartParser parser(*boundary, &upload);
//   MultipartError error = parser.Feed(bytes);  // As often as bytes come.
//   if (error == MultipartError::kOk) error = parser.Finish();
//
// Where the bytes are cut makes no difference but in the pieces that OnData() gets, which are views
// into what is fed: no byte of a part is copied. All is bounded by MultipartLimits.
//
// Strict: lines end in CRLF; header fields are not folded; each part has one Content-Disposition of
// form-data with a name; no parameter is there twice; a line that begins with the delimiter is one,
// and has nothing behind it but blanks. A preamble, an epilogue, and blanks behind a delimiter
// are skipped, as RFC 2046 wants it. Parts of parts (multipart/mixed) are not looked into.
//
// multipart_form.h collects the parts in memory and a file. A parser is used by one thread.

#ifndef STRATA_HTTP_MULTIPART_H_
#define STRATA_HTTP_MULTIPART_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace strata::http {

enum class MultipartError : std::uint8_t {
  kOk,

  // Of the form.
  kBadDelimiter,    // Something else than blanks behind a delimiter.
  kBadHeader,       // A header that is none.
  kBadDisposition,  // Not one Content-Disposition, not form-data, without a name, or malformed.
  kBadEncoding,     // A Content-Transfer-Encoding that changes bytes (RFC 7578 section 4.7).
  kTruncated,       // The end came before the last delimiter.

  // Of its size: what MultipartLimits says.
  kTooManyParts,
  kHeaderTooLarge,
  kTooManyFields,
  kNameTooLong,
  kPartTooLarge,
  kPaddingTooLarge,
  kBodyTooLarge,

  // The handler has returned false.
  kStopped,
};

// "malformed delimiter" and the like: lower case, no period.
std::string_view MultipartErrorName(MultipartError error);

// InvalidArgument for errors of the form, ResourceExhausted for those of its size, Cancelled for
// kStopped. OK for kOk.
absl::Status ToStatus(MultipartError error);

struct MultipartLimits {
  std::size_t max_parts = 1000;

  // Of each part: its header in bytes, and fields.
  std::size_t max_header_bytes = 4 * 1024;
  std::size_t max_fields = 16;

  // Each of them.
  std::size_t max_name_bytes = 256;
  std::size_t max_filename_bytes = 1024;

  std::uint64_t max_part_bytes = std::uint64_t{64} << 20;
  std::uint64_t max_body_bytes = std::uint64_t{256} << 20;

  // The preamble, the epilogue, and the blanks behind delimiters, all together.
  std::size_t max_padding_bytes = 4 * 1024;
};

struct MultipartField {
  std::string_view name;  // In any case of letters.
  std::string_view value;
};

// The header of a part. The views live as long as the call that gets it.
struct MultipartPart {
  std::string_view name;

  // As the client sent it, to be shown and no more: SafeFilename() makes a name for files of it.
  // Without quotes; \" and \\ were unescaped, other backslashes were not, since some clients send
  // paths. Of filename* (RFC 8187), which comes first if both are there, as UTF-8. That browsers
  // write a quote as %22 is left as it is, as they write "%22" alike.
  std::optional<std::string_view> filename;

  // Empty if there is none, which means text/plain (RFC 7578 section 4.4).
  std::string_view content_type;

  // Those too.
  std::span<const MultipartField> fields;
};

// Each function returns whether to go on; if not, the parser's error is kStopped. It must not call
// the parser or destroy it.
class MultipartHandler {
 public:
  virtual ~MultipartHandler() = default;

  virtual bool OnPart(const MultipartPart& part) = 0;

  // The next bytes of that part, at least one. They live as long as the call.
  virtual bool OnData(std::string_view bytes) = 0;

  virtual bool OnPartEnd() = 0;

  // The form was whole: called by Finish(). What was made of the parts before may still have been
  // in vain.
  virtual bool OnEnd() { return true; }
};

// The boundary of a Content-Type field's value: multipart/form-data with a parameter boundary of
// RFC 2046 section 5.1.1, 1 to 70 characters. Nothing if it is none.
std::optional<std::string> MultipartBoundary(std::string_view content_type);

class MultipartParser {
 public:
  // A boundary as MultipartBoundary() returns it. The handler must live as long as this.
  MultipartParser(std::string_view boundary, MultipartHandler* handler,
                  const MultipartLimits& limits = {});
  MultipartParser(const MultipartParser&) = delete;
  MultipartParser& operator=(const MultipartParser&) = delete;

  // Takes the next bytes, any number of them. After an error it returns that error.
  MultipartError Feed(std::string_view bytes);

  // There are no more bytes.
  MultipartError Finish();

 private:
  enum class State : std::uint8_t {
    kPreamble,
    kHeader,
    kData,
    // Behind a delimiter.
    kDelimiter,
    kDelimiterPadding,
    kDelimiterLf,
    // Behind the last one.
    kLastDash,
    kLastPadding,
    kLastLf,
    kEpilogue,
  };

  // Each takes bytes from the front, at least one, and may change the state.
  void SkipOrPassOn(std::string_view& bytes);
  void ReadHeader(std::string_view& bytes);
  void ReadDelimiterEnd(char c);

  std::size_t Find(std::string_view bytes) const;
  std::size_t BeginningAtEnd(std::string_view bytes) const;
  void Pass(std::string_view bytes);
  void Pad(std::size_t bytes);
  void OnDelimiter();

  void BeginPart();
  void OnHeader();
  MultipartError ParseFields();
  MultipartError ParseDisposition(std::string_view value, MultipartPart* part);

  void Fail(MultipartError error);
  void ContinueIf(bool go_on);

  MultipartHandler* const handler_;
  const MultipartLimits limits_;

  // CRLF, two dashes and the boundary. CR is in it once, at its beginning.
  std::string delimiter_;

  State state_ = State::kPreamble;
  MultipartError error_ = MultipartError::kOk;

  // How much of the delimiter the bytes before have ended with, and how much of that, at the start
  // of the body or of a part, stands for a line's end that was none of its own.
  std::size_t matched_ = 2;
  std::size_t borrowed_ = 2;

  std::size_t parts_ = 0;
  std::size_t padding_bytes_ = 0;
  std::uint64_t part_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;

  // Of the part whose header is being read.
  std::string header_;
  std::vector<MultipartField> fields_;
  std::string name_;
  std::string filename_;
};

// A name for a file, made of what a client has sent as `filename`: never empty, at most 255 bytes,
// valid UTF-8; nothing of a path before it; no control characters or marks that turn the direction
// of text; none of the characters that Windows forbids, and none of its devices' names; it begins
// with no dot, blank or dash and ends in no dot or blank. What is replaced becomes "_"; of what
// leaves nothing, "unnamed". It says nothing about whether such a file exists.
std::string SafeFilename(std::string_view filename);

}  // namespace strata::http

#endif  // STRATA_HTTP_MULTIPART_H_
