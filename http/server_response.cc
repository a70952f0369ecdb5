// The writing half of a connection, and what users hold of it: Response, Responder, BodyWriter.

#include <array>
#include <cassert>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "strata/http/server_connection_internal.h"
#include "strata/http/status.h"

namespace strata::http {
namespace {

// Up to here a body is copied behind its head, so that both are one piece of the queue.
constexpr std::size_t kJoinBytes = 4096;

// What a producer's body may have before its coding, in one go, before others have their turn.
constexpr std::size_t kEncodedPerTurnBytes = 128 * 1024;

constexpr std::string_view kTextPlain = "text/plain; charset=utf-8";

// Of a 64-bit number.
constexpr std::size_t kMaxDigits = 20;

// What a head has at most besides the lines of 200, Server and Date, and those of the reply: a
// longer status line (50 bytes are the longest), Connection, and Content-Length or
// Transfer-Encoding.
constexpr std::size_t kMaxFramingBytes = 128;

// Returns where it ends. Constant texts, of which the compiler knows the size, cost a store or two.
inline char* Put(std::string_view text, char* to) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

// ---- Writing -----------------------------------------------------------------------------------

// False if there is an answer already.
bool ServerConnection::BeginAnswer(Exchange& exchange) {
  if (exchange.answered) return false;
  exchange.answered = true;
  return true;
}

// Whether the connection can be used again after this answer.
bool ServerConnection::Persists(const Exchange& exchange) const {
  if (!exchange.keep_alive || exchange.reply.close() || draining_) return false;
  const std::uint32_t max_requests = options().max_requests_per_connection;
  if (max_requests > 0 && requests_ >= max_requests) return false;
  if (!exchange.body_open || exchange.streaming) return true;
  // A client that was not told to go on may send its body or not: nobody can tell where the next
  // request begins.
  const RequestHead& head = exchange.parser.head();
  if (head.expect_continue && !exchange.told_continue) return false;
  return head.content_length <= options().max_drained_bytes;
}

// Queues the head, and `body` behind it, in one piece. Also decides how the body will be framed.
void ServerConnection::WriteHead(Exchange& exchange, std::optional<std::uint64_t> length,
                                 std::string_view body) {
  const std::size_t most =
      loop_->ok_lines().size() + exchange.reply.lines().size() + kMaxFramingBytes + body.size();
  const auto compose = [&](char* const out) {
    const std::size_t size =
        static_cast<std::size_t>(Put(body, ComposeHead(exchange, length, out)) - out);
    assert(size <= most);
    return size;
  };
  if (const std::span<char> room = stream_->Reserve(most); !room.empty()) {
    stream_->Commit(compose(room.data()));
    return;
  }
  std::string& scratch = loop_->scratch();
  scratch.resize(most);
  Write(std::string_view(scratch).substr(0, compose(scratch.data())));
}

// Writes as much as WriteHead() reckons with at most, and returns where that ends.
char* ServerConnection::ComposeHead(Exchange& exchange, std::optional<std::uint64_t> length,
                                    char* out) {
  const ReplyHead& reply = exchange.reply;
  const int status = reply.status();
  exchange.status = static_cast<std::uint16_t>(status);
  const std::uint64_t bytes = length.value_or(0);
  exchange.has_length = length.has_value();
  exchange.left_bytes = bytes;
  // Nobody knows how much it will be when encoded.
  const bool known = exchange.has_length && !exchange.encoder;
  exchange.body_bytes = known ? bytes : 0;
  exchange.chunked = !known && !exchange.http_1_0 && !IsBodiless(status);
  if (!known && exchange.http_1_0 && !exchange.is_head && !IsBodiless(status)) {
    exchange.keep_alive = false;  // The end of the connection is the end of the body.
  }
  exchange.keep_alive = Persists(exchange);

  const bool common = !reply.Has(FieldId::kDate) && !reply.Has(FieldId::kServer);
  if (common && status == 200) {
    out = Put(loop_->ok_lines(), out);
  } else {
    if (const std::string_view line = StatusLine(status); !line.empty()) {
      out = Put(line, out);
    } else {
      HeadWriter writer(std::span(out, kMaxFramingBytes));
      writer.StatusLine(status);
      out += writer.bytes();
    }
    if (!reply.Has(FieldId::kServer)) out = Put(loop_->server_line(), out);
    if (!reply.Has(FieldId::kDate)) out = Put(loop_->date_line(), out);
  }
  out = Put(reply.lines(), out);
  if (!exchange.keep_alive) {
    out = Put("Connection: close\r\n", out);
  } else if (exchange.http_1_0) {
    out = Put("Connection: keep-alive\r\n", out);
  }
  if (exchange.chunked) return Put("Transfer-Encoding: chunked\r\n\r\n", out);
  if (known && !IsBodiless(status)) {
    out = Put("Content-Length: ", out);
    out = std::to_chars(out, out + kMaxDigits, bytes).ptr;
    return Put("\r\n\r\n", out);
  }
  return Put("\r\n", out);
}

void ServerConnection::Answer(Exchange& exchange, std::string_view body) {
  loop_->preferred_codings().empty() ? AnswerAsIs(exchange, body) : AnswerCoded(exchange, body);
}

// With a content coding, if the client takes one and it pays.
void ServerConnection::AnswerCoded(Exchange& exchange, std::string_view body) {
  if (exchange.answered) return;
  if (EncoderPtr encoder = ChooseEncoder(exchange, body.size())) {
    ReplyBody own{std::string(body)};
    Encode(exchange, std::move(encoder), own);
    return SendBody(exchange, std::move(own));
  }
  AnswerAsIs(exchange, body);
}

void ServerConnection::AnswerAsIs(Exchange& exchange, std::string_view body) {
  if (!BeginAnswer(exchange)) return;
  if (exchange.reply.error() != WriteError::kNone) {
    exchange.reply.Clear();
    exchange.reply.set_status(500);
    body = {};
  }
  if (IsBodiless(exchange.reply.status())) body = {};
  const std::size_t length = body.size();
  if (exchange.is_head) body = {};
  if (body.size() <= kJoinBytes) {
    WriteHead(exchange, length, body);
  } else {
    WriteHead(exchange, length, {});
    Write(body);
  }
  ResponseDone(exchange);
}

void ServerConnection::Answer(Exchange& exchange, ReplyBody body) {
  if (exchange.answered) return;
  if (exchange.reply.error() != WriteError::kNone) return AnswerAsIs(exchange, {});
  if (EncoderPtr encoder = ChooseEncoder(exchange, body.length())) {
    Encode(exchange, std::move(encoder), body);
  }
  SendBody(exchange, std::move(body));
}

void ServerConnection::SendBody(Exchange& exchange, ReplyBody body) {
  if (!BeginAnswer(exchange)) return;
  WriteHead(exchange, body.length(), {});
  if (exchange.is_head || IsBodiless(exchange.status)) return ResponseDone(exchange);
  if (!body.producer()) {
    for (ReplyBody::Part& part : body.parts()) WritePart(std::move(part));
    return ResponseDone(exchange);
  }
  exchange.producer = std::move(body.producer());
  exchange.streaming = true;
  Defer(exchange);
  Produce(exchange);
}

void ServerConnection::WritePart(ReplyBody::Part part) {
  if (auto* bytes = std::get_if<std::string>(&part)) {
    Check(stream_->WriteOwned(std::move(*bytes)));
  } else if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&part)) {
    Check(stream_->WriteShared(std::move(*shared)));
  } else {
    auto& range = std::get<FileRange>(part);
    if (range.bytes > 0) {
      Check(stream_->WriteFile(std::move(range.file), range.offset, range.bytes));
    }
  }
}

