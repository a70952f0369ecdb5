#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "strata/crypto/testing/vectors.h"
#include "strata/crypto/tls_context.h"
#include "strata/crypto/tls_internal.h"
#include "strata/crypto/tls_session.h"

#ifdef __SANITIZE_THREAD__
// OpenSSL counts the references of a session by atomic operations that the sanitizer does not see,
// as the library is not built with it: so it takes a session's last release for a race with those
// who had read it before they released it.
extern "C" const char* __tsan_default_suppressions() {
  return "race:SSL_SESSION_free\nrace:OPENSSL_sk_free\n";
}
#endif

namespace strata::crypto {
namespace {

using testing::AsText;
using testing::ReadTestFile;
using testing::ReadVectors;

std::string File(std::string_view name) {
  return ReadTestFile(absl::StrCat("x509/", name, ".pem"));
}

TrustStore Trust(std::string_view name) { return TrustStore::FromPem(File(name)).value(); }

std::shared_ptr<const TlsIdentity> Identity(std::string_view name) {
  return TlsIdentity::FromPem(File(name) + File("intermediate"), File(absl::StrCat(name, "_key")))
      .value();
}

// A self-signed one, and the store that trusts it.
struct OwnIdentity {
  std::shared_ptr<const TlsIdentity> identity;
  TrustStore trust;
};
OwnIdentity MakeIdentity(std::string_view host, KeyType type = KeyType::kP256) {
  PrivateKey key = PrivateKey::Generate(type, 2048).value();
  Certificate certificate =
      MakeSelfSignedCertificate(key, {.dns_names = {std::string(host)}}).value();
  TrustStore trust = TrustStore::FromCertificates({{certificate}}).value();
  return {TlsIdentity::Create({std::move(certificate)}, std::move(key)).value(), std::move(trust)};
}

std::shared_ptr<TlsServerContext> Server(const TlsServerOptions& options = {}) {
  return TlsServerContext::Create(Identity("server"), options).value();
}

std::shared_ptr<TlsClientContext> Client(TlsClientOptions options = {}) {
  if (!options.authorities.has_value()) options.authorities = Trust("root");
  return TlsClientContext::Create(options).value();
}

// One end: what it has received, and what is on its way to the other.
struct End {
  TlsSession session;
  std::string outgoing = {};
  std::string received = {};
  TlsResult last = TlsResult::kOk;

  void Take(std::string_view bytes) {
    session.Lend(bytes);
    std::array<char, kTlsMaxPlaintextBytes> buffer;
    std::size_t size = 0;
    if (!session.established()) last = session.Handshake(outgoing);
    while (session.established() &&
           (last = session.Read(buffer, size, outgoing)) == TlsResult::kOk) {
      received.append(buffer.data(), size);
    }
  }
};

// Carries bytes to and fro, in pieces of up to `piece`, until nothing moves.
void Exchange(End& a, End& b, std::size_t piece = std::string::npos) {
  if (!a.session.established()) a.Take({});
  while (!a.outgoing.empty() || !b.outgoing.empty()) {
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const std::string bytes = std::exchange(from->outgoing, {});
      for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size())) {
        to->Take(std::string_view(bytes).substr(at, piece));
      }
    }
  }
}

struct Pair {
  End client;
  End server;
};

Pair Sessions(TlsClientContext& client, TlsServerContext& server,
              std::string_view host = "www.example.com") {
  return {{client.NewSession(host).value()}, {server.NewSession().value()}};
}

// Both contexts' sessions after the handshake, good or not.
Pair Connect(TlsClientContext& client, TlsServerContext& server,
             std::string_view host = "www.example.com") {
  Pair pair = Sessions(client, server, host);
  Exchange(pair.client, pair.server);
  return pair;
}

bool Established(const Pair& pair) {
  return pair.client.session.established() && pair.server.session.established() &&
         pair.client.session.status().ok() && pair.server.session.status().ok();
}

void SetMaxVersion(End& end, int version) {
  SSL_set_max_proto_version(TlsSessionAccess::StateOf(end.session).ssl.get(), version);
}

class TlsTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(ERR_peek_error(), 0u) << "an error was left in the queue"; }
};

TEST_F(TlsTest, BothEndsAgreeAndTalk) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair pair = Sessions(*Client(), *Server());
    SetMaxVersion(pair.client, version);
    Exchange(pair.client, pair.server);
    ASSERT_TRUE(Established(pair)) << pair.client.session.status() << pair.server.session.status();
    EXPECT_EQ(pair.client.session.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(pair.server.session.version(), pair.client.session.version());
    EXPECT_EQ(pair.server.session.cipher(), pair.client.session.cipher());
    EXPECT_EQ(pair.server.session.server_name(), "www.example.com");
    EXPECT_FALSE(pair.client.session.resumed());
    EXPECT_EQ(pair.client.session.peer_chain().size(), 2u);
    EXPECT_EQ(pair.client.session.peer_chain()[0].subject(), "CN=server,O=Strata tests");
    EXPECT_TRUE(pair.server.session.peer_chain().empty());

    EXPECT_EQ(pair.client.session.Write("to the server", pair.client.outgoing), TlsResult::kOk);
    EXPECT_EQ(pair.server.session.Write("to the client", pair.server.outgoing), TlsResult::kOk);
    Exchange(pair.client, pair.server);
    EXPECT_EQ(pair.server.received, "to the server");
    EXPECT_EQ(pair.client.received, "to the client");
  }
}

TEST_F(TlsTest, WhereBytesAreCutMakesNoDifference) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const std::size_t piece : {1, 2, 5, 1000}) {
    Pair pair = Sessions(*Client(), *Server());
    Exchange(pair.client, pair.server, piece);
    ASSERT_TRUE(Established(pair));
    std::string text(std::uniform_int_distribution<std::size_t>(1, 100'000)(random), 'x');
    for (char& c : text) c = static_cast<char>(random());
    pair.client.session.Write(text, pair.client.outgoing);
    Exchange(pair.client, pair.server, piece);
    EXPECT_TRUE(pair.server.received == text);
  }
}

TEST_F(TlsTest, EachTypeOfKeyServes) {
  for (const KeyType type : {KeyType::kEd25519, KeyType::kP256, KeyType::kP384, KeyType::kRsa}) {
    const OwnIdentity own = MakeIdentity("localhost", type);
    const auto server = TlsServerContext::Create(own.identity).value();
    EXPECT_TRUE(Established(Connect(*Client({.authorities = own.trust}), *server, "localhost")))
        << KeyTypeName(type);
  }
}

TEST_F(TlsTest, OutputHasItsBound) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Pair pair = Sessions(*Client(), *Server());
    SetMaxVersion(pair.client, version);
    Exchange(pair.client, pair.server);
    for (const std::size_t size : {1, 16383, 16384, 16385, 200'000}) {
      std::string output;
      pair.client.session.Write(std::string(size, 'x'), output);
      EXPECT_LE(output.size(), TlsCiphertextBound(size));
      EXPECT_GT(output.size(), size);
    }
  }
}

TEST_F(TlsTest, TheServerIsVerified) {
  EXPECT_TRUE(Established(Connect(*Client(), *Server(), "www.example.com")));
  EXPECT_TRUE(Established(Connect(*Client(), *Server(), "WWW.example.com.")));
  EXPECT_TRUE(Established(Connect(*Client(), *Server(), "a.wild.example.com")));
  EXPECT_TRUE(Established(Connect(*Client(), *Server(), "192.0.2.1")));
  EXPECT_TRUE(Established(Connect(*Client(), *Server(), "2001:db8::1")));
  const struct {
    const char* host;
    const char* authority;
    absl::StatusCode code;
  } bad[] = {{"example.org", "root", absl::StatusCode::kPermissionDenied},
             {"192.0.2.2", "root", absl::StatusCode::kPermissionDenied},
             {"a.b.wild.example.com", "root", absl::StatusCode::kPermissionDenied},
             {"www.example.com", "other_root", absl::StatusCode::kUnauthenticated}};
  for (const auto& [host, authority, code] : bad) {
    const Pair pair = Connect(*Client({.authorities = Trust(authority)}), *Server(), host);
    EXPECT_EQ(pair.client.session.status().code(), code) << pair.client.session.status();
    EXPECT_FALSE(pair.client.session.established());
    // The alert says it to the server.
    EXPECT_TRUE(absl::IsAborted(pair.server.session.status())) << pair.server.session.status();
  }
  const Pair any = Connect(
      *Client({.authorities = Trust("other_root"), .dangerously_accept_any_certificate = true}),
      *Server(), "example.org");
  EXPECT_TRUE(Established(any));
}

