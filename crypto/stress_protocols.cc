// Keys, signatures, tokens, sealed files and TLS, under stress.

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/stress_internal.h"
#include "strata/crypto/jwk.h"
#include "strata/crypto/jwt.h"
#include "strata/crypto/key.h"
#include "strata/crypto/random.h"
#include "strata/crypto/sealed_file.h"
#include "strata/crypto/sign.h"
#include "strata/crypto/tls_context.h"
#include "strata/crypto/x509.h"

namespace strata::crypto {
namespace {

constexpr char kHost[] = "stress.example";
constexpr KeyType kTypes[] = {KeyType::kEd25519, KeyType::kX25519, KeyType::kP256, KeyType::kP384,
                              KeyType::kRsa};

struct SignaturePair {
  Signer signer;
  Verifier verifier;
};

SignaturePair MakePair(SignatureAlgorithm algorithm) {
  Signer signer =
      Signer::Create(algorithm, PrivateKey::Generate(KeyTypeOf(algorithm), 2048).value()).value();
  Verifier verifier = Verifier::Create(algorithm, signer.public_key()).value();
  return {std::move(signer), std::move(verifier)};
}

// A file sealed, or opened if it can be, in pieces of any size.
template <typename Machine>
absl::StatusOr<std::string> InPieces(Machine& machine, std::string_view bytes, Random& random) {
  std::string out;
  const auto sink = [&out](std::span<const std::uint8_t> more) {
    out.append(more.begin(), more.end());
    return absl::OkStatus();
  };
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, 1 + random() % 5000);
    if (absl::Status status = machine.Update(AsBytes(piece), sink); !status.ok()) return status;
    bytes.remove_prefix(piece.size());
  }
  if (absl::Status status = machine.Finish(sink); !status.ok()) return status;
  return out;
}

// What has come to a session: goes on with its handshake, then reads.
std::string Take(TlsSession& session, std::string_view bytes, std::string& output) {
  std::string text;
  std::array<char, kTlsMaxPlaintextBytes> buffer;
  std::size_t size = 0;
  session.Lend(bytes);
  if (!session.established()) session.Handshake(output);
  while (session.established() && session.Read(buffer, size, output) == TlsResult::kOk) {
    text.append(buffer.data(), size);
  }
  return text;
}

}  // namespace

struct Protocols::State {
  std::vector<PrivateKey> keys;
  std::vector<SignaturePair> pairs;
  std::vector<JwtSigner> token_signers;
  std::unique_ptr<JwtKeySet> token_keys;
  std::shared_ptr<const TlsIdentity> identity;
  std::shared_ptr<TlsServerContext> server;
  std::shared_ptr<TlsClientContext> client;
};

Protocols::Protocols() : state_(std::make_unique<State>()) {
  for (const KeyType type : kTypes) {
    state_->keys.push_back(PrivateKey::Generate(type, 2048).value());
  }
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEd25519, SignatureAlgorithm::kEcdsaP256Sha256,
        SignatureAlgorithm::kEcdsaP256Sha256Fixed, SignatureAlgorithm::kEcdsaP384Sha384,
        SignatureAlgorithm::kRsaPssSha256, SignatureAlgorithm::kRsaPkcs1Sha256}) {
    state_->pairs.push_back(MakePair(algorithm));
  }
  std::vector<std::string> members;
  for (const auto& [algorithm, type] : {std::pair(JwtAlgorithm::kEdDsa, KeyType::kEd25519),
                                        std::pair(JwtAlgorithm::kEs256, KeyType::kP256)}) {
    const std::string_view id = JwtAlgorithmName(algorithm);
    state_->token_signers.push_back(
        JwtSigner::Create(algorithm, PrivateKey::Generate(type).value(), id).value());
    members.push_back(
        ToJwksMember(algorithm, *state_->token_signers.back().public_key(), id).value());
  }
  state_->token_keys = std::make_unique<JwtKeySet>(JwtKeySet::FromJson(ToJwks(members)).value());

  PrivateKey key = PrivateKey::Generate(KeyType::kP256).value();
  Certificate certificate = MakeSelfSignedCertificate(key, {.dns_names = {kHost}}).value();
  state_->client = TlsClientContext::Create(
                       {.authorities = TrustStore::FromCertificates({{certificate}}).value()})
                       .value();
  state_->identity = TlsIdentity::Create({std::move(certificate)}, std::move(key)).value();
  state_->server = TlsServerContext::Create(state_->identity).value();
}

