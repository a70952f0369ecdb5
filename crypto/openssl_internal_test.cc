#include "strata/crypto/openssl_internal.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

namespace strata::crypto {
namespace {

// Leaves errors in the queue, as a failed call does.
void FailToParse() {
  const unsigned char not_der[] = {0x01, 0x02};
  const unsigned char* at = not_der;
  ASSERT_EQ(d2i_X509(nullptr, &at, sizeof(not_der)), nullptr);
  ASSERT_NE(ERR_peek_error(), 0u);
}

TEST(OpenSslFailureTest, TellsNoReasonAndEmptiesTheQueue) {
  FailToParse();
  absl::Status status = OpenSslFailure(absl::StatusCode::kUnauthenticated, "no");
  EXPECT_EQ(status, absl::UnauthenticatedError("no"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(OpenSslFormatErrorTest, TellsTheReasonAndEmptiesTheQueue) {
  FailToParse();
  absl::Status status = OpenSslFormatError("certificate");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message().substr(0, 13), "certificate: ");
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(OpenSslFormatErrorTest, NeedsNoReason) {
  ClearOpenSslErrors();
  EXPECT_EQ(OpenSslFormatError("certificate"), absl::InvalidArgumentError("certificate"));
}

TEST(OpenSslPtrTest, FreesEachKindOfObject) {
  OpenSslPtr<EVP_PKEY> key(EVP_PKEY_new());
  OpenSslPtr<X509> certificate(X509_new());
  OpenSslPtr<STACK_OF(X509)> chain(sk_X509_new_null());
  sk_X509_push(chain.get(), certificate.release());
  OpenSslPtr<BIO> memory(BIO_new(BIO_s_mem()));
  OpenSslPtr<ASN1_STRING> text(ASN1_STRING_new());
  EXPECT_NE(key, nullptr);
  EXPECT_NE(memory, nullptr);
  EXPECT_NE(text, nullptr);
}

}  // namespace
}  // namespace strata::crypto
