// OpenSSL's queue of errors, turned into a Status.

#include "strata/crypto/openssl_internal.h"

#include <openssl/err.h>

#include "absl/strings/str_cat.h"

namespace strata::crypto {

absl::Status OpenSslFailure(absl::StatusCode code, std::string_view what) {
  ClearOpenSslErrors();
  return absl::Status(code, what);
}

absl::Status OpenSslFormatError(std::string_view what) {
  // The first error is the deepest one: later ones say which call passed it on.
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  absl::Status status = reason == nullptr
                            ? absl::InvalidArgumentError(what)
                            : absl::InvalidArgumentError(absl::StrCat(what, ": ", reason));
  ClearOpenSslErrors();
  return status;
}

void ClearOpenSslErrors() { ERR_clear_error(); }

}  // namespace strata::crypto