TEST_F(TlsTest, HostsThatAreNoneAreRefused) {
  const auto client = Client();
  for (const std::string& host :
       {std::string(), std::string("."), std::string(".example.com"), std::string("a b"),
        std::string("a\0b", 3), std::string("\xc3\xa9"), std::string(300, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(client->NewSession(host).status())) << host;
  }
}

TEST_F(TlsTest, ProtocolsAreAgreedOn) {
  const auto server = Server({.alpn = {"h3", "http/1.1"}});
  EXPECT_EQ(Connect(*Client({.alpn = {"http/1.1", "h3"}}), *server).client.session.alpn(), "h3");
  EXPECT_EQ(Connect(*Client({.alpn = {"http/1.1"}}), *server).server.session.alpn(), "http/1.1");
  const Pair none = Connect(*Client(), *server);
  EXPECT_TRUE(Established(none));
  EXPECT_EQ(none.server.session.alpn(), "");
  const Pair other = Connect(*Client({.alpn = {"smtp"}}), *server);
  EXPECT_FALSE(Established(other));
  EXPECT_TRUE(absl::IsAborted(other.client.session.status())) << other.client.session.status();
  for (const std::vector<std::string>& bad :
       {std::vector<std::string>{""}, {std::string(256, 'x')}, std::vector<std::string>(17, "x")}) {
    EXPECT_FALSE(TlsServerContext::Create(Identity("server"), {.alpn = bad}).ok());
    EXPECT_FALSE(TlsClientContext::Create({.alpn = bad}).ok());
  }
}

TEST_F(TlsTest, AServerOfSeveralNamesChoosesItsIdentity) {
  const OwnIdentity one = MakeIdentity("one.example");
  const OwnIdentity two = MakeIdentity("two.example");
  const auto server = Server({.identity_for = [&](std::string_view name) {
    return name == "one.example" ? one.identity : name == "two.example" ? two.identity : nullptr;
  }});
  EXPECT_TRUE(Established(Connect(*Client({.authorities = one.trust}), *server, "ONE.example")));
  EXPECT_TRUE(Established(Connect(*Client({.authorities = two.trust}), *server, "two.example")));
  EXPECT_FALSE(Established(Connect(*Client({.authorities = two.trust}), *server, "one.example")));
  EXPECT_FALSE(Established(Connect(*Client({.authorities = one.trust}), *server, "three.example")));
  EXPECT_FALSE(Established(Connect(*Client({.authorities = one.trust}), *server, "127.0.0.1")));
}

TEST_F(TlsTest, ClientsShowCertificates) {
  using Clients = TlsServerOptions::ClientCertificates;
  const auto required =
      Server({.client_certificates = Clients::kRequired, .client_authorities = Trust("root")});
  const auto requested =
      Server({.client_certificates = Clients::kRequested, .client_authorities = Trust("root")});
  const auto alice = Client({.identity = Identity("client")});
  for (const auto& server : {required, requested}) {
    const Pair pair = Connect(*alice, *server);
    ASSERT_TRUE(Established(pair)) << pair.server.session.status();
    ASSERT_FALSE(pair.server.session.peer_chain().empty());
    EXPECT_EQ(pair.server.session.peer_chain()[0].dns_names()[0], "alice.example.com");
  }
  EXPECT_TRUE(Established(Connect(*Client(), *requested)));
  EXPECT_FALSE(Established(Connect(*Client(), *required)));
  // One of another authority, and one that is a server's.
  const auto stranger = Client({.identity = MakeIdentity("stranger").identity});
  const auto a_server = Client({.identity = Identity("server")});
  for (const auto& client : {stranger, a_server}) {
    EXPECT_FALSE(Established(Connect(*client, *requested)));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      TlsServerContext::Create(Identity("server"), {.client_certificates = Clients::kRequired})
          .status()));
}

