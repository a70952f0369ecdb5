// What the schemes have in common.

#ifndef STRATA_HTTP_AUTH_INTERNAL_H_
#define STRATA_HTTP_AUTH_INTERNAL_H_

#include <optional>
#include <string_view>

#include "strata/http/auth.h"
#include "strata/http/authorization.h"

namespace strata::http {

// The one Authorization field, if it is of `scheme`. None if there is none, or it is of another
// scheme. `malformed` is set if it cannot be read, or there are several.
std::optional<Authorization> FindAuthorization(const Request& request, std::string_view scheme,
                                               bool& malformed);

// 401 with this challenge.
void Challenge(Response& response, std::string_view challenge);

void AttachUser(Request& request, AuthenticatedUser user);

}  // namespace strata::http

#endif  // STRATA_HTTP_AUTH_INTERNAL_H_