void ServerConnection::Write(std::string_view bytes) { Check(stream_->Write(bytes)); }

// What could not be queued is missing, and the client must not take the rest for whole.
void ServerConnection::Check(net::Error error) {
  if (error == net::Error::kOk || error == net::Error::kClosed) return;
  stream_->Abort();
  closing_ = true;
}

// Asks for more as long as there is room.
void ServerConnection::Produce(Exchange& exchange) {
  std::size_t encoded_bytes = 0;
  while (!closing_ && !Full() && encoded_bytes < kEncodedPerTurnBytes) {
    exchange.produced.clear();
    const Produced produced = exchange.producer(exchange.produced);
    const bool stuck = produced == Produced::kMore && exchange.produced.empty();
    if (exchange.encoder) encoded_bytes += exchange.produced.size();
    if (produced == Produced::kFail || stuck ||
        !WritePiece(exchange, std::exchange(exchange.produced, std::string()),
                    Encoder::Flush::kNone)) {
      return Break();
    }
    if (produced == Produced::kEnd) {
      exchange.producer = nullptr;
      return EndPieces(exchange, {});
    }
  }
  if (!closing_ && !Full()) GoOnLater();
}

// A piece of a body that is sent as it comes. False if it is more than there may be.
bool ServerConnection::WritePiece(Exchange& exchange, std::string bytes, Encoder::Flush flush) {
  if (bytes.empty() || exchange.is_head || IsBodiless(exchange.status)) return true;
  if (exchange.has_length) {
    if (bytes.size() > exchange.left_bytes) return false;
    exchange.left_bytes -= bytes.size();
  }
  if (exchange.encoder) {
    std::string encoded;
    if (exchange.encoder->Append(bytes, flush, &encoded) != CodingError::kOk) return false;
    bytes = std::move(encoded);
  }
  if (!bytes.empty()) WriteFramed(exchange, std::move(bytes));
  return true;
}

