// File: reply.h
//
// An answer as a value: status, fields and body, made anywhere, on any thread, and sent by a
// Responder (response.h) or returned by a handler that runs on a worker (handler.h).
//
//   Reply reply(404);
//   reply.Set(FieldId::kContentType, "application/json");
//   reply.SetBody(R"({"error":"no such person"})");
//   responder.Send(std::move(reply));
//
// What frames a message is the server's own: Content-Length, Transfer-Encoding and Connection
// cannot be set here. Date and Server are added where they are missing.

#ifndef STRATA_HTTP_REPLY_H_
#define STRATA_HTTP_REPLY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/http/field.h"
#include "strata/http/head_writer.h"
#include "strata/net/file.h"

namespace strata::http {

// Status and fields. A field that cannot be sent (its name is no token, its value has a control
// byte, it frames the message) is not taken, and error() says so: such a response is answered as
// 500, for what an attacker brought into a value must not become a field of its own.
class ReplyHead {
 public:
  explicit ReplyHead(int status = 200) { set_status(status); }

  int status() const { return status_; }

  // From 200 to 599; 101 is for Response::Upgrade().
  void set_status(int status) {
    status_ = status;
    if (status < 200 || status > 599) error_ = WriteError::kBadStatus;
  }

  // Adds a field. There may be several of a name.
  void Add(FieldId id, std::string_view value);
  void Add(std::string_view name, std::string_view value);

  // The same, instead of those of this name.
  void Set(FieldId id, std::string_view value) { Has(id) ? Replace(id, value) : Add(id, value); }

  // Adds `value` to the Vary field, unless it is there already.
  void Vary(std::string_view value);

  // Status, fields and the rest of another head: its fields take the place of those of the same
  // name, but for Set-Cookie, Vary and names without an id, which are added.
  void Merge(const ReplyHead& other);

  // Of the fields that have an id.
  bool Has(FieldId id) const { return (present_ & SetOf(id)) != 0; }

  // The value of the first such field. Lives until the next change.
  std::optional<std::string_view> Get(FieldId id) const;

  // The values of all such fields, as the one list that they stand for (RFC 9110 section 5.3).
  // Empty if there is none.
  std::string GetAll(FieldId id) const;

  // The connection ends after this response.
  void set_close() { close_ = true; }
  bool close() const { return close_; }

  WriteError error() const { return error_; }

  // "Name: value\r\n" for each field.
  std::string_view lines() const { return lines_; }

  void Clear();

 private:
  void Replace(FieldId id, std::string_view value);
  void Remove(FieldId id);

  int status_ = 200;
  bool close_ = false;
  WriteError error_ = WriteError::kNone;
  FieldIdSet present_ = 0;
  std::string lines_;
};

// A stretch of a file.
struct FileRange {
  std::shared_ptr<const net::File> file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// Makes a body as the client takes it. Called on the connection's loop, whenever there is room:
// appends some bytes, a few tens of kilobytes at best, and says whether there are more. It must not
// block, nor append nothing and say kMore. A body that cannot be made to its end is kFail: the
// connection breaks, so that the client does not take it for whole.
enum class Produced : std::uint8_t { kMore, kEnd, kFail };
using BodyProducer = absl::AnyInvocable<Produced(std::string& out)>;

// The content of a response.
class ReplyBody {
 public:
  using Part = std::variant<std::string, std::shared_ptr<const std::string>, FileRange>;

  // None.
  ReplyBody() = default;

  explicit ReplyBody(std::string bytes) { AddPart(std::move(bytes)); }

  // Not null. One text for many responses, without a copy.
  explicit ReplyBody(std::shared_ptr<const std::string> bytes) { AddPart(std::move(bytes)); }

  explicit ReplyBody(FileRange range) { AddPart(std::move(range)); }

  // Made as it is sent; of `length` bytes, or of any number: that is sent in chunks. One that makes
  // more or fewer than `length` breaks the connection.
  ReplyBody(std::optional<std::uint64_t> length, BodyProducer producer)
      : bytes_(length.value_or(0)),
        has_length_(length.has_value()),
        producer_(std::move(producer)) {}

  // Parts one after the other: for bodies of several ranges.
  void AddPart(Part part);

  // Nothing if it is not known.
  std::optional<std::uint64_t> length() const {
    return has_length_ ? std::optional(bytes_) : std::nullopt;
  }

  std::vector<Part>& parts() { return parts_; }
  BodyProducer& producer() { return producer_; }

 private:
  std::uint64_t bytes_ = 0;
  bool has_length_ = true;
  std::vector<Part> parts_;
  BodyProducer producer_;
};

class Reply {
 public:
  explicit Reply(int status = 200) : head_(status) {}

  // With this Content-Type.
  Reply(int status, std::string_view content_type, std::string body);

  ReplyHead& head() { return head_; }
  ReplyBody& body() { return body_; }

  int status() const { return head_.status(); }
  void Set(FieldId id, std::string_view value) { head_.Set(id, value); }
  void Add(std::string_view name, std::string_view value) { head_.Add(name, value); }
  void SetBody(std::string bytes) { body_ = ReplyBody(std::move(bytes)); }
  void SetBody(ReplyBody body) { body_ = std::move(body); }

 private:
  ReplyHead head_;
  ReplyBody body_;
};

// The short text of a response that has nothing else to say: "404 Not Found\n".
std::string StatusText(int status);

}  // namespace strata::http

#endif  // STRATA_HTTP_REPLY_H_
