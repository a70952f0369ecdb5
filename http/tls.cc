#include "strata/http/tls.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace strata::http {

ConnectionLayer TlsLayer(std::shared_ptr<const crypto::TlsServerContext> context,
                         const net::TlsStreamOptions& options) {
  return [context = std::move(context), options](std::unique_ptr<net::StreamHandler> handler) {
    return net::AcceptTls(context, std::move(handler), options);
  };
}

Middleware RedirectToHttps(HttpsRedirectOptions options) {
  return [options = std::move(options)](Request& request, Response& response) {
    if (request.secure()) return;
    const std::string_view host = options.host.empty() ? request.host() : options.host;
    if (host.empty()) return response.SendError(400, "no host to send to\n");
    std::string location = absl::StrCat("https://", host);
    if (options.port != 443) absl::StrAppend(&location, ":", options.port);
    absl::StrAppend(&location, request.path());
    if (!request.head().query.empty()) absl::StrAppend(&location, "?", request.head().query);
    response.Redirect(options.status, location);
  };
}

}  // namespace strata::http