TEST_F(TlsTest, ResumedSessionsKnowTheClient) {
  using Clients = TlsServerOptions::ClientCertificates;
  const auto server =
      Server({.client_certificates = Clients::kRequired, .client_authorities = Trust("root")});
  const auto alice = Client({.identity = Identity("client")});
  EXPECT_FALSE(Connect(*alice, *server).server.session.resumed());
  const Pair again = Connect(*alice, *server);
  EXPECT_TRUE(again.server.session.resumed());
  EXPECT_EQ(again.server.session.peer_chain().at(0).dns_names()[0], "alice.example.com");
}

TEST_F(TlsTest, SessionsAreResumedByHost) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    const auto server = Server();
    const auto client = Client();
    const auto connect = [&](std::string_view host) {
      Pair pair = Sessions(*client, *server, host);
      SetMaxVersion(pair.server, version);
      Exchange(pair.client, pair.server);
      EXPECT_TRUE(Established(pair));
      EXPECT_EQ(pair.client.session.resumed(), pair.server.session.resumed());
      return pair.client.session.resumed();
    };
    EXPECT_FALSE(connect("www.example.com"));
    EXPECT_TRUE(connect("www.example.com"));
    EXPECT_TRUE(connect("WWW.example.com"));
    EXPECT_FALSE(connect("a.wild.example.com")) << "another host's session";
    server->RotateTicketKeys();
    EXPECT_TRUE(connect("www.example.com")) << "the key before is still taken";
    server->RotateTicketKeys();
    // The ticket was replaced meanwhile, but OpenSSL's client keeps its first one of TLS 1.2.
    EXPECT_EQ(connect("www.example.com"), version == TLS1_3_VERSION);
    server->RotateTicketKeys();
    server->RotateTicketKeys();
    EXPECT_FALSE(connect("www.example.com")) << "two keys before";
  }
}

TEST_F(TlsTest, ATicketOfTls13IsUsedOnce) {
  const auto server = Server();
  const auto client = Client();
  Connect(*client, *server);
  Pair one = Sessions(*client, *server);
  Pair two = Sessions(*client, *server);
  Exchange(one.client, one.server);
  Exchange(two.client, two.server);
  EXPECT_TRUE(one.client.session.resumed());
  EXPECT_FALSE(two.client.session.resumed());
}

TEST_F(TlsTest, ResumptionCanBeOff) {
  const auto server = Server({.ticket_lifetime = std::chrono::seconds(0)});
  const auto client = Client();
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Connect(*client, *server).client.session.resumed());
  const auto forgetful = Client({.max_cached_sessions = 0});
  const auto other = Server();
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(Connect(*forgetful, *other).client.session.resumed());
  EXPECT_FALSE(
      TlsServerContext::Create(Identity("server"), {.ticket_lifetime = std::chrono::hours(24 * 8)})
          .ok());
}

TEST_F(TlsTest, TheCacheOfSessionsIsBounded) {
  const auto server = Server();
  const auto client = Client({.max_cached_sessions = 2});
  for (const char* host : {"a.wild.example.com", "b.wild.example.com", "c.wild.example.com"}) {
    Connect(*client, *server, host);
  }
  EXPECT_FALSE(Connect(*client, *server, "a.wild.example.com").client.session.resumed());
  EXPECT_TRUE(Connect(*client, *server, "c.wild.example.com").client.session.resumed());
}

