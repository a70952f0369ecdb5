#include "strata/crypto/x509.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/crypto/openssl_internal.h"
#include "strata/crypto/testing/vectors.h"

namespace strata::crypto {
namespace {

using std::chrono::hours;
using std::chrono::system_clock;
using testing::Bytes;
using testing::ReadTestFile;

std::string File(std::string_view name) {
  return ReadTestFile(absl::StrCat("x509/", name, ".pem"));
}
Certificate Read(std::string_view name) { return Certificate::FromPem(File(name)).value(); }
TrustStore Trust(std::string_view name) { return TrustStore::FromPem(File(name)).value(); }

class X509Test : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "an error was left in the queue"; }
};

TEST_F(X509Test, ACertificateIsReadAsItIs) {
  const Certificate server = Read("server");
  EXPECT_EQ(server.subject(), "CN=server,O=Strata tests");
  EXPECT_EQ(server.issuer(), "CN=intermediate,O=Strata tests");
  EXPECT_EQ(server.dns_names(),
            (std::vector<std::string>{"www.example.com", "*.wild.example.com"}));
  EXPECT_EQ(server.ip_addresses(), (std::vector<std::string>{"192.0.2.1", "2001:db8:0:0:0:0:0:1"}));
  EXPECT_FALSE(server.is_authority());
  EXPECT_TRUE(Read("intermediate").is_authority());
  EXPECT_GT(server.serial_number().size(), 10u);
  EXPECT_LT(server.not_before(), system_clock::now());
  EXPECT_GT(server.not_after(), system_clock::now() + hours(24 * 365 * 50));
  EXPECT_EQ(server.public_key().value(), PrivateKey::FromPem(File("server_key"))->public_key());
  EXPECT_EQ(Certificate::FromDer(server.ToDer()).value(), server);
  EXPECT_EQ(server.fingerprint(), Certificate::FromPem(server.ToPem())->fingerprint());
}

TEST_F(X509Test, WhatIsNoCertificateIsRefused) {
  const std::vector<std::uint8_t> der = Read("server").ToDer();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(Certificate::FromDer(std::span(der).first(size)).status()))
        << size;
  }
  Bytes longer(der);
  longer.push_back(0);
  EXPECT_TRUE(absl::IsInvalidArgument(Certificate::FromDer(longer).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Certificate::FromDer(Bytes(kMaxCertificateBytes + 1, 0)).status()));
  EXPECT_FALSE(Certificate::FromPem(File("server_key")).ok());
  EXPECT_FALSE(Certificate::FromPem(File("server") + File("root")).ok());
  EXPECT_FALSE(Certificate::AllFromPem(File("server") + File("server_key")).ok());
  EXPECT_EQ(Certificate::AllFromPem(File("server") + File("root"))->size(), 2u);
  EXPECT_FALSE(TrustStore::FromPem("").ok());
  EXPECT_FALSE(TrustStore::FromCertificates({}).ok());
}

TEST_F(X509Test, HostsAreMatchedByAlternativeNamesAlone) {
  const Certificate server = Read("server");
  for (const char* host :
       {"www.example.com", "WWW.Example.COM", "a.wild.example.com", "192.0.2.1", "2001:db8::1"}) {
    EXPECT_TRUE(server.MatchesHost(host)) << host;
  }
  for (const char* host :
       {"", "example.com", "www.example.com.evil.org", "a.b.wild.example.com", "wild.example.com",
        ".wild.example.com", "*.wild.example.com.", "192.0.2.2", "2001:db8::2", "server",
        "www.example.comx", "192.0.2.1.", "www.example.com:443"}) {
    EXPECT_FALSE(server.MatchesHost(host)) << host;
  }
  using namespace std::string_view_literals;
  EXPECT_FALSE(server.MatchesHost("www.example.com\0.evil.org"sv));
  EXPECT_FALSE(Read("no_names").MatchesHost("no_names")) << "the common name is no host";
}

TEST_F(X509Test, AGoodChainIsVerified) {
  EXPECT_TRUE(VerifyCertificate(Read("server"), Trust("root"),
                                {.host = "www.example.com",
                                 .intermediates = {Read("other_root"), Read("intermediate")}})
                  .ok());
  EXPECT_TRUE(VerifyCertificate(
                  Read("client"), Trust("root"),
                  {.purpose = CertificatePurpose::kClient, .intermediates = {Read("intermediate")}})
                  .ok());
  EXPECT_TRUE(VerifyCertificate(Read("server"), Trust("intermediate"), {}).ok())
      << "an authority may be trusted without its root";
  EXPECT_TRUE(VerifyCertificate(Read("server"), Trust("server"), {}).ok());
}

struct BadChain {
  const char* name;
  const char* leaf;
  const char* trusted;
  CertificateVerification verification;
  absl::StatusCode code;
};

