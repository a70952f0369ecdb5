// File: tls_session.h
//
// One connection's TLS, as a machine that takes and gives bytes, and does no I/O:
//
//   std::string output;                      // What goes to the peer.
//   session.Lend(received);                  // What has come from it.
//   while (!session.established()) {
//     if (session.Handshake(output) != strata::crypto::TlsResult::kOk) break;
//   }
//   std::array<char, strata::crypto::kTlsMaxPlaintextBytes> buffer;
//   std::size_t size = 0;
//   while (session.Read(buffer, size, output) == strata::crypto::TlsResult::kOk) {
//     Use(std::string_view(buffer.data(), size));
//   }
//   session.Write("answer", output);
//
// Sessions come from a context (tls_context.h). After each call, also one that fails, what was
// added to `output` has to be sent: an alert says to the peer what was wrong.
//
// A session belongs to one thread at a time. An idle one holds no buffers.

#ifndef STRATA_CRYPTO_TLS_SESSION_H_
#define STRATA_CRYPTO_TLS_SESSION_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "strata/crypto/x509.h"

namespace strata::crypto {

// What one record holds: a buffer of this size takes it whole.
inline constexpr std::size_t kTlsMaxPlaintextBytes = 16 * 1024;

// The most that `plaintext_bytes` become in one Write().
constexpr std::size_t TlsCiphertextBound(std::size_t plaintext_bytes) {
  // Header, explicit nonce, content type and tag of each record.
  constexpr std::size_t kRecordOverhead = 5 + 8 + 1 + 16;
  return plaintext_bytes + (plaintext_bytes / kTlsMaxPlaintextBytes + 1) * kRecordOverhead;
}

enum class TlsResult {
  kOk,
  kNeedInput,  // All that was lent is taken, and more is needed.
  kEnd,        // The peer has ended its half (close_notify): no more comes.
  kFailed,     // status() says why; the session is of no more use.
};

class TlsSession {
 public:
  ~TlsSession();
  TlsSession(TlsSession&&) noexcept;
  TlsSession& operator=(TlsSession&&) noexcept;

  // Bytes of the peer, for the calls that follow, which take them from the front on. They must live
  // until they are taken, or others are lent.
  void Lend(std::string_view bytes);

  // What was lent and is not yet taken.
  std::string_view unread() const;

  // The peer's bytes have ended: instead of kNeedInput comes a failure, DataLoss, as an end without
  // a close_notify may be somebody's on the way.
  void EndInput();

  // Goes on with the handshake. kOk once it is done; or kNeedInput, kFailed. A client begins with
  // nothing lent.
  TlsResult Handshake(std::string& output);

  // Whether the handshake is done.
  bool established() const;

  // Reads up to one record into `buffer`. kOk with a `size` of at least one byte, or another result
  // without any. Before the handshake is done it goes on with that.
  TlsResult Read(std::span<char> buffer, std::size_t& size, std::string& output);

  // Adds `plaintext`, in records, to `output`: kOk, or kFailed. Once the handshake is done, and
  // before Shutdown().
  TlsResult Write(std::string_view plaintext, std::string& output);

  // Ends this half: adds a close_notify. More can be read.
  TlsResult Shutdown(std::string& output);

  // Why the session has failed. Of the peer's certificate as VerifyCertificate(); DataLoss for an
  // end without a close_notify; InvalidArgument for what breaks the protocol, and where the two
  // have nothing in common; Aborted for an alert of the peer's. OK before.
  const absl::Status& status() const;

  // Of an established session.

  // "TLSv1.3"; "TLS_AES_128_GCM_SHA256".
  std::string_view version() const;
  std::string_view cipher() const;

  // The protocol agreed on (ALPN); empty for none.
  std::string_view alpn() const;

  // What the client has asked for (SNI), in lower case; empty for none.
  const std::string& server_name() const;

  // Whether it was resumed, with a session of before.
  bool resumed() const;

  // The peer's certificates, its own first; empty if it showed none.
  std::vector<Certificate> peer_chain() const;

  // A client's: the OCSP response that the server stapled (DER), which is not looked at here.
  std::string_view ocsp_response() const;

  struct State;

 private:
  friend class TlsSessionAccess;
  explicit TlsSession(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace strata::crypto

#endif  // STRATA_CRYPTO_TLS_SESSION_H_
