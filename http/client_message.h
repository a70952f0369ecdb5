// File: client_message.h
//
// What a client asks and what it is answered, as values.
//
//   ClientRequest request;
//   request.method = "POST";
//   request.url = "http://example.com/people";
//   request.fields.Set("Content-Type", "application/json");
//   request.body = R"({"name":"Ada"})";
//
// What frames a message and what manages the connection is the client's own: Host, Content-Length,
// Transfer-Encoding, Connection, Expect and the like cannot be set here.

#ifndef STRATA_HTTP_CLIENT_MESSAGE_H_
#define STRATA_HTTP_CLIENT_MESSAGE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "strata/http/field.h"
#include "strata/http/reply.h"
#include "strata/net/ref_ptr.h"

namespace strata::http {

// Fields that own their text, in their order. Names are compared without regard to case.
class OwnedFields {
 public:
  struct Item {
    std::string name;
    std::string value;
  };

  OwnedFields() = default;

  // A copy of what a parser has read.
  explicit OwnedFields(const FieldList& fields);

  // There may be several of a name.
  void Add(std::string_view name, std::string_view value);

  // Instead of those of this name.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);

  // The value of the first such field. Lives until the next change.
  std::optional<std::string_view> Get(std::string_view name) const;
  bool Has(std::string_view name) const { return Get(name).has_value(); }

  std::vector<Item>::const_iterator begin() const { return items_.begin(); }
  std::vector<Item>::const_iterator end() const { return items_.end(); }
  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }

 private:
  std::vector<Item> items_;
};

struct ClientResponse {
  // 200 to 599, or what else of three digits the server said.
  int status = 0;
  std::string reason;
  OwnedFields fields;

  // Decoded, if its coding is one of ClientOptions::codings; the fields stay as they were sent.
  // Empty with a receiver.
  std::string body;
  OwnedFields trailers;

  // Where it came from, in the end, and over how many redirects.
  std::string url;
  int redirects = 0;
};

// A request that is under way, or over. On the loop's thread.
class Fetching : public net::RefCounted {
 public:
  // Gives up: the callback is told Cancelled, later; a receiver hears nothing more. Nothing once
  // the callback was called.
  virtual void Cancel() = 0;

  // Stops the pieces of the body from coming, but for what is decoded of the bytes that are here
  // already, and lets them come again. The server is stopped by TCP. The timeout between bytes
  // rests meanwhile, that of the whole request does not.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

// Takes the body of a response in pieces. Calls come on the loop, the last of them before the
// request's callback is called, which tells how it ended.
class ResponseReceiver {
 public:
  virtual ~ResponseReceiver() = default;

  // The final response: redirects were followed, and failures tried again. Once.
  virtual void OnHead(const ClientResponse& head, Fetching& fetching);

  // One byte or more, lent for the length of the call.
  virtual void OnData(std::string_view bytes, Fetching& fetching) = 0;
};

struct ClientRequest {
  // Any token but CONNECT; case-sensitive.
  std::string method = "GET";

  // http or https, absolute. A fragment is not sent. Credentials in it are an error: they belong
  // into an Authorization field.
  std::string url = {};

  OwnedFields fields = {};

  // The content, unless open_body is set.
  std::string body = {};

  // Content that is made as it is sent: called for each time that the request is sent, so also for
  // a redirect that keeps the body and for a retry. Null from it means that the content cannot
  // begin anew: then the request is not sent again. Of body_length bytes, or else in chunks.
  absl::AnyInvocable<BodyProducer()> open_body = {};
  std::optional<std::uint64_t> body_length = {};

  // Where the response's body goes in pieces, instead of ClientResponse::body. Destroyed with the
  // request, after the callback.
  std::unique_ptr<ResponseReceiver> receiver = {};

  // Sent twice it does what it does once, though the method does not say so (RFC 9110 section
  // 9.2.2): such as a POST with an idempotency key.
  bool repeatable = false;

  // Instead of the client's own. A receiver takes a body of any size where this is not set.
  std::optional<std::uint64_t> max_body_bytes = {};
  std::optional<std::chrono::milliseconds> timeout = {};
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_MESSAGE_H_
