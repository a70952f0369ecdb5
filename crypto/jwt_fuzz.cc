// Feeds tokens to a verifier, and texts to the reader of claims behind it: claims that are accepted
// can be written, and read again as they were.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "strata/crypto/jwt.h"
#include "strata/crypto/jwt_claims_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // The files of the corpus end with a line, as all files do.
  if (text.ends_with('\n')) text.remove_suffix(1);
  static constexpr std::array<std::uint8_t, 32> kKey = {1, 2, 3};
  static const strata::crypto::JwtVerifier& verifier =
      *new strata::crypto::JwtVerifier(strata::crypto::JwtVerifier::CreateHs256(kKey).value());
  (void)verifier.VerifyPayload(text);

  const absl::StatusOr<strata::crypto::JwtClaims> claims = strata::crypto::ReadClaims(text);
  if (!claims.ok()) return 0;
  const absl::StatusOr<std::string> written = strata::crypto::WriteClaims(*claims);
  if (!written.ok()) std::abort();
  const absl::StatusOr<strata::crypto::JwtClaims> again = strata::crypto::ReadClaims(*written);
  if (!again.ok() || again->issuer != claims->issuer || again->audience != claims->audience ||
      again->expires != claims->expires || again->texts != claims->texts) {
    std::abort();
  }
  return 0;
}