void ServerConnection::WriteFramed(Exchange& exchange, std::string bytes) {
  if (exchange.encoder || !exchange.has_length) exchange.body_bytes += bytes.size();
  if (!exchange.chunked) {
    Check(stream_->WriteOwned(std::move(bytes)));
    return;
  }
  std::string& out = loop_->scratch();
  out.clear();
  HeadWriter writer(out);
  writer.ChunkSize(bytes.size());
  if (bytes.size() <= kJoinBytes) {
    out.append(bytes).append("\r\n");
    Write(out);
  } else {
    Write(out);
    Check(stream_->WriteOwned(std::move(bytes)));
    Write("\r\n");
  }
}

void ServerConnection::EndPieces(Exchange& exchange, std::string_view trailer_lines) {
  if (exchange.has_length && exchange.left_bytes > 0 && !exchange.is_head &&
      !IsBodiless(exchange.status)) {
    return Break();
  }
  if (exchange.encoder && !exchange.is_head) {
    std::string rest;
    if (exchange.encoder->Append({}, Encoder::Flush::kFinish, &rest) != CodingError::kOk) {
      return Break();
    }
    if (!rest.empty()) WriteFramed(exchange, std::move(rest));
  }
  if (exchange.chunked && !exchange.is_head) {
    std::string& out = loop_->scratch();
    out.clear();
    HeadWriter writer(out);
    writer.LastChunk();
    writer.Raw(trailer_lines);
    writer.End();
    Write(out);
  }
  ResponseDone(exchange);
}

// All of it is queued.
void ServerConnection::ResponseDone(Exchange& exchange) {
  exchange.response_done = true;
  exchange.encoder.reset();
  exchange.paused = false;
  loop_->counters().responses[exchange.status / 100].Add(1);
  if (loop_->observer()) Tell(exchange);
  if (options().measure_latency && exchange.request.head_) {
    if (loop_->busy() && exchange.began == loop_->began()) {
      // With all the others that these bytes have brought.
      loop_->AnsweredNow();
    } else {
      loop_->latency().Record(std::chrono::steady_clock::now() - exchange.began);
    }
  }
  if (!exchange.keep_alive || draining_) CloseAfter(exchange);
}

