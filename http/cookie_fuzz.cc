// Any bytes are a cookie, or none. What is taken goes back to where it came from at most, fits into
// a Cookie field, and is stored again as the same cookie; the bounds hold.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "strata/http/cookie_jar.h"
#include "strata/http/text.h"

using namespace strata::http;

namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'700'000'000)};
constexpr std::size_t kMaxCookies = 4;
constexpr std::size_t kMaxBytes = 200;

const Url& At(int i) {
  static const Url kUrls[] = {Url::Parse("https://a.b.test/x/y").value(),
                              Url::Parse("http://a.b.test/x").value(),
                              Url::Parse("http://10.0.0.1/").value()};
  return kUrls[i];
}

// Of other servers: neither above one of these, nor below, but alike at the end.
const Url& Elsewhere(int i) {
  static const Url kUrls[] = {Url::Parse("https://xb.test/x/y").value(),
                              Url::Parse("https://test/x/y").value(),
                              Url::Parse("http://110.0.0.1/").value()};
  return kUrls[i];
}

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// Lines of cookies, of which the first byte says which server sets it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  CookieJar::Options options;
  options.max_cookies = kMaxCookies;
  options.max_cookie_bytes = kMaxBytes;
  CookieJar jar(std::move(options));
  while (!text.empty()) {
    const int from = static_cast<unsigned char>(text[0]) % 3;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view cookie = text.substr(1, end - 1);
    text.remove_prefix(std::min(end + 1, text.size()));
    (void)ParseCookieDate(cookie);

    CookieJar alone;
    const bool taken = alone.Store(At(from), cookie, kNow);
    Check(taken || alone.size() == 0);
    for (int to = 0; to < 3; ++to) {
      const std::string field = alone.CookieField(At(to), kNow);
      Check(IsFieldValue(field));
      if (field.empty()) continue;
      Check(taken && (from == 2) == (to == 2));
      // The name and the value are what was said.
      const std::size_t equals = field.find('=');
      Check(equals != std::string::npos && equals > 0);
      Check(cookie.find(field.substr(0, equals)) != std::string_view::npos);
      Check(cookie.find(field.substr(equals + 1)) != std::string_view::npos);
      CookieJar again;
      Check(again.Store(At(to), field, kNow) == (again.size() == 1));
      if (again.size() == 1) Check(again.CookieField(At(to), kNow) == field);
    }
    for (int other = 0; other < 3; ++other) {
      Check(alone.CookieField(Elsewhere(other), kNow).empty());
    }
    (void)jar.Store(At(from), cookie, kNow);
    Check(jar.size() <= kMaxCookies);
    Check(jar.CookieField(At(from), kNow).size() <= kMaxCookies * (kMaxBytes + 3));
  }
  return 0;
}
