// File: stream.h
//
// A connection as a stream of bytes in both directions: TCP, a Unix socket, or TLS over these.
//
// What comes in is told to a handler, one for each stream:
//
//   class Echo : public StreamHandler {
//     void OnReceive(Stream& stream, std::string_view bytes) override { stream.Write(bytes); }
//   };
//
// A stream lives on one loop. Its functions belong to that loop's thread: from another one they
// answer kWrongThread and do nothing, but for Close(), Abort() and Post(), which any thread may
// call. Whoever needs a stream for longer than a callback holds a StreamPtr, from any thread; the
// stream may end meanwhile, and then its functions answer kClosed, before and after the end of its
// loop.
//
// Reading. The bytes given to OnReceive() are lent for the length of the call, and whoever calls it
// leaves them to be written over (LentBytes()); an idle stream owns no buffer. PauseReceive() stops
// them, and so the peer in the end.
//
// Writing. Write...() queue; what one callback, or one turn of the loop, has written leaves as one
// system call. The queue is bounded: above the high watermark the stream stops receiving (so that a
// peer who does not read cannot make us buffer), and OnWritable() tells when the queue is down to
// the low one; beyond the limit a write is refused whole, with kQueueFull.

#ifndef STRATA_NET_STREAM_H_
#define STRATA_NET_STREAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "strata/net/address.h"
#include "strata/net/error.h"
#include "strata/net/file.h"
#include "strata/net/ref_ptr.h"

namespace strata::crypto {
class TlsSession;
}

namespace strata::net {

class Loop;
class Stream;

// What a user makes of a stream. The stream owns its handler. All functions run on the stream's
// loop, never one inside another, and never inside a call of the stream's functions.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // The stream is connected; the first of all calls.
  virtual void OnOpen(Stream& stream);

  // Bytes of the peer, at least one; whether few or many come at once means nothing.
  virtual void OnReceive(Stream& stream, std::string_view bytes) = 0;

  // The peer has ended its half: no more will come. By default closes this half too.
  virtual void OnReceiveEnd(Stream& stream);

  // The queue was above the high watermark and is down to the low one. Whoever saw it above is
  // told, even if all has left at the end of that turn.
  virtual void OnWritable(Stream& stream);

  // The loop drains: come to an end. By default closes.
  virtual void OnDrain(Stream& stream);

  // The last call; the handler is destroyed after it. kOk after Close() when all was sent and the
  // peer has closed too, kCancelled after Abort() or when the loop ends, kTimedOut and kTooSlow for
  // deadlines, kReset and others if the connection broke.
  virtual void OnClosed(Stream& stream, Error error);
};

// The bytes that OnReceive() was given, to be written over: for decoders that work in place. They
// lie in a buffer of the loop's or of a layer's, of which nobody reads them again.
inline std::span<char> LentBytes(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

// The bounds of a stream. Durations have a resolution of 1 ms and a maximum of 24 days; zero is
// none.
struct StreamOptions {
  // Of the queue of unsent bytes; files count with what is unsent of them, but not towards the
  // limit.
  std::size_t high_watermark_bytes = 256 * 1024;
  std::size_t low_watermark_bytes = 64 * 1024;
  std::size_t max_queued_bytes = 64 * 1024 * 1024;

  // Whether a queue above the high watermark stops the receiving.
  bool pause_receive_when_full = true;

  // Neither a byte received nor one sent for so long: closed with kTimedOut.
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(120)};

  // Bytes are queued, and none of them was taken by the peer for so long: kTimedOut.
  std::chrono::milliseconds send_timeout{std::chrono::seconds(30)};

  // How long Close() waits, after all is sent, for the peer to close too. Until then what the peer
  // still sends is read and dropped; to close at once would make the system answer it with a reset,
  // which can destroy the last bytes that we sent before the peer has read them.
  std::chrono::milliseconds linger_timeout{std::chrono::seconds(5)};

  bool no_delay = true;  // TCP_NODELAY: writes are corked here already.

  // TCP keep-alive probes after this idle time, to notice a peer that is gone.
  std::chrono::seconds keep_alive{0};
};