TEST_F(X509Test, BadChainsAreRefused) {
  using enum absl::StatusCode;
  const std::vector<Certificate> between = {Read("intermediate")};
  const system_clock::time_point now = system_clock::now();
  const BadChain chains[] = {
      {"another root", "server", "other_root", {.intermediates = between}, kUnauthenticated},
      {"a link is missing", "server", "root", {}, kUnauthenticated},
      {"another host",
       "server",
       "root",
       {.host = "example.org", .intermediates = between},
       kPermissionDenied},
      {"no names",
       "no_names",
       "root",
       {.host = "no_names", .intermediates = between},
       kPermissionDenied},
      {"a client's", "client", "root", {.intermediates = between}, kPermissionDenied},
      {"a server's",
       "server",
       "root",
       {.purpose = CertificatePurpose::kClient, .intermediates = between},
       kPermissionDenied},
      {"expired",
       "server",
       "root",
       {.intermediates = between, .now = now + hours(24 * 366 * 100)},
       kFailedPrecondition},
      {"not yet valid",
       "server",
       "root",
       {.intermediates = between, .now = now - hours(24 * 366 * 30)},
       kFailedPrecondition},
      {"the path is too long",
       "below_too_deep",
       "root",
       {.intermediates = {Read("intermediate"), Read("too_deep")}},
       kUnauthenticated},
      {"the issuer is no authority",
       "below_server",
       "root",
       {.intermediates = {Read("intermediate"), Read("server")}},
       kUnauthenticated},
      {"outside its issuer's names",
       "outside",
       "root",
       {.intermediates = {Read("constrained")}},
       kUnauthenticated},
      {"an unknown critical extension",
       "unknown_critical",
       "root",
       {.intermediates = between},
       kUnauthenticated},
      {"deeper than asked for",
       "server",
       "root",
       {.intermediates = between, .max_depth = 0},
       kUnauthenticated},
  };
  for (const BadChain& chain : chains) {
    const absl::Status status =
        VerifyCertificate(Read(chain.leaf), Trust(chain.trusted), chain.verification);
    EXPECT_EQ(status.code(), chain.code) << chain.name << ": " << status;
  }
}

TEST_F(X509Test, AChangedCertificateIsRefused) {
  std::vector<std::uint8_t> der = Read("server").ToDer();
  der.back() ^= 1;  // Of the signature.
  const absl::StatusOr<Certificate> changed = Certificate::FromDer(der);
  if (!changed.ok()) return;
  EXPECT_TRUE(absl::IsUnauthenticated(
      VerifyCertificate(*changed, Trust("root"), {.intermediates = {Read("intermediate")}})));
}

TEST_F(X509Test, SelfSignedCertificatesServeAsTheirOwnAuthority) {
  for (const KeyType type : {KeyType::kEd25519, KeyType::kP256, KeyType::kP384, KeyType::kRsa}) {
    SCOPED_TRACE(KeyTypeName(type));
    const PrivateKey key = PrivateKey::Generate(type, 2048).value();
    const absl::StatusOr<Certificate> certificate = MakeSelfSignedCertificate(
        key,
        {.organization = "Ünïcode", .dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1"}});
    ASSERT_TRUE(certificate.ok()) << certificate.status();
    EXPECT_EQ(certificate->public_key().value(), key.public_key());
    const TrustStore store = TrustStore::FromCertificates({{*certificate}}).value();
    EXPECT_TRUE(VerifyCertificate(*certificate, store, {.host = "localhost"}).ok());
    EXPECT_TRUE(VerifyCertificate(*certificate, store, {.host = "127.0.0.1"}).ok());
    EXPECT_TRUE(absl::IsUnauthenticated(VerifyCertificate(*certificate, Trust("root"), {})));
  }
}

TEST_F(X509Test, RequestsAreMadeAsAuthoritiesReadThem) {
  const PrivateKey key = PrivateKey::Generate(KeyType::kP256).value();
  const absl::StatusOr<std::string> pem =
      MakeCertificateRequest(key, {.dns_names = {"a.example", "*.b.example"}});
  ASSERT_TRUE(pem.ok()) << pem.status();
  EXPECT_TRUE(pem->starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  const OpenSslPtr<BIO> bio(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  const OpenSslPtr<X509_REQ> request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
  const OpenSslPtr<STACK_OF(X509_EXTENSION)> extensions(X509_REQ_get_extensions(request.get()));
  EXPECT_EQ(sk_X509_EXTENSION_num(extensions.get()), 1);
}

TEST_F(X509Test, SubjectsThatCannotBeAreRefused) {
  const PrivateKey key = PrivateKey::Generate(KeyType::kP256).value();
  const CertificateSubject bad[] = {
      {},
      {.dns_names = {""}},
      {.dns_names = {"a b"}},
      {.dns_names = {"a..b"}},
      {.dns_names = {"-a"}},
      {.dns_names = {"a.*.b"}},
      {.dns_names = {std::string(254, 'a')}},
      {.dns_names = {std::string("a\0b", 3)}},
      {.dns_names = {"b\xc3\xbc"
                     "cher.example"}},
      {.ip_addresses = {"localhost"}},
      {.ip_addresses = {"300.1.1.1"}},
      {.common_name = std::string(65, 'a'), .dns_names = {"a"}},
      {.common_name = "\xff", .dns_names = {"a"}},
      {.dns_names = std::vector<std::string>(101, "a")},
  };
  for (const CertificateSubject& subject : bad) {
    const absl::Status status = MakeSelfSignedCertificate(key, subject).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_FALSE(MakeCertificateRequest(key, subject).ok());
  }
  const CertificateSubject good = {.dns_names = {"localhost"}};
  EXPECT_FALSE(MakeSelfSignedCertificate(key, good, hours(0)).ok());
  EXPECT_FALSE(MakeSelfSignedCertificate(key, good, hours(24 * 4000)).ok());
  EXPECT_FALSE(
      MakeSelfSignedCertificate(PrivateKey::Generate(KeyType::kX25519).value(), good).ok());
}

}  // namespace
}  // namespace strata::crypto