TEST_F(TlsTest, AnIdentityIsReplacedWhileConnectionsStay) {
  const OwnIdentity before = MakeIdentity("localhost");
  const OwnIdentity after = MakeIdentity("localhost");
  const auto server = TlsServerContext::Create(before.identity).value();
  Pair old = Connect(*Client({.authorities = before.trust}), *server, "localhost");
  ASSERT_TRUE(Established(old));
  server->SetIdentity(after.identity);
  EXPECT_TRUE(Established(Connect(*Client({.authorities = after.trust}), *server, "localhost")));
  EXPECT_FALSE(Established(Connect(*Client({.authorities = before.trust}), *server, "localhost")));
  old.client.session.Write("still there", old.client.outgoing);
  Exchange(old.client, old.server);
  EXPECT_EQ(old.server.received, "still there");
}

TEST_F(TlsTest, OcspResponsesAreStapled) {
  const testing::Bytes der = ReadVectors("x509/server_ocsp.txt").at(0).Hex("response");
  const std::string response(AsText(der));
  std::vector<Certificate> chain =
      Certificate::AllFromPem(File("server") + File("intermediate")).value();
  const auto identity =
      TlsIdentity::Create(chain, PrivateKey::FromPem(File("server_key")).value(), response);
  ASSERT_TRUE(identity.ok()) << identity.status();
  const auto server = TlsServerContext::Create(*identity).value();
  const Pair pair = Connect(*Client(), *server);
  ASSERT_TRUE(Established(pair));
  EXPECT_TRUE(pair.client.session.ocsp_response() == response);
  EXPECT_EQ(Connect(*Client(), *Server()).client.session.ocsp_response(), "");
  EXPECT_TRUE(absl::IsInvalidArgument(
      TlsIdentity::Create(chain, PrivateKey::FromPem(File("server_key")).value(), "no response")
          .status()));
}

TEST_F(TlsTest, IdentitiesAreChecked) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(TlsIdentity::FromPem(File("server"), File("client_key")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      TlsIdentity::FromPem(File("intermediate") + File("server"), File("server_key")).status()));
  EXPECT_TRUE(TlsIdentity::FromFiles("crypto/testdata/x509/server.pem",
                                     "crypto/testdata/x509/server_key.pem")
                  .ok());
  const absl::Status missing =
      TlsIdentity::FromFiles("crypto/testdata/x509/server.pem", "nowhere.pem").status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_EQ(missing.message(), "nowhere.pem: cannot be opened");
  const absl::Status swapped = TlsIdentity::FromFiles("crypto/testdata/x509/server_key.pem",
                                                      "crypto/testdata/x509/server.pem")
                                   .status();
  EXPECT_EQ(swapped.message(),
            "crypto/testdata/x509/server_key.pem: PEM: a block \"PRIVATE KEY\" among certificates");
  EXPECT_FALSE(TlsServerContext::Create(nullptr).ok());
}

TEST_F(TlsTest, EachHalfEndsByItself) {
  Pair pair = Connect(*Client(), *Server());
  ASSERT_TRUE(Established(pair));
  pair.client.session.Write("question", pair.client.outgoing);
  EXPECT_EQ(pair.client.session.Shutdown(pair.client.outgoing), TlsResult::kOk);
  Exchange(pair.client, pair.server);
  EXPECT_EQ(pair.server.received, "question");
  EXPECT_EQ(pair.server.last, TlsResult::kEnd);
  EXPECT_EQ(pair.server.session.Write("answer", pair.server.outgoing), TlsResult::kOk);
  EXPECT_EQ(pair.server.session.Shutdown(pair.server.outgoing), TlsResult::kOk);
  Exchange(pair.server, pair.client);
  EXPECT_EQ(pair.client.received, "answer");
  EXPECT_EQ(pair.client.last, TlsResult::kEnd);
  EXPECT_TRUE(pair.client.session.status().ok());
}