class Stream : public RefCounted {
 public:
  using Task = absl::AnyInvocable<void(Stream&)>;

  // Queues a copy of the bytes.
  virtual Error Write(std::string_view bytes) = 0;

  // Room of `bytes` at the end of the queue, to write into instead of copying from elsewhere, and
  // how many of them, at least one, are then queued. Commit() comes next, with nothing in between,
  // and not after an empty room: there is none in one piece, or Write() would be refused.
  virtual std::span<char> Reserve(std::size_t bytes) = 0;
  virtual void Commit(std::size_t bytes) = 0;

  // Queues the bytes without a copy, unless they are few.
  virtual Error WriteOwned(std::string bytes) = 0;

  // Queues bytes that others may hold too: one text for many streams. Must not be null.
  virtual Error WriteShared(std::shared_ptr<const std::string> bytes) = 0;

  // Queues `count` bytes of a file from `offset`, sent by sendfile(2) where that can be. If the
  // file turns out to be shorter the stream breaks with kEndOfFile, for nothing else could tell the
  // peer.
  virtual Error WriteFile(std::shared_ptr<const File> file, std::uint64_t offset,
                          std::uint64_t count) = 0;

  // Bytes that are queued and not sent.
  virtual std::size_t queued_bytes() const = 0;

  // Ends this half once all is sent: the peer reads an end, and can still answer.
  virtual Error CloseWrite() = 0;

  // From any thread, and more than once. Close(): sends what is queued, ends, and waits for the
  // peer a while (StreamOptions::linger_timeout); nothing more is received or can be written.
  // Abort(): at once, with a reset. OnClosed() follows both, later.
  virtual void Close() = 0;
  virtual void Abort() = 0;

  // Close() without waiting for the peer, once all is sent: for a protocol that knows that the peer
  // sends nothing more. Should it, then the system answers with a reset, which can destroy what was
  // sent and not read yet. On the loop's thread; elsewhere, and where there are layers, as Close().
  virtual void CloseAfterSending() { Close(); }

  // From any thread: runs the task on the stream's loop, whether the stream is open then or not.
  // kClosed if the loop has ended, kQueueFull as Loop::Post(): then the task does not run.
  [[nodiscard]] virtual Error Post(Task task) = 0;

  // No byte is received until ResumeReceive(). Deadlines run on.
  virtual Error PauseReceive() = 0;
  virtual Error ResumeReceive() = 0;

  // Replaces StreamOptions::idle_timeout.
  virtual Error SetIdleTimeout(std::chrono::milliseconds timeout) = 0;

  // From now on the peer has to send at least `bytes_per_second`, on average over each stretch of
  // `window` (0: one second), else the stream breaks with kTooSlow; 0 ends that. For the time in
  // which something is due, such as the rest of a request: guards against senders of a byte a
  // second. Time in which nothing is received, by PauseReceive() or a full queue, does not count.
  virtual Error SetMinReceiveRate(std::uint32_t bytes_per_second,
                                  std::chrono::milliseconds window) = 0;

  // Another handler from now on; its OnOpen() is not called. The one replaced is destroyed at the
  // end of the loop's turn, so it may be the one that calls.
  virtual Error SetHandler(std::unique_ptr<StreamHandler> handler) = 0;

  // Whether Close(), Abort() or an error has not ended it yet.
  virtual bool is_open() const = 0;

  // The other end, as of the beginning; after a PROXY header, what that says. Of no family for a
  // Unix socket's nameless peer.
  virtual Address peer_address() const = 0;

  // This end; of no family once closed.
  virtual Address local_address() const = 0;

  // The loop, for its own thread; null once it has ended.
  virtual Loop* loop() const = 0;

  // The bounds that it was opened with.
  virtual const StreamOptions& options() const = 0;

  // What TLS has agreed on, or why it has failed, for a stream of tls.h; null for others. By the
  // loop's thread; lives as long as the stream.
  virtual const crypto::TlsSession* tls() const { return nullptr; }
};

// Null or a stream, which may have been closed.
using StreamPtr = RefPtr<Stream>;

}  // namespace strata::net

#endif  // STRATA_NET_STREAM_H_
