// The decisions of CORS.

#include "strata/http/cors.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace strata::http {
namespace {

constexpr std::string_view kAny = "*";
constexpr std::string_view kNull = "null";
constexpr std::string_view kSchemeEnd = "://";
constexpr std::string_view kAuthorization = "authorization";

// Always allowed (Fetch, "CORS-safelisted method"), and never (Fetch, "forbidden method").
constexpr std::string_view kSafeMethods[] = {"GET", "HEAD", "POST"};
constexpr std::string_view kForbiddenMethods[] = {"CONNECT", "TRACE", "TRACK"};

bool IsOneOf(std::string_view text, std::span<const std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

bool Contains(const std::vector<std::string>& all, std::string_view text) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

bool ContainsIgnoringCase(const std::vector<std::string>& all, std::string_view text) {
  return std::any_of(all.begin(), all.end(),
                     [text](const std::string& one) { return absl::EqualsIgnoreCase(one, text); });
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// Without blanks and tabs around it; nothing else may stand in a list that is repeated.
std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsHostChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// Labels with dots between them.
bool IsHostName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsHostChar) &&
         !text.starts_with('.') && !text.ends_with('.') &&
         text.find("..") == std::string_view::npos;
}

// An IPv6 address as in a URL; its own form is not looked at.
bool IsIpv6Literal(std::string_view text) {
  return text.size() > 2 && text.starts_with('[') && text.ends_with(']') &&
         text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdef:.") ==
             std::string_view::npos;
}

// What stands before every name of a wildcard, and what behind: "https://" and ".example.com:8443".
struct Wildcard {
  std::string scheme;
  std::string suffix;
};

// Why an origin is none, or null. `wildcard` is set if it has one.
const char* CheckOrigin(std::string_view text, std::optional<Wildcard>* wildcard) {
  if (text.size() > CorsPolicy::kMaxOriginBytes) return "too long";
  const std::size_t scheme_end = text.find(kSchemeEnd);
  if (scheme_end == std::string_view::npos || scheme_end == 0) return "no scheme";
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      })) {
    return "a scheme that is not of lower-case letters";
  }
  std::string_view rest = text.substr(scheme_end + kSchemeEnd.size());
  const bool has_wildcard = rest.starts_with("*.");
  if (has_wildcard) rest.remove_prefix(2);

  std::string_view host = rest;
  if (!IsIpv6Literal(rest)) {
    if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
      const std::string_view port = rest.substr(colon + 1);
      host = rest.substr(0, colon);
      if (port.empty() || port.size() > 5 || port[0] == '0' ||
          port.find_first_not_of("0123456789") != std::string_view::npos) {
        return "a port that is none";
      }
      if ((scheme == "https" && port == "443") || (scheme == "http" && port == "80")) {
        return "the port that the scheme has anyway, which browsers leave out";
      }
    }
  }
  if (!IsHostName(host) && (has_wildcard || !IsIpv6Literal(host))) {
    return "a host that is not of lower-case letters, or something behind it";
  }
  if (has_wildcard) {
    *wildcard = Wildcard{absl::StrCat(scheme, kSchemeEnd), absl::StrCat(".", rest)};
  }
  return nullptr;
}

absl::Status Bad(std::string_view what, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("CORS: \"", absl::CHexEscape(what), "\": ", why));
}

// Takes the "*" out of a list of tokens.
absl::Status CheckTokens(std::vector<std::string>& list, bool* any) {
  *any = std::erase(list, kAny) > 0;
  for (const std::string& token : list) {
    if (!IsToken(token)) return Bad(token, "no method or header");
  }
  return absl::OkStatus();
}

}  // namespace

struct CorsPolicy::State {
  bool any_origin = false;
  bool any_method = false;
  bool any_header = false;
  bool credentials = false;
  std::vector<std::string> origins;  // Sorted.
  std::vector<Wildcard> wildcards;
  std::vector<std::string> methods;
  std::vector<std::string> headers;

  // Values of fields; none is sent that is empty.
  std::string method_list;
  std::string header_list;
  std::string exposed_list;
  std::string max_age;
};

