// File: cookie_jar.h
//
// What servers ask a client to remember, and to which of them it says that again (RFC 6265 section
// 5, with the rules for secure cookies and name prefixes of its successor,
// draft-ietf-httpbis-rfc6265bis).
//
//   CookieJar jar;
//   jar.Store(url, "id=7; Path=/; Secure; Max-Age=3600", now);
//   jar.CookieField(url, now);   // "id=7", for the Cookie field; empty if there is none
//
// A cookie for a whole domain is taken from any host below it. Which domains belong to many owners
// ("co.uk", "github.io") only the public suffix list knows, which is not here: a domain of one
// label is refused, and others by Options::is_public_suffix. A client that talks to hosts which do
// not trust each other below one such domain needs that function.
//
// HttpOnly and SameSite are for browsers and are not looked at. Thread-safe.

#ifndef STRATA_HTTP_COOKIE_JAR_H_
#define STRATA_HTTP_COOKIE_JAR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "strata/http/url.h"

namespace strata::http {

class CookieJar {
 public:
  struct Options {
    // Above them the cookies that were not sent for longest go.
    std::size_t max_cookies = 1000;
    std::size_t max_cookies_per_domain = 50;

    // Of a cookie's name and value, and of its path. A longer one is not stored.
    std::size_t max_cookie_bytes = 4096;
    std::size_t max_path_bytes = 1024;

    // Whether no cookie may be for all below this domain, in lower case.
    absl::AnyInvocable<bool(std::string_view domain) const> is_public_suffix = {};
  };

  explicit CookieJar(Options options) : options_(std::move(options)) {}
  CookieJar() : CookieJar(Options()) {}

  // The value of a Set-Cookie field of a response from there. False if it is not taken: malformed,
  // for another domain, or an insecure one that would take the place of a secure one. One that has
  // expired removes its like.
  bool Store(const Url& url, std::string_view set_cookie, std::chrono::sys_seconds now);

  // The value of the Cookie field of a request to there. Longer paths first, then older cookies.
  std::string CookieField(const Url& url, std::chrono::sys_seconds now);

  // Those that have not been found to have expired.
  std::size_t size() const;
  void Clear();

 private:
  struct Cookie {
    std::string name;
    std::string value;
    std::string domain;
    std::string path;
    std::optional<std::chrono::sys_seconds> expiry;  // None: as long as the jar lives.
    std::uint64_t created = 0;                       // Places in the order of all calls.
    std::uint64_t used = 0;
    bool host_only = false;
    bool secure = false;
  };

  std::optional<Cookie> Parse(const Url& url, std::string_view set_cookie,
                              std::chrono::sys_seconds now) const;
  bool PlaceIn(Cookie& cookie, std::string_view domain, const Url& url) const;
  void Evict(const std::string& domain);

  const Options options_;
  mutable std::mutex mutex_;
  std::vector<Cookie> cookies_;
  std::uint64_t calls_ = 0;
};

// A date in any of the many forms of cookies (RFC 6265 section 5.1.1).
std::optional<std::chrono::sys_seconds> ParseCookieDate(std::string_view text);

}  // namespace strata::http

#endif  // STRATA_HTTP_COOKIE_JAR_H_
