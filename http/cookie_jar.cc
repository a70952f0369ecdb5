// RFC 6265 section 5: how user agents read and keep cookies.

#include "strata/http/cookie_jar.h"

#include <algorithm>
#include <array>
#include <utility>

#include "strata/http/text.h"
#include "strata/net/address.h"

namespace strata::http {
namespace {

using std::chrono::sys_seconds;

// Far away, and within all types: RFC 6265bis asks for no more than 400 days.
constexpr std::chrono::seconds kLongestLife = std::chrono::days(400);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool IsAddress(const Url& url) { return url.is_ipv6 || net::Address::Parse(url.host + ":1").ok(); }

// Section 5.1.3.
bool DomainMatches(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

std::string_view PathOf(const Url& url) {
  return std::string_view(url.target).substr(0, url.target.find('?'));
}

// Section 5.1.4.
bool PathMatches(std::string_view asked, std::string_view path) {
  if (!asked.starts_with(path)) return false;
  return asked.size() == path.size() || path.ends_with('/') || asked[path.size()] == '/';
}

std::string_view DefaultPath(std::string_view asked) {
  const std::size_t slash = asked.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : asked.substr(0, slash);
}

// Takes a number of `least` to `most` digits off the front.
std::optional<int> TakeNumber(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t digits = 0;
  int number = 0;
  while (digits < text.size() && IsDigit(text[digits])) {
    if (++digits > most) return std::nullopt;
    number = number * 10 + (text[digits - 1] - '0');
  }
  if (digits < least) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

std::optional<std::chrono::seconds> ParseTime(std::string_view token) {
  std::array<int, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      if (!token.starts_with(':')) return std::nullopt;
      token.remove_prefix(1);
    }
    const std::optional<int> part = TakeNumber(token, 1, 2);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return std::chrono::seconds((parts[0] * 60 + parts[1]) * 60 + parts[2]);
}

std::optional<unsigned> ParseMonth(std::string_view token) {
  static constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (token.size() < 3) return std::nullopt;
  const std::size_t at = kMonths.find(Lower(token.substr(0, 3)));
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  return static_cast<unsigned>(at / 3 + 1);
}

bool IsDateDelimiter(char c) {
  return c == '\t' || (c >= ' ' && c <= '/') || (c >= ';' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// Digits alone, after a "-" perhaps; what is not is no Max-Age.
std::optional<std::chrono::seconds> ParseMaxAge(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return std::nullopt;
  if (negative) return std::chrono::seconds(0);
  std::chrono::seconds age(0);
  for (const char c : text) age = std::min(age * 10 + std::chrono::seconds(c - '0'), kLongestLife);
  return age;
}

}  // namespace

std::optional<sys_seconds> ParseCookieDate(std::string_view text) {
  std::optional<std::chrono::seconds> time;
  std::optional<int> day, year;
  std::optional<unsigned> month;
  while (!text.empty()) {
    const auto end = std::find_if(text.begin(), text.end(), IsDateDelimiter);
    const std::string_view token(text.data(), static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(std::min(token.size() + 1, text.size()));
    if (token.empty()) continue;
    std::string_view rest = token;
    if (!time && (time = ParseTime(token))) continue;
    if (!day && (day = TakeNumber(rest, 1, 2))) continue;
    if (!month && (month = ParseMonth(token))) continue;
    if (!year) year = TakeNumber(rest, 2, 4);
  }
  if (!time || !day || !month || !year) return std::nullopt;
  if (*year < 70) *year += 2000;
  if (*year < 100) *year += 1900;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (*year < 1601 || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + *time;
}

// Section 5.3, steps 4 to 6. What is for an address, or for a public suffix that is the host
// itself, is for that host alone.
bool CookieJar::PlaceIn(Cookie& cookie, std::string_view domain, const Url& url) const {
  cookie.domain = url.host;
  cookie.host_only = true;
  if (domain.empty() || (domain == url.host && IsAddress(url))) return true;
  const bool shared = domain.find('.') == std::string_view::npos ||
                      (options_.is_public_suffix && options_.is_public_suffix(domain));
  if (shared) return domain == url.host;
  if (domain != url.host && (IsAddress(url) || !DomainMatches(url.host, domain))) return false;
  cookie.domain = domain;
  cookie.host_only = false;
  return true;
}

std::optional<CookieJar::Cookie> CookieJar::Parse(const Url& url, std::string_view set_cookie,
                                                  sys_seconds now) const {
  if (!IsFieldValue(set_cookie)) return std::nullopt;
  std::size_t end = std::min(set_cookie.find(';'), set_cookie.size());
  const std::string_view pair = set_cookie.substr(0, end);
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Cookie cookie;
  cookie.name = TrimWhitespace(pair.substr(0, equals));
  cookie.value = TrimWhitespace(pair.substr(equals + 1));
  if (cookie.name.empty() || cookie.name.size() + cookie.value.size() > options_.max_cookie_bytes) {
    return std::nullopt;
  }

  std::string domain, path;
  std::optional<std::chrono::seconds> max_age;
  while (end < set_cookie.size()) {
    const std::size_t begin = end + 1;
    end = std::min(set_cookie.find(';', begin), set_cookie.size());
    const std::string_view attribute = set_cookie.substr(begin, end - begin);
    const std::size_t split = std::min(attribute.find('='), attribute.size());
    const std::string_view name = TrimWhitespace(attribute.substr(0, split));
    const std::string_view value =
        split < attribute.size() ? TrimWhitespace(attribute.substr(split + 1)) : "";
    if (EqualsIgnoreCase(name, "Expires")) {
      if (const auto date = ParseCookieDate(value)) cookie.expiry = date;
    } else if (EqualsIgnoreCase(name, "Max-Age")) {
      if (const auto age = ParseMaxAge(value)) max_age = age;
    } else if (EqualsIgnoreCase(name, "Domain")) {
      domain = Lower(value.starts_with('.') ? value.substr(1) : value);
    } else if (EqualsIgnoreCase(name, "Path")) {
      path = value;
    } else if (EqualsIgnoreCase(name, "Secure")) {
      cookie.secure = true;
    }
  }
  if (max_age) cookie.expiry = now + *max_age;
  if (cookie.expiry) cookie.expiry = std::min(*cookie.expiry, now + kLongestLife);
  const bool has_path = path.starts_with('/');
  cookie.path = has_path ? path : std::string(DefaultPath(PathOf(url)));
  if (cookie.path.size() > options_.max_path_bytes || !PlaceIn(cookie, domain, url)) {
    return std::nullopt;
  }

  // What the names promise.
  const std::string prefix = Lower(std::string_view(cookie.name).substr(0, 9));
  if (prefix == "__secure-" && !cookie.secure) return std::nullopt;
  if (prefix.starts_with("__host-") &&
      (!cookie.secure || !cookie.host_only || !has_path || cookie.path != "/")) {
    return std::nullopt;
  }
  return cookie;
}

bool CookieJar::Store(const Url& url, std::string_view set_cookie, sys_seconds now) {
  std::optional<Cookie> cookie = Parse(url, set_cookie, now);
  if (!cookie) return false;
  const bool secure_origin = url.scheme == "https";
  if (cookie->secure && !secure_origin) return false;
  const std::scoped_lock lock(mutex_);
  std::erase_if(cookies_, [&](const Cookie& each) { return each.expiry && *each.expiry <= now; });
  cookie->created = cookie->used = ++calls_;
  for (const Cookie& each : cookies_) {
    const bool overlaps = each.domain == cookie->domain ||
                          DomainMatches(each.domain, cookie->domain) ||
                          DomainMatches(cookie->domain, each.domain);
    if (!secure_origin && each.secure && each.name == cookie->name && overlaps &&
        PathMatches(cookie->path, each.path)) {
      return false;
    }
  }
  std::erase_if(cookies_, [&](const Cookie& each) {
    if (each.name != cookie->name || each.domain != cookie->domain || each.path != cookie->path ||
        each.host_only != cookie->host_only) {
      return false;
    }
    cookie->created = each.created;
    return true;
  });
  if (cookie->expiry && *cookie->expiry <= now) return true;
  const std::string domain = cookie->domain;
  cookies_.push_back(*std::move(cookie));
  Evict(domain);
  return true;
}

void CookieJar::Evict(const std::string& domain) {
  const auto evict_from = [&](auto belongs) {
    auto oldest = cookies_.end();
    for (auto each = cookies_.begin(); each != cookies_.end(); ++each) {
      if (belongs(*each) && (oldest == cookies_.end() || each->used < oldest->used)) oldest = each;
    }
    cookies_.erase(oldest);
  };
  const auto in_domain = [&](const Cookie& each) { return each.domain == domain; };
  const auto count = std::count_if(cookies_.begin(), cookies_.end(), in_domain);
  if (static_cast<std::size_t>(count) > options_.max_cookies_per_domain) evict_from(in_domain);
  if (cookies_.size() > options_.max_cookies) evict_from([](const Cookie&) { return true; });
}

// Section 5.4.
std::string CookieJar::CookieField(const Url& url, sys_seconds now) {
  const std::scoped_lock lock(mutex_);
  std::vector<Cookie*> chosen;
  const std::string_view path = PathOf(url);
  ++calls_;
  for (Cookie& each : cookies_) {
    const bool host = each.domain == url.host ||
                      (!each.host_only && DomainMatches(url.host, each.domain) && !IsAddress(url));
    if (!host || !PathMatches(path, each.path) || (each.secure && url.scheme != "https") ||
        (each.expiry && *each.expiry <= now)) {
      continue;
    }
    each.used = calls_;
    chosen.push_back(&each);
  }
  std::sort(chosen.begin(), chosen.end(), [](const Cookie* a, const Cookie* b) {
    return a->path.size() != b->path.size() ? a->path.size() > b->path.size()
                                            : a->created < b->created;
  });
  std::string field;
  for (const Cookie* each : chosen) {
    if (!field.empty()) field += "; ";
    field += each->name;
    field += '=';
    field += each->value;
  }
  return field;
}

std::size_t CookieJar::size() const {
  const std::scoped_lock lock(mutex_);
  return cookies_.size();
}

void CookieJar::Clear() {
  const std::scoped_lock lock(mutex_);
  cookies_.clear();
}

}  // namespace strata::http