void ServerConnection::Tell(const Exchange& exchange) {
  const RequestHead* const head = exchange.request.head_;
  const auto duration =
      head ? std::chrono::steady_clock::now() - exchange.began : std::chrono::nanoseconds(0);
  const net::Address peer = head ? exchange.request.client() : stream_->peer_address();
  AccessRecord record;
  record.time = std::chrono::system_clock::now() - duration;
  record.peer = &peer;
  record.status = exchange.status;
  record.bytes = exchange.is_head ? 0 : exchange.body_bytes;
  record.duration = duration;
  record.request_id = exchange.reply.Get(FieldId::kXRequestId).value_or("");
  const std::shared_ptr<const RequestUser> user = exchange.request.Attached<RequestUser>();
  if (user) record.user = user->name;
  if (head) {
    record.method = head->method_text;
    record.target = head->target;
    if (exchange.http_1_0) record.protocol = "HTTP/1.0";
    record.referer = head->fields.Get(FieldId::kReferer).value_or("");
    record.user_agent = head->fields.Get(FieldId::kUserAgent).value_or("");
  }
  loop_->observer()->OnAnswered(record);
}

// ---- What comes from a PendingReply ------------------------------------------------------------

net::RefPtr<PendingReply> ServerConnection::Defer(Exchange& exchange) {
  if (!exchange.pending) {
    Keep(exchange);
    // The observer will want to see the request.
    if (loop_->observer() && exchange.request.head_) exchange.KeepHead(exchange.request.bytes_);
    exchange.pending = net::RefPtr<PendingReply>(
        new PendingReply(loop().mailbox(), this, stream_->options().high_watermark_bytes,
                         options().max_body_queue_bytes));
    // How long an answer takes is the handler's own affair.
    stream_->SetIdleTimeout(std::chrono::milliseconds(0));
  }
  return exchange.pending;
}

void ServerConnection::SendDeferred(Reply reply) {
  if (exchange_->answered) return;
  exchange_->reply.Merge(reply.head());
  Answer(*exchange_, std::move(reply.body()));
  Continue();
}

// Not inside another call of the loop's: what it answers may be followed by the next request.
void ServerConnection::CallDeferred(KeptRequest& request,
                                    absl::AnyInvocable<void(Request&, Response&)>& handler) {
  Exchange& exchange = *exchange_;
  if (exchange.answered) return;
  // It begins anew, so that whether the handler has answered can be seen.
  exchange.pending->Detach();
  exchange.pending = nullptr;
  stream_->SetIdleTimeout(stream_->options().idle_timeout);
  {
    // So that an answer through a Responder does not end the exchange under the handler.
    ServerLoop::Busy busy(*loop_);
    Response response(*this, exchange);
    // The observer looks here, also if the handler answers later.
    exchange.request.attached_ = request.attached_;
    handler(request, response);
    exchange.request.attached_ = std::move(request.attached_);
    if (!response.answered()) response.SendError(500);
  }
  if (exchange.upgrade) {
    const std::string behind = std::move(exchange.behind);
    return SwitchProtocol(exchange, behind);
  }
  Continue();
}

void ServerConnection::StartDeferred(const ReplyHead& head, std::optional<std::uint64_t> length) {
  Exchange& exchange = *exchange_;
  if (exchange.answered) return;
  exchange.reply.Merge(head);
  if (exchange.reply.error() != WriteError::kNone) {
    Answer(exchange, std::string_view());
    return Continue();
  }
  exchange.encoder = ChooseEncoder(exchange, length);
  if (exchange.encoder) MarkEncoded(exchange.reply, exchange.encoder.get_deleter().coding);
  BeginAnswer(exchange);
  exchange.streaming = true;
  WriteHead(exchange, length, {});
}

void ServerConnection::WriteBody(std::string bytes) {
  Exchange& exchange = *exchange_;
  if (closing_ || !exchange.streaming || exchange.response_done) return;
  // Events and the like are of use when they come out, not when the block is full.
  if (!WritePiece(exchange, std::move(bytes), Encoder::Flush::kSync)) return Break();
  // The writer sees this with the framing, of which Write() did not know.
  exchange.pending->queued_bytes.store(stream_->queued_bytes());
  Full() ? exchange.pending->full.store(true) : GoOnLater();
}

