// Feeds bytes to the reader of certificates, and looks at all that it accepts.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "strata/crypto/x509.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using strata::crypto::Certificate;
  const absl::StatusOr<Certificate> certificate = Certificate::FromDer(std::span(data, size));
  if (!certificate.ok()) return 0;
  (void)certificate->subject();
  (void)certificate->issuer();
  (void)certificate->serial_number();
  (void)certificate->ip_addresses();
  (void)certificate->public_key();
  (void)certificate->is_authority();
  if (certificate->not_after().time_since_epoch().count() < 0) std::abort();
  for (const std::string& name : certificate->dns_names()) (void)certificate->MatchesHost(name);
  const absl::StatusOr<Certificate> again = Certificate::FromPem(certificate->ToPem());
  if (!again.ok() || *again != *certificate) std::abort();
  return 0;
}
