// File: exchange_internal.h
//
// A request and its response while they are under way. A loop has one at hand, in which every
// request begins; most are over when the call that brought them returns, and then it serves the
// next. One that takes longer goes to its connection, and the loop takes another.

#ifndef STRATA_HTTP_EXCHANGE_INTERNAL_H_
#define STRATA_HTTP_EXCHANGE_INTERNAL_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "strata/http/body_decoder.h"
#include "strata/http/coding_pool.h"
#include "strata/http/handler.h"
#include "strata/http/reply.h"
#include "strata/http/request.h"
#include "strata/http/request_parser.h"
#include "strata/http/route_table_internal.h"
#include "strata/http/route_tree.h"
#include "strata/net/mailbox.h"
#include "strata/net/ref_ptr.h"
#include "strata/net/stream.h"
#include "strata/net/timer.h"

namespace strata::http {

class ServerConnection;

// What a Responder and its relatives hold: the way to a connection from any thread, for as long as
// there is one.
class PendingReply final : public net::RefCounted {
 public:
  PendingReply(net::RefPtr<net::Mailbox> mailbox, ServerConnection* connection,
               std::size_t high_watermark_bytes, std::size_t max_queued_bytes)
      : high_watermark_bytes(high_watermark_bytes),
        max_queued_bytes(max_queued_bytes),
        mailbox_(std::move(mailbox)),
        connection_(connection) {}

  // Calls with the connection on its loop, now or soon, if there still is one for this exchange.
  void Run(absl::AnyInvocable<void(ServerConnection&)> task);

  // The same, but never now.
  void RunLater(absl::AnyInvocable<void(ServerConnection&)> task);

  // The same for what the loop expects: see net::Mailbox::PostExpected().
  void RunExpected(absl::AnyInvocable<void(ServerConnection&)> task, bool more);

  bool InLoopThread() const { return mailbox_->InLoopThread(); }

  // The client has gone, or has ended its half.
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }

  // Nothing can be sent any more.
  bool gone() const { return gone_.load(std::memory_order_relaxed); }

  // What follows is for the loop's thread.

  void Abort();
  void Gone() {
    gone_.store(true, std::memory_order_relaxed);
    Abort();
  }

  // The exchange is over: nobody is called any more, but by Gone().
  void Detach() { connection_ = nullptr; }

  // Nobody is called at all. The callbacks go, which may hold what holds this.
  void Forget() {
    on_abort_ = nullptr;
    on_writable_ = nullptr;
  }

  bool attached() const { return connection_ != nullptr; }

  // Of an exchange that is over they would never be called.
  void set_on_abort(absl::AnyInvocable<void()> callback) {
    if (attached()) on_abort_ = std::move(callback);
  }
  void set_on_writable(absl::AnyInvocable<void()> callback) {
    if (attached()) on_writable_ = std::move(callback);
  }
  void Writable() {
    if (full.exchange(false)) CallOnWritable();
  }

  // Of a BodyWriter; for any thread. Bytes that were given to Write() and are not with the loop
  // yet, and those that wait there, as of the last time that the loop looked.
  std::atomic<std::size_t> posted_bytes{0};
  std::atomic<std::size_t> queued_bytes{0};
  std::atomic<bool> full{false};  // They were above the high watermark.
  const std::size_t high_watermark_bytes;
  const std::size_t max_queued_bytes;

 private:
  void CallOnWritable();
  net::Mailbox::Task WhileAttached(absl::AnyInvocable<void(ServerConnection&)> task);

  const net::RefPtr<net::Mailbox> mailbox_;
  ServerConnection* connection_;
  std::atomic<bool> aborted_{false};
  std::atomic<bool> gone_{false};
  absl::AnyInvocable<void()> on_abort_;
  absl::AnyInvocable<void()> on_writable_;
};

struct Exchange {
  explicit Exchange(const ParserLimits& limits) : parser(limits) {}

  // Makes it ready for another request. Small memory is kept, large is given back.
  void Reset();

  // A part of Reset().
  void ResetKept();

  // The head's bytes become this exchange's own.
  void KeepHead(std::string_view head);

  bool Finished() const { return request_done && response_done; }

  enum class Stage : std::uint8_t {
    kHead,       // Of which something has come.
    kBody,       // The handler has not been called, or takes the body in pieces.
    kAnswering,  // The request is complete, or what comes of it is dropped.
    kWaiting,    // No request: what follows waits for the answers before to leave.
  };

  RequestParser parser;
  Request request;
  ReplyHead reply;
  const Route* route = nullptr;
  std::array<Param, kMaxCaptures> params;
  std::string decoded;  // Captures that were percent-encoded.
  std::string input;    // The head, once this exchange is kept.

  BodyDecoder decoder;
  std::string body;
  std::unique_ptr<BodyReceiver> receiver;

  // Of a request's body with a content coding that is undone: what its receiver paused before.
  DecoderPtr content_decoder;
  std::string coded;

  // What has come after this request, or after the point at which its receiver paused.
  std::string behind;

  // Of a body that is made as it is sent.
  BodyProducer producer;
  std::string produced;
  std::uint64_t left_bytes = 0;
  EncoderPtr encoder;  // If that body gets a content coding.

  net::RefPtr<PendingReply> pending;
  std::unique_ptr<net::StreamHandler> upgrade;
  std::unique_ptr<net::Timer> timer;  // For the head.

  std::chrono::steady_clock::time_point began;  // If anybody wants to know.
  std::uint64_t body_bytes = 0;                 // Sent, or to be sent.
  std::uint64_t drained_bytes = 0;
  std::uint16_t status = 0;
  Stage stage = Stage::kHead;
  ContentCoding accepts = ContentCoding::kIdentity;  // What the client likes best.
  bool has_weak_tag = false;                         // Its If-None-Match has one.
  bool is_head = false;        // The method: there is no body in the response.
  bool body_open = false;      // Not all of the request's body has come.
  bool dropping = false;       // What comes of it is dropped.
  bool told_continue = false;  // 100 Continue was sent.
  bool paused = false;         // By its receiver,
  bool resumed = false;        // which has resumed just now.
  bool last = false;           // Nothing has come behind it, and the client said so.
  bool keep_alive = true;
  bool http_1_0 = false;
  bool answered = false;    // The response's head is written.
  bool chunked = false;     // Its body is sent in chunks,
  bool has_length = false;  // or has so many bytes, before any coding: left_bytes counts them.
  bool streaming = false;   // By a BodyWriter or a producer.
  bool goes_on = false;     // GoOnLater() was called.
  bool was_kept = false;    // By a connection, for longer than a call.
  bool request_done = false;
  bool response_done = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_EXCHANGE_INTERNAL_H_