absl::StatusOr<CorsPolicy> CorsPolicy::Create(const Options& options) {
  auto state = std::make_shared<State>();
  state->credentials = options.credentials;
  for (const std::string& origin : options.origins) {
    if (origin == kAny || origin == kNull) {
      if (options.credentials) return Bad(origin, "anybody, with credentials");
      if (origin == kAny) state->any_origin = true;
      if (origin == kNull) state->origins.push_back(origin);
      continue;
    }
    std::optional<Wildcard> wildcard;
    if (const char* why = CheckOrigin(origin, &wildcard)) return Bad(origin, why);
    if (wildcard) {
      state->wildcards.push_back(*std::move(wildcard));
    } else {
      state->origins.push_back(origin);
    }
  }
  std::sort(state->origins.begin(), state->origins.end());

  state->methods = options.methods;
  state->headers = options.headers;
  std::vector<std::string> exposed = options.exposed;
  bool any_exposed = false;
  for (const auto& [list, any] :
       {std::pair(&state->methods, &state->any_method),
        std::pair(&state->headers, &state->any_header), std::pair(&exposed, &any_exposed)}) {
    if (absl::Status status = CheckTokens(*list, any); !status.ok()) return status;
  }
  for (const std::string& method : state->methods) {
    if (IsOneOf(method, kForbiddenMethods)) return Bad(method, "no browser sends it");
  }
  if (any_exposed && options.credentials) return Bad(kAny, "exposed, with credentials");

  // With credentials a "*" means itself: then what was asked for is repeated instead.
  const auto list_with_any = [&options](std::vector<std::string> list, bool any) {
    if (any && !options.credentials) list.emplace_back(kAny);
    return absl::StrJoin(list, ", ");
  };
  state->method_list = list_with_any(state->methods, state->any_method);
  state->header_list = list_with_any(state->headers, state->any_header);
  state->exposed_list = list_with_any(std::move(exposed), any_exposed);
  if (options.max_age) {
    if (options.max_age->count() < 0)
      return absl::InvalidArgumentError("CORS: max_age is negative");
    state->max_age = absl::StrCat(options.max_age->count());
  }
  return CorsPolicy(std::move(state));
}

bool CorsPolicy::AllowsOrigin(std::string_view origin) const {
  if (origin.empty() || origin.size() > kMaxOriginBytes) return false;
  if (state_->any_origin) return true;
  if (std::binary_search(state_->origins.begin(), state_->origins.end(), origin)) return true;
  for (const Wildcard& wildcard : state_->wildcards) {
    if (!origin.starts_with(wildcard.scheme) || !origin.ends_with(wildcard.suffix) ||
        origin.size() <= wildcard.scheme.size() + wildcard.suffix.size()) {
      continue;
    }
    // Labels of a host, and nothing that could make another one out of the suffix.
    const std::size_t size = origin.size() - wildcard.scheme.size() - wildcard.suffix.size();
    if (IsHostName(origin.substr(wildcard.scheme.size(), size))) return true;
  }
  return false;
}

bool CorsPolicy::AllowsMethod(std::string_view method) const {
  if (IsOneOf(method, kSafeMethods) || Contains(state_->methods, method)) return true;
  return state_->any_method && method.size() <= kMaxMethodBytes && IsToken(method) &&
         !IsOneOf(method, kForbiddenMethods);
}

bool CorsPolicy::AllowsHeaders(std::string_view list) const {
  std::size_t count = 0;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = Trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (name.empty()) continue;
    if (++count > kMaxRequestedHeaders || !IsToken(name)) return false;
    if (ContainsIgnoringCase(state_->headers, name)) continue;
    if (!state_->any_header || absl::EqualsIgnoreCase(name, kAuthorization)) return false;
  }
  return true;
}

void CorsPolicy::AddOrigin(std::string_view origin, Decision& decision) const {
  decision.Add("Access-Control-Allow-Origin", state_->any_origin ? kAny : origin);
  if (state_->credentials) decision.Add("Access-Control-Allow-Credentials", "true");
}

CorsPolicy::Decision CorsPolicy::Preflight(std::string_view origin,
                                           std::string_view requested_method,
                                           std::string_view requested_headers) const {
  Decision decision;
  decision.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  decision.allowed =
      AllowsOrigin(origin) && AllowsMethod(requested_method) && AllowsHeaders(requested_headers);
  if (!decision.allowed) return decision;
  AddOrigin(origin, decision);
  const std::string_view methods =
      state_->any_method && state_->credentials ? requested_method : state_->method_list;
  if (!methods.empty()) decision.Add("Access-Control-Allow-Methods", methods);
  const std::string_view headers =
      state_->any_header && state_->credentials ? requested_headers : state_->header_list;
  if (!headers.empty()) decision.Add("Access-Control-Allow-Headers", headers);
  if (!state_->max_age.empty()) decision.Add("Access-Control-Max-Age", state_->max_age);
  return decision;
}

CorsPolicy::Decision CorsPolicy::Actual(std::string_view origin) const {
  Decision decision;
  // The answer to one origin is not that to another; but for all being answered alike.
  if (!state_->any_origin) decision.Add("Vary", "Origin");
  // "*" stands also where nobody asked: a cache may have the answer for who does.
  const bool allowed = state_->any_origin || AllowsOrigin(origin);
  decision.allowed = allowed || origin.empty();
  if (!allowed) return decision;
  AddOrigin(origin, decision);
  if (!state_->exposed_list.empty()) {
    decision.Add("Access-Control-Expose-Headers", state_->exposed_list);
  }
  return decision;
}

}  // namespace strata::http
