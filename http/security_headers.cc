// Header fields that make browsers careful.

#include "strata/http/security_headers.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace strata::http {
namespace {

constexpr std::string_view kFrameAncestors = "frame-ancestors";
constexpr std::chrono::hours kPreloadMinimum{24 * 365};

constexpr std::string_view kReferrerPolicies[] = {
    "no-referrer", "no-referrer-when-downgrade",      "origin",
    "same-origin", "origin-when-cross-origin",        "strict-origin",
    "unsafe-url",  "strict-origin-when-cross-origin",
};

absl::Status Bad(std::string_view name, std::string_view value, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": \"", absl::CHexEscape(value), "\": ", why));
}

// Visible ASCII with single blanks or more between: nothing that could end the field.
bool IsFieldText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
         !text.starts_with(' ') && !text.ends_with(' ');
}

bool HasFrameAncestors(std::string_view policy) {
  for (std::string_view directive : absl::StrSplit(policy, absl::ByAnyChar(";,"))) {
    directive = absl::StripAsciiWhitespace(directive);
    if (absl::EqualsIgnoreCase(directive.substr(0, directive.find(' ')), kFrameAncestors)) {
      return true;
    }
  }
  return false;
}

}  // namespace

struct SecurityHeaders::State {
  void Add(std::string_view name, std::string value) {
    if (!value.empty()) fields.push_back({name, values.emplace_back(std::move(value))});
  }

  std::deque<std::string> values;  // Which stay where they are.
  std::vector<FieldView> fields;   // Of which the last is
  bool has_hsts = false;           // for secure connections alone, if this is true.
};

absl::StatusOr<SecurityHeaders> SecurityHeaders::Create(const Options& options) {
  struct Named {
    std::string_view name;
    const std::string& value;
  };
  const Named named[] = {
      {"Referrer-Policy", options.referrer_policy},
      {"Permissions-Policy", options.permissions_policy},
      {"Cross-Origin-Opener-Policy", options.cross_origin_opener_policy},
      {"Cross-Origin-Embedder-Policy", options.cross_origin_embedder_policy},
      {"Cross-Origin-Resource-Policy", options.cross_origin_resource_policy},
  };
  constexpr std::string_view kCspName = "Content-Security-Policy";
  for (const Named& each : named) {
    if (!IsFieldText(each.value)) return Bad(each.name, each.value, "no text of a header field");
  }
  std::string csp = options.content_security_policy;
  if (!IsFieldText(csp)) return Bad(kCspName, csp, "no text of a header field");
  if (!options.referrer_policy.empty()) {
    for (std::string_view policy : absl::StrSplit(options.referrer_policy, ',')) {
      policy = absl::StripAsciiWhitespace(policy);
      if (std::find(std::begin(kReferrerPolicies), std::end(kReferrerPolicies), policy) ==
          std::end(kReferrerPolicies)) {
        return Bad("Referrer-Policy", policy, "no policy");
      }
    }
  }

  auto state = std::make_shared<State>();
  if (options.no_sniff) state->Add("X-Content-Type-Options", "nosniff");
  if (options.framing != Framing::kAnybody) {
    if (HasFrameAncestors(csp)) return Bad(kCspName, csp, "frame-ancestors is what framing says");
    const bool nobody = options.framing == Framing::kNobody;
    state->Add("X-Frame-Options", nobody ? "DENY" : "SAMEORIGIN");
    while (csp.ends_with(';') || csp.ends_with(' ')) csp.pop_back();
    // Policies are separated by commas, and each has to hold: so it is enough in one of them.
    absl::StrAppend(&csp, csp.empty() ? "" : "; ", kFrameAncestors, nobody ? " 'none'" : " 'self'");
  }
  state->Add(kCspName, std::move(csp));
  for (const Named& each : named) state->Add(each.name, each.value);

  if (options.hsts_preload &&
      (options.hsts_max_age < kPreloadMinimum || !options.hsts_subdomains)) {
    return absl::InvalidArgumentError(
        "Strict-Transport-Security: preload needs a year and subdomains");
  }
  if (options.hsts_max_age.count() >= 0) {
    state->Add("Strict-Transport-Security",
               absl::StrCat("max-age=", options.hsts_max_age.count(),
                            options.hsts_subdomains ? "; includeSubDomains" : "",
                            options.hsts_preload ? "; preload" : ""));
    state->has_hsts = true;
  }
  return SecurityHeaders(std::move(state));
}

std::span<const FieldView> SecurityHeaders::For(bool secure) const {
  const std::span<const FieldView> all = state_->fields;
  return secure || !state_->has_hsts ? all : all.first(all.size() - 1);
}

}  // namespace strata::http
