// A stream over a stream, with a TLS session between them.
//
// Plaintext waits in a queue of its own, and is encrypted as the connection below takes it: a large
// answer is in memory once. Bytes that come while the user has paused wait encrypted.

#ifndef STRATA_NET_TLS_STREAM_INTERNAL_H_
#define STRATA_NET_TLS_STREAM_INTERNAL_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "strata/crypto/tls_session.h"
#include "strata/net/loop.h"
#include "strata/net/mailbox.h"
#include "strata/net/queueing_stream_internal.h"
#include "strata/net/stream.h"
#include "strata/net/timer.h"
#include "strata/net/write_queue.h"

namespace strata::net {

class TlsStream final : public internal::QueueingStream<TlsStream>, private LoopMember {
 public:
  TlsStream(Stream& below, crypto::TlsSession session, std::unique_ptr<StreamHandler> handler);

  // What the handler of the stream below is told.
  void Open(std::chrono::milliseconds handshake_timeout);
  void Received(std::string_view bytes);
  void ReceiveEnded();
  void BelowWritable();
  void Drain();
  void BelowClosed(Error error);

  std::size_t queued_bytes() const override;
  Error CloseWrite() override;
  void Close() override;
  void Abort() override { below_->Abort(); }
  [[nodiscard]] Error Post(Task task) override;
  Error PauseReceive() override;
  Error ResumeReceive() override;
  Error SetIdleTimeout(std::chrono::milliseconds timeout) override;
  Error SetMinReceiveRate(std::uint32_t bytes_per_second,
                          std::chrono::milliseconds window) override;
  Error SetHandler(std::unique_ptr<StreamHandler> handler) override;
  bool is_open() const override { return Usable() == Error::kOk; }
  Address peer_address() const override { return below_->peer_address(); }
  Address local_address() const override { return below_->local_address(); }
  Loop* loop() const override { return below_->loop(); }
  const StreamOptions& options() const override { return below_->options(); }
  const crypto::TlsSession* tls() const override { return &session_; }

 private:
  friend class internal::QueueingStream<TlsStream>;

  enum Flags : std::uint16_t {
    kOpen = 1,           // The handshake is done, and the handler knows.
    kInCallback = 2,     // Of the handler: what it writes leaves when it returns.
    kFlushLater = 4,     // In the loop's list of those to be flushed.
    kFull = 8,           // Was above the high watermark; OnWritable() is to come.
    kPaused = 16,        // By the user.
    kReceiveEnded = 32,  // By a close_notify.
    kWriteEnding = 64,   // CloseWrite(): nothing more is queued.
    kWriteEnded = 128,   // Our close_notify is with the stream below.
    kClosing = 256,      // Close(), or a failure.
    kClosed = 512,       // The stream below is closed, and the handler knows.
  };

  ~TlsStream() override = default;

  Error Usable() const;
  Error Writable(std::size_t more) const;
  void Queued();

  template <typename Callback>
  void CallHandler(Callback callback);
  void Process();
  void ReceiveHeld();
  bool FinishHandshake();
  void SendBelow(std::string& output);
  void FlushLater();
  bool RoomBelow() const;
  bool EncryptFront();
  bool EncryptFile(const WriteQueue::FileRange& range);
  void Pump();
  void EndWriting();
  void Fail(Error error);

  // LoopMember
  void OnDrain() override {}
  void OnLoopEnd() override {}
  void OnFlush() override;

  std::uint16_t state_ = 0;  // Flags.
  Error error_ = Error::kOk;
  std::atomic<bool> remote_close_{false};
  const StreamPtr below_;
  const RefPtr<Mailbox> mailbox_;
  crypto::TlsSession session_;
  std::unique_ptr<StreamHandler> handler_;
  WriteQueue queue_;
  std::string held_;  // What came while paused.
  std::unique_ptr<Timer> handshake_deadline_;
};

}  // namespace strata::net

#endif  // STRATA_NET_TLS_STREAM_INTERNAL_H_
