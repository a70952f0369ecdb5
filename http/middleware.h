// File: middleware.h
//
// Middlewares made of the rules beside them: rate_limit.h, cors.h, security_headers.h,
// request_id.h.
//
//   router.UseAlways(NameRequests());
//   router.UseAlways(AddSecurityHeaders(headers));
//   router.UseAlways(AllowOrigins(policy));
//   router.Use(LimitRate(limiter));
//
// UseAlways() is for what every answer has to have, errors too.

#ifndef STRATA_HTTP_MIDDLEWARE_H_
#define STRATA_HTTP_MIDDLEWARE_H_

#include <functional>
#include <memory>
#include <string>

#include "strata/http/cors.h"
#include "strata/http/handler.h"
#include "strata/http/rate_limit.h"
#include "strata/http/security_headers.h"

namespace strata::http {

// 429 with Retry-After to a client (Request::client()) that asks too often.
Middleware LimitRate(std::shared_ptr<RateLimiter> limiter);

// The same by a key of the request's, such as that of an API; one with an empty key is not limited.
Middleware LimitRateByKey(std::shared_ptr<RateLimiter> limiter,
                          std::function<std::string(const Request&)> key);

// Answers preflights (204, or 403 to what is not allowed), and adds the fields of other answers.
Middleware AllowOrigins(CorsPolicy policy);

Middleware AddSecurityHeaders(SecurityHeaders headers);

// Gives each answer the field X-Request-Id. With `take_over`, the one that the request has, if it
// is an id: only where a proxy of one's own sets it.
Middleware NameRequests(bool take_over = false);

}  // namespace strata::http

#endif  // STRATA_HTTP_MIDDLEWARE_H_
