// File: cors.h
//
// Which pages of other origins may read the answers: the server's side of CORS (the WHATWG's Fetch
// standard, section 3.3). Decisions alone; fields go in and come out.
//
//   absl::StatusOr<CorsPolicy> policy = CorsPolicy::Create({
//       .origins = {"https://example.com", "https://*.example.com"},
//       .methods = {"GET", "PUT"},
//       .headers = {"content-type", "authorization"},
//       .credentials = true});
//   if (CorsPolicy::IsPreflight(method, origin, requested_method)) {
//     auto decision = policy->Preflight(origin, requested_method, requested_headers);
//     ...  // 204 with decision.fields(), or 403 with them if !decision.allowed.
//   }
//   auto decision = policy->Actual(origin);  // Its fields go into every answer, also into errors.
//
// CORS keeps no request out: it tells browsers whom to show the answer. An origin that is not
// allowed gets its answer without the fields, or an error, as the server likes.
//
// Arguments are the values of the fields Origin, Access-Control-Request-Method and -Headers, empty
// where a request has none. A request with several of one of these has none that is allowed: give
// them joined by commas.

#ifndef STRATA_HTTP_CORS_H_
#define STRATA_HTTP_CORS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "strata/http/field_view.h"

namespace strata::http {

class CorsPolicy {
 public:
  struct Options {
    // As browsers write them (RFC 6454 section 6.2): "https://example.com", with a port if it is
    // not the scheme's own. "https://*.example.com" is every name below, at any depth, and not the
    // name itself. "*" is every origin, and for requests without credentials only. "null" is that
    // of sandboxed frames and local files, of anybody's, so again without credentials only.
    std::vector<std::string> origins = {};

    // As they are sent, in upper case; GET, HEAD and POST are always allowed. "*" is every one but
    // CONNECT, TRACE and TRACK, which browsers do not send.
    std::vector<std::string> methods = {};

    // Of requests, in any case. Those that Fetch calls safelisted are only sent in a preflight if
    // their value is unusual, and then have to be here: "content-type" for JSON. "*" is every one
    // but "authorization", which has to be named.
    std::vector<std::string> headers = {};

    // Of responses, besides those that Fetch calls safelisted. "*" is every one, without
    // credentials only.
    std::vector<std::string> exposed = {};

    // Whether requests may have cookies, client certificates and HTTP authentication.
    bool credentials = false;

    // How long browsers keep the answer to a preflight: 5 s if it is not said; they have bounds of
    // their own.
    std::optional<std::chrono::seconds> max_age = std::nullopt;
  };

  // InvalidArgument for what can never match, as an origin with a path, in upper case or with the
  // port that its scheme has anyway; and for what browsers would ignore, as "*" with credentials.
  static absl::StatusOr<CorsPolicy> Create(const Options& options);

  class Decision {
   public:
    bool allowed = false;

    // What to add to the response: views of the arguments and of the policy, which both have to
    // live as long. Not allowed, it is what keeps caches from giving it to others (Vary) at most.
    std::span<const FieldView> fields() const { return {fields_.data(), size_}; }

   private:
    friend class CorsPolicy;
    void Add(std::string_view name, std::string_view value) { fields_[size_++] = {name, value}; }

    std::array<FieldView, 6> fields_;
    std::size_t size_ = 0;
  };

  // Whether a request only asks what another one may do.
  static bool IsPreflight(std::string_view method, std::string_view origin,
                          std::string_view requested_method) {
    return method == "OPTIONS" && !origin.empty() && !requested_method.empty();
  }

  Decision Preflight(std::string_view origin, std::string_view requested_method,
                     std::string_view requested_headers) const;

  // For every other request, also one without an origin, which is allowed.
  Decision Actual(std::string_view origin) const;

  // Longer ones are not allowed.
  static constexpr std::size_t kMaxOriginBytes = 300;
  static constexpr std::size_t kMaxMethodBytes = 64;

  // Of a preflight; more are not allowed.
  static constexpr std::size_t kMaxRequestedHeaders = 64;

 private:
  struct State;
  explicit CorsPolicy(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  bool AllowsOrigin(std::string_view origin) const;
  bool AllowsMethod(std::string_view method) const;
  bool AllowsHeaders(std::string_view list) const;
  void AddOrigin(std::string_view origin, Decision& decision) const;

  std::shared_ptr<const State> state_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CORS_H_
