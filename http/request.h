// File: request.h
//
// A request as a handler sees it.
//
//   void Greet(Request& request, Response& response) {
//     response.SendText(absl::StrCat("Hello, ", request.param("name"), "\n"));
//   }
//
// All views die when the handler returns: Keep() copies what must live longer. By the loop's thread
// alone, but for a KeptRequest, which is a value.

#ifndef STRATA_HTTP_REQUEST_H_
#define STRATA_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/http/field.h"
#include "strata/http/method.h"
#include "strata/http/request_parser.h"
#include "strata/http/uri.h"
#include "strata/net/address.h"

namespace strata::http {

class KeptRequest;
class Request;

// Finds out whose a request is, when somebody asks; most handlers do not. A server's own.
class ClientFinder {
 public:
  virtual void FindClient(const Request& request) const = 0;

 protected:
  ~ClientFinder() = default;
};

// Whose request it is, by a name that a middleware has verified. Attached to the request, it is
// what access logs show as the user.
struct RequestUser {
  std::string name;
};

// What a `{name}` of the route's pattern has captured, decoded.
struct Param {
  std::string_view name;
  std::string_view value;
};

class Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const { return head_->method; }
  std::string_view method_text() const { return head_->method_text; }

  // As it was sent; path() without the query, and both not decoded.
  std::string_view target() const { return head_->target; }
  std::string_view path() const { return head_->path; }
  QueryView query() const { return QueryView(head_->query); }

  // Of the target or the Host field, without the port. Chosen by the client: no name to trust.
  std::string_view host() const { return head_->host; }
  std::string_view authority() const { return head_->authority; }

  int minor_version() const { return head_->minor_version; }

  const FieldList& fields() const { return head_->fields; }
  std::optional<std::string_view> field(FieldId id) const { return head_->fields.Get(id); }
  std::optional<std::string_view> field(std::string_view name) const {
    return head_->fields.Get(name);
  }

  // The captures of the route, in the order of its pattern; param() is empty for a name that it
  // does not have. A `{name}` is never empty, nor "." or "..", and has no slash.
  std::span<const Param> params() const { return params_; }
  std::string_view param(std::string_view name) const;

  // The whole body, unless the handler takes it in pieces (handler.h); its trailers.
  std::string_view body() const { return body_; }
  const FieldList& trailers() const { return trailers_; }

  // The client: of the connection, or what a proxy on a trusted network says (ServerOptions).
  const net::Address& client() const {
    FindClient();
    return client_;
  }

  // The connection is encrypted, or a proxy on a trusted network says so.
  bool secure() const {
    FindClient();
    return secure_;
  }

  // What the client, or this server, calls the request.
  const RequestHead& head() const { return *head_; }

  // Something of a middleware's for the handlers behind it, one of each type: who the user is.
  template <typename T>
  void Attach(std::shared_ptr<const T> value) {
    attached_.emplace_back(Key<T>(), std::move(value));
  }

  // Null if nothing of this type was attached. The last one counts.
  template <typename T>
  std::shared_ptr<const T> Attached() const {
    return std::static_pointer_cast<const T>(Find(Key<T>()));
  }

  // A copy with all that the views show, the body too.
  KeptRequest Keep() const;

 protected:
  friend class ServerConnection;
  friend struct Exchange;
  friend class KeptRequest;

  Request() = default;
  ~Request() = default;
  Request(Request&&) = default;

  template <typename T>
  static const void* Key() {
    static const char key = 0;
    return &key;
  }
  std::shared_ptr<const void> Find(const void* key) const;

  void FindClient() const {
    if (const ClientFinder* const finder = std::exchange(finder_, nullptr)) {
      finder->FindClient(*this);
    }
  }

  const RequestHead* head_ = nullptr;
  std::string_view bytes_;  // All of the head: most views are into it.
  std::span<const Param> params_;
  std::string_view body_;
  FieldList trailers_;
  // Filled when asked for; null once they are.
  mutable const ClientFinder* finder_ = nullptr;
  mutable net::Address client_;
  mutable bool secure_ = false;
  std::vector<std::pair<const void*, std::shared_ptr<const void>>> attached_;
};

// A request that owns what it shows. For any thread, one at a time.
class KeptRequest final : public Request {
 public:
  KeptRequest(KeptRequest&&) noexcept;
  ~KeptRequest();

 private:
  friend class Request;
  struct Storage;
  explicit KeptRequest(const Request& request);

  std::unique_ptr<Storage> storage_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_REQUEST_H_
