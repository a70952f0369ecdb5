#include "strata/http/middleware.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/request_id.h"

namespace strata::http {
namespace {

void Refuse(const RateDecision& decision, Response& response) {
  // Whole seconds, so that who comes back then is let through.
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(decision.retry_after);
  if (decision.retry_after != std::chrono::nanoseconds::max()) {
    response.Set(FieldId::kRetryAfter, absl::StrCat(seconds.count()));
  }
  response.SendError(429);
}

}  // namespace

Middleware LimitRate(std::shared_ptr<RateLimiter> limiter) {
  return [limiter = std::move(limiter)](Request& request, Response& response) {
    const RateDecision decision =
        limiter->Allow(request.client(), std::chrono::steady_clock::now());
    if (!decision.allowed) Refuse(decision, response);
  };
}

Middleware LimitRateByKey(std::shared_ptr<RateLimiter> limiter,
                          std::function<std::string(const Request&)> key) {
  return
      [limiter = std::move(limiter), key = std::move(key)](Request& request, Response& response) {
        const std::string name = key(request);
        if (name.empty()) return;
        const RateDecision decision = limiter->Allow(name, std::chrono::steady_clock::now());
        if (!decision.allowed) Refuse(decision, response);
      };
}

Middleware AllowOrigins(CorsPolicy policy) {
  return [policy = std::move(policy)](Request& request, Response& response) {
    // Several of one of them are none that is allowed: see cors.h.
    const std::string origin = request.fields().GetAll(FieldId::kOrigin);
    const std::string method = request.fields().GetAll(FieldId::kAccessControlRequestMethod);
    const std::string headers = request.fields().GetAll(FieldId::kAccessControlRequestHeaders);
    const bool preflight = CorsPolicy::IsPreflight(request.method_text(), origin, method);
    const CorsPolicy::Decision decision =
        preflight ? policy.Preflight(origin, method, headers) : policy.Actual(origin);
    for (const FieldView& field : decision.fields()) {
      if (FieldIdOf(field.name) == FieldId::kVary) {
        response.head().Vary(field.value);
      } else {
        response.Add(field.name, field.value);
      }
    }
    if (!preflight) return;
    if (decision.allowed) {
      response.SendNothing();
    } else {
      response.SendError(403);
    }
  };
}

Middleware AddSecurityHeaders(SecurityHeaders headers) {
  return [headers = std::move(headers)](Request& request, Response& response) {
    for (const FieldView& field : headers.For(request.secure())) {
      response.Add(field.name, field.value);
    }
  };
}

Middleware NameRequests(bool take_over) {
  return [take_over](Request& request, Response& response) {
    const std::string_view sent = request.field(FieldId::kXRequestId).value_or("");
    if (take_over && IsRequestId(sent)) {
      response.Set(FieldId::kXRequestId, sent);
    } else {
      // A loop is a thread.
      thread_local RequestIdGenerator ids;
      response.Set(FieldId::kXRequestId, ids.Next().view());
    }
  };
}

}  // namespace strata::http