Protocols::~Protocols() = default;

void Protocols::SignAndVerify(Random& random) const {
  const SignaturePair& pair = state_->pairs[random() % state_->pairs.size()];
  std::string message = Message(random);
  std::string signature = pair.signer.Sign(message).value();
  Require(pair.verifier.Verify(message, signature).ok(), "a signature is refused");
  if (random() % 2 == 0 && !message.empty()) {
    FlipABit(message, random);
  } else {
    FlipABit(signature, random);
  }
  Require(!pair.verifier.Verify(message, signature).ok(), "a forged signature is accepted");
}

void Protocols::WriteAndReadKeys(Random& random) const {
  const PrivateKey& key = state_->keys[random() % state_->keys.size()];
  // Whether primes are prime takes its time.
  if (key.type() == KeyType::kRsa && random() % 32 != 0) return;
  const PublicKey& half = key.public_key();
  Require(PrivateKey::FromPem(key.ToPem().text())->public_key() == half, "PEM differs");
  Require(PrivateKeyFromJwk(ToJwk(key).text())->public_key() == half, "a JWK differs");
  Require(PublicKey::FromDer(half.ToDer()).value() == half, "DER differs");
  // Five bits of an X25519 key have no meaning (RFC 7748, section 5).
  if (key.type() == KeyType::kX25519) return;
  // What was changed is refused, or is another key.
  std::string der(key.ToDer().text());
  FlipABit(der, random);
  const absl::StatusOr<PrivateKey> changed = PrivateKey::FromDer(AsBytes(der));
  Require(!changed.ok() || changed->public_key() != half, "a changed key is the same");
}

void Protocols::SignAndVerifyTokens(Random& random) const {
  const JwtSigner& signer = state_->token_signers[random() % state_->token_signers.size()];
  JwtClaims claims;
  claims.subject = std::to_string(random());
  claims.expires = std::chrono::system_clock::now() + std::chrono::hours(1);
  std::string token = signer.Sign(claims).value();
  const JwtPolicy policy;
  Require(state_->token_keys->Verify(token, policy)->subject == claims.subject,
          "a token is refused");
  FlipABit(token, random);
  Require(!state_->token_keys->Verify(token, policy).ok(), "a forged token is accepted");
}

void Protocols::SealAndOpenFiles(Random& random) const {
  const SealedFileKey key = SealedFileKey::FromKey(SecureRandom::Secret(32).bytes());
  const std::string text = Message(random);
  SealedFileWriter writer =
      SealedFileWriter::Create(key, {.chunk_log2 = 10 + static_cast<std::uint32_t>(random() % 4)})
          .value();
  std::string sealed = InPieces(writer, text, random).value();
  SealedFileReader reader = SealedFileReader::Create(key).value();
  Require(InPieces(reader, sealed, random).value() == text, "a sealed file does not open");
  if (random() % 2 == 0) {
    FlipABit(sealed, random);
  } else {
    sealed.resize(random() % sealed.size());
  }
  SealedFileReader again = SealedFileReader::Create(key).value();
  Require(!InPieces(again, sealed, random).ok(), "a changed file opens");
}

void Protocols::TalkByTls(Random& random) const {
  if (random() % 16 == 0) state_->server->RotateTicketKeys();
  if (random() % 16 == 0) state_->server->SetIdentity(state_->identity);
  TlsSession client = state_->client->NewSession(kHost).value();
  TlsSession server = state_->server->NewSession().value();
  std::string to_server, to_client, seen;
  Take(client, {}, to_server);
  const std::string text = Message(random);
  bool written = false;
  while (!to_server.empty() || !to_client.empty()) {
    seen += Take(server, std::exchange(to_server, {}), to_client);
    Take(client, std::exchange(to_client, {}), to_server);
    if (client.established() && !written) {
      written = true;
      Require(client.Write(text, to_server) == TlsResult::kOk, "TLS does not write");
    }
  }
  Require(server.established() && client.established(), "a TLS handshake fails");
  Require(seen == text, "TLS carries something else");
}

}  // namespace strata::crypto
