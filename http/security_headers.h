// File: security_headers.h
//
// Header fields that make browsers careful with a site's pages. Made once, added to every answer.
//
//   absl::StatusOr<SecurityHeaders> headers = SecurityHeaders::Create({});
//   for (const FieldView& field : headers->For(connection_is_secure)) ...
//
// By default: no guessing of types (X-Content-Type-Options), no framing by anybody
// (Content-Security-Policy: frame-ancestors, and X-Frame-Options for old browsers), no paths told
// to other origins (Referrer-Policy), and on secure connections HTTPS alone for a year
// (Strict-Transport-Security, RFC 6797). What depends on the pages is empty by default, and not
// sent: a policy for their content, permissions, isolation.

#ifndef STRATA_HTTP_SECURITY_HEADERS_H_
#define STRATA_HTTP_SECURITY_HEADERS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "strata/http/field_view.h"

namespace strata::http {

class SecurityHeaders {
 public:
  // Whose pages may show these in a frame.
  enum class Framing : std::uint8_t { kNobody, kSameOrigin, kAnybody };

  struct Options {
    // X-Content-Type-Options: nosniff.
    bool no_sniff = true;

    // Also as a directive of content_security_policy, which must have none of its own then.
    Framing framing = Framing::kNobody;

    // A list of policies of the W3C's "Referrer Policy"; empty, as the others: not sent.
    std::string referrer_policy = "strict-origin-when-cross-origin";

    // Values as they are to be sent.
    std::string content_security_policy = "";
    std::string permissions_policy = "";
    std::string cross_origin_opener_policy = "";
    std::string cross_origin_embedder_policy = "";
    std::string cross_origin_resource_policy = "";

    // Strict-Transport-Security, on secure connections alone (RFC 6797 section 7.2). Zero is sent,
    // and takes back what was said before; negative: not sent. Preload asks for being built into
    // browsers, which is hard to take back: it needs a year and subdomains.
    std::chrono::seconds hsts_max_age = std::chrono::hours(24 * 365);
    bool hsts_subdomains = false;
    bool hsts_preload = false;
  };

  // InvalidArgument for a value that is no text of a field, an unknown policy for referrers, a
  // directive frame-ancestors given twice, preload without what it needs.
  static absl::StatusOr<SecurityHeaders> Create(const Options& options);

  // Copies share one memory, and the views live as long as any of them.
  std::span<const FieldView> For(bool secure) const;

 private:
  struct State;
  explicit SecurityHeaders(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_SECURITY_HEADERS_H_