TEST_F(TlsTest, AnEndWithoutANoticeIsAFailure) {
  Pair pair = Connect(*Client(), *Server());
  pair.client.session.Write("cut", pair.client.outgoing);
  const std::string half = pair.client.outgoing.substr(0, pair.client.outgoing.size() - 1);
  pair.server.Take(half);
  EXPECT_EQ(pair.server.last, TlsResult::kNeedInput);
  pair.server.session.EndInput();
  pair.server.Take({});
  EXPECT_EQ(pair.server.last, TlsResult::kFailed);
  EXPECT_TRUE(absl::IsDataLoss(pair.server.session.status())) << pair.server.session.status();
  EXPECT_EQ(pair.server.received, "");
  std::string output;
  EXPECT_EQ(pair.server.session.Write("more", output), TlsResult::kFailed);
  EXPECT_EQ(output, "");
}

TEST_F(TlsTest, WhatIsNotTlsIsRefused) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100, '\0'), std::string(100, '\xff'),
        std::string("\x16\x03\x01\x00\x05hello", 10)}) {
    End server = {Server()->NewSession().value()};
    server.Take(bytes);
    EXPECT_EQ(server.last, TlsResult::kFailed);
    EXPECT_TRUE(absl::IsInvalidArgument(server.session.status())) << server.session.status();
  }
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  Pair pair = Sessions(*Client(), *Server({.min_version = TlsVersion::kTls13}));
  SetMaxVersion(pair.client, TLS1_2_VERSION);
  Exchange(pair.client, pair.server);
  EXPECT_FALSE(Established(pair));
  EXPECT_TRUE(absl::IsInvalidArgument(pair.server.session.status()));
  EXPECT_TRUE(absl::IsAborted(pair.client.session.status())) << pair.client.session.status();

  // A client of TLS 1.0 and 1.1, which takes what OpenSSL's default level refuses.
  const OpenSslPtr<SSL_CTX> old(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(old.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  SSL_CTX_set_cipher_list(old.get(), "ALL:@SECLEVEL=0");
  OpenSslPtr<SSL> ssl(SSL_new(old.get()));
  SSL_set_connect_state(ssl.get());
  End client = {TlsSessionAccess::Make(std::move(ssl), nullptr).value()};
  End server = {Server()->NewSession().value()};
  Exchange(client, server);
  EXPECT_TRUE(absl::IsInvalidArgument(server.session.status())) << server.session.status();
}

// Whatever of a handshake or of data is changed is noticed, by one of the ends at least.
TEST_F(TlsTest, ChangedBytesAreNoticed) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto server_context = Server();
  for (int round = 0; round < 200; ++round) {
    const auto client_context = Client();
    Pair pair = Sessions(*client_context, *server_context);
    int flights = static_cast<int>(random() % 4);
    pair.client.Take({});
    while (!pair.client.outgoing.empty() || !pair.server.outgoing.empty()) {
      for (auto [from, to] :
           {std::pair(&pair.client, &pair.server), std::pair(&pair.server, &pair.client)}) {
        std::string bytes = std::exchange(from->outgoing, {});
        if (bytes.empty()) continue;
        if (flights-- == 0) bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
        to->Take(bytes);
      }
    }
    if (flights >= 0) continue;  // It had fewer flights: nothing was changed.
    pair.client.session.Write("text", pair.client.outgoing);
    Exchange(pair.client, pair.server);
    const bool noticed = !pair.client.session.status().ok() || !pair.server.session.status().ok() ||
                         pair.server.received != "text";
    // Bits of a record's version are looked at by nobody (RFC 8446, section 5.1), and a length that
    // grew leaves the receiver waiting.
    if (!noticed) {
      EXPECT_TRUE(Established(pair));
    }
  }
}

TEST_F(TlsTest, ContextsServeAllThreadsWhileIdentitiesChange) {
  const OwnIdentity own = MakeIdentity("localhost");
  const auto server = TlsServerContext::Create(own.identity).value();
  const auto client = Client({.authorities = own.trust});
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        good += Established(Connect(*client, *server, "localhost")) ? 1 : 0;
        server->SetIdentity(own.identity);
        if (round % 5 == 0) server->RotateTicketKeys();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

}  // namespace
}  // namespace strata::crypto