void ServerConnection::FinishBody(std::string_view trailer_lines) {
  Exchange& exchange = *exchange_;
  if (closing_ || !exchange.streaming || exchange.response_done) return;
  EndPieces(exchange, trailer_lines);
  Continue();
}

void ServerConnection::Break() {
  closing_ = true;
  stream_->Abort();
}

// ---- Response ----------------------------------------------------------------------------------

ReplyHead& Response::head() { return exchange_.reply; }

bool Response::answered() const {
  return exchange_.answered || exchange_.pending || exchange_.upgrade;
}

net::Loop& Response::loop() const { return connection_.loop(); }
net::Stream& Response::stream() const { return connection_.stream(); }

void Response::Send(std::string_view body) { connection_.Answer(exchange_, body); }

void Response::Send(ReplyBody body) { connection_.Answer(exchange_, std::move(body)); }

void Response::SendText(std::string_view text) {
  if (!head().Has(FieldId::kContentType)) head().Add(FieldId::kContentType, kTextPlain);
  Send(text);
}

void Response::SendJson(std::string_view json) {
  if (!head().Has(FieldId::kContentType)) head().Add(FieldId::kContentType, "application/json");
  Send(json);
}

void Response::SendNothing() {
  if (head().status() == 200) set_status(204);
  Send(std::string_view());
}

void Response::SendError(int status, std::string_view detail) {
  set_status(status);
  head().Set(FieldId::kContentType, kTextPlain);
  Send(detail.empty() ? StatusText(status) : detail);
}

void Response::Redirect(int status, std::string_view location) {
  set_status(status);
  head().Set(FieldId::kLocation, location);
  Send(std::string_view());
}

void Response::Send(Reply reply) {
  head().Merge(reply.head());
  Send(std::move(reply.body()));
}

Responder Response::Defer() { return Responder(connection_.Defer(exchange_)); }

void Response::Upgrade(std::string_view protocol, std::unique_ptr<net::StreamHandler> handler) {
  if (exchange_.request.head().upgrade == false) {
    Set(FieldId::kUpgrade, protocol);
    return SendError(426);
  }
  connection_.Upgrade(exchange_, protocol, std::move(handler));
}

void ServerConnection::Upgrade(Exchange& exchange, std::string_view protocol,
                               std::unique_ptr<net::StreamHandler> handler) {
  exchange.reply.Set(FieldId::kUpgrade, protocol);
  if (exchange.reply.error() != WriteError::kNone) return Answer(exchange, std::string_view());
  if (!BeginAnswer(exchange)) return;
  std::string& out = loop_->scratch();
  out.assign(StatusLine(101));
  out.append("Connection: Upgrade\r\n").append(loop_->common_lines());
  out.append(exchange.reply.lines()).append("\r\n");
  Write(out);
  exchange.status = 101;
  exchange.response_done = true;
  loop_->counters().responses[1].Add(1);
  exchange.upgrade = std::move(handler);
}

// ---- Responder and BodyWriter ------------------------------------------------------------------

Responder::Responder(net::RefPtr<PendingReply> pending) : pending_(std::move(pending)) {}
Responder::Responder(Responder&&) noexcept = default;

Responder& Responder::operator=(Responder&& other) noexcept {
  std::swap(pending_, other.pending_);  // What this one owes is settled by the other's end.
  return *this;
}

Responder::~Responder() {
  if (pending_) Send(Reply(500, kTextPlain, StatusText(500)));
}

void Responder::Send(Reply reply) {
  if (!pending_) return;
  const net::RefPtr<PendingReply> pending = std::exchange(pending_, nullptr);
  pending->Run([reply = std::move(reply)](ServerConnection& connection) mutable {
    connection.SendDeferred(std::move(reply));
  });
}

void Responder::SendExpected(Reply reply, bool more) {
  const net::RefPtr<PendingReply> pending = std::exchange(pending_, nullptr);
  pending->RunExpected(
      [reply = std::move(reply)](ServerConnection& connection) mutable {
        connection.SendDeferred(std::move(reply));
      },
      more);
}

BodyWriter Responder::Start(ReplyHead head, std::optional<std::uint64_t> length) {
  net::RefPtr<PendingReply> pending = std::exchange(pending_, nullptr);
  if (pending) {
    pending->Run([head = std::move(head), length](ServerConnection& connection) {
      connection.StartDeferred(head, length);
    });
  }
  return BodyWriter(std::move(pending));
}

void Responder::Call(KeptRequest request, absl::AnyInvocable<void(Request&, Response&)> handler) {
  if (!pending_) return;
  const net::RefPtr<PendingReply> pending = std::exchange(pending_, nullptr);
  pending->RunLater([request = std::move(request),
                     handler = std::move(handler)](ServerConnection& connection) mutable {
    connection.CallDeferred(request, handler);
  });
}

bool Responder::aborted() const { return pending_ && pending_->aborted(); }

void Responder::OnAbort(absl::AnyInvocable<void()> callback) {
  if (!pending_) return;
  if (pending_->aborted()) return callback();
  pending_->set_on_abort(std::move(callback));
}

class BodyWriter::Handle {
 public:
  explicit Handle(net::RefPtr<PendingReply> pending) : pending_(std::move(pending)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  ~Handle() { Abort(); }

  PendingReply* pending() const { return pending_.get(); }

  bool over() const { return !pending_ || over_.load(std::memory_order_relaxed); }

  // Once.
  bool End() { return pending_ && !over_.exchange(true); }

  void Abort() {
    if (!End()) return;
    pending_->Run([](ServerConnection& connection) { connection.Break(); });
  }

 private:
  const net::RefPtr<PendingReply> pending_;  // Null for a responder that was used before.
  std::atomic<bool> over_{false};
};

BodyWriter::BodyWriter(net::RefPtr<PendingReply> pending)
    : handle_(std::make_shared<Handle>(std::move(pending))) {}

net::Error BodyWriter::Write(std::string bytes) {
  if (handle_->over() || handle_->pending()->gone()) return net::Error::kClosed;
  PendingReply& pending = *handle_->pending();
  if (queued_bytes() + bytes.size() > pending.high_watermark_bytes) {
    // First this, then a look at the queue; the loop does it the other way round, so that who is
    // refused is told. Below the high watermark nobody would be, and so nobody is refused there.
    pending.full.store(true);
    const std::size_t queued = queued_bytes();
    if (queued > pending.high_watermark_bytes && queued + bytes.size() > pending.max_queued_bytes) {
      return net::Error::kQueueFull;
    }
  }
  if (pending.InLoopThread()) {
    if (!pending.attached()) return net::Error::kClosed;
    pending.Run([&bytes](ServerConnection& self) { self.WriteBody(std::move(bytes)); });
    return net::Error::kOk;
  }
  pending.posted_bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  pending.Run([&pending, bytes = std::move(bytes)](ServerConnection& self) mutable {
    pending.posted_bytes.fetch_sub(bytes.size(), std::memory_order_relaxed);
    self.WriteBody(std::move(bytes));
  });
  return net::Error::kOk;
}

void BodyWriter::Finish(const ReplyHead& trailers) {
  if (!handle_->End()) return;
  handle_->pending()->Run(
      [lines = std::string(trailers.lines())](ServerConnection& self) { self.FinishBody(lines); });
}

void BodyWriter::Abort() { handle_->Abort(); }

std::size_t BodyWriter::queued_bytes() const {
  const PendingReply* pending = handle_->pending();
  if (!pending) return 0;
  return pending->posted_bytes.load() + pending->queued_bytes.load();
}

void BodyWriter::OnWritable(absl::AnyInvocable<void()> callback) {
  if (handle_->pending()) handle_->pending()->set_on_writable(std::move(callback));
}

bool BodyWriter::aborted() const { return handle_->pending() && handle_->pending()->aborted(); }

}  // namespace strata::http
