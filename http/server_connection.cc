// The reading half of a connection: from bytes to a handler. What is written is in
// server_response.cc.

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "strata/http/forwarded.h"
#include "strata/http/server_connection_internal.h"
#include "strata/http/status.h"
#include "strata/http/uri.h"

namespace strata::http {

ServerConnection::~ServerConnection() {
  // Of a connection that went over to another protocol, as of one that closed.
  AbortExchange();
  if (loop_) loop_->counters().closed.Add(1);
}

void ServerConnection::OnOpen(net::Stream& stream) {
  stream_ = &stream;
  loop_ = &core_->ForLoop(stream.loop());
  loop_->counters().connections.Add(1);
  if (options().bans || options().connection_limits) Admit(stream.peer_address());
}

// Ends the connection at once if there should be none.
void ServerConnection::Admit(const net::Address& peer) {
  if (options().bans && options().bans->IsBanned(peer, std::chrono::steady_clock::now())) {
    loop_->counters().turned_away.Add(1);
    return Break();
  }
  if (!options().connection_limits) return;
  token_ = options().connection_limits->Admit(peer);
  if (token_) return;
  loop_->counters().turned_away.Add(1);
  Write(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Length: 0\r\n\r\n");
  Close();
}

void ServerConnection::OnReceive(net::Stream&, std::string_view bytes) {
  if (!closing_) Process(bytes);
}

// Goes on until the bytes are used up, or have to wait. What waits is in the exchange that is kept.
void ServerConnection::Process(std::string_view bytes) {
  ServerLoop::Busy busy(*loop_);
  std::string held;
  while (!closing_) {
    if (exchange_ && exchange_->Finished()) {
      std::string behind = std::move(exchange_->behind);
      Release();
      if (closing_) return;
      if (!behind.empty()) {
        behind.append(bytes);
        held = std::move(behind);
        bytes = held;
      }
      if (std::exchange(held_, false)) stream_->ResumeReceive();
    }
    // A body that was paused may have come to its end.
    if (bytes.empty() && !(exchange_ && std::exchange(exchange_->resumed, false))) return;
    if (!exchange_) {
      if (Full()) return Wait(bytes);
      bytes = BeginRequest(bytes);
      continue;
    }
    switch (exchange_->stage) {
      case Exchange::Stage::kHead:
        bytes = ContinueHead(bytes, held);
        break;
      case Exchange::Stage::kBody:
        if (exchange_->paused) return HoldBack(bytes);
        bytes = ContinueBody(*exchange_, bytes);
        break;
      case Exchange::Stage::kAnswering:
        if (!exchange_->body_open) return HoldBack(bytes);
        bytes = ContinueBody(*exchange_, bytes);
        break;
      case Exchange::Stage::kWaiting:
        return HoldBack(bytes);
    }
  }
  // It was refused.
  if (!exchange_) loop_->current().Reset();
}

// Something has happened to the exchange: goes on with what was held back, unless Process() is on
// the stack, which will.
void ServerConnection::Continue() {
  if (closing_ || !exchange_) return;
  if (loop_->busy()) {
    // With this connection, or with another one whose handler has answered this one's request.
    if (!exchange_->pending) return;
    loop().mailbox()->PostAlways([pending = exchange_->pending] {
      pending->Run([](ServerConnection& self) { self.Continue(); });
    });
    return;
  }
  std::string behind;
  if (!exchange_->Finished()) {
    if (exchange_->paused || !exchange_->body_open) return;
    behind = std::exchange(exchange_->behind, std::string());
    if (std::exchange(held_, false)) stream_->ResumeReceive();
  }
  Process(behind);
  if (ended_) LookAtEnd();
}

std::string_view ServerConnection::BeginRequest(std::string_view bytes) {
  Exchange& exchange = loop_->current();
  switch (exchange.parser.Parse(bytes)) {
    case ParseResult::kIncomplete: {
      Exchange& kept = Keep(exchange);
      kept.input.assign(bytes);
      kept.timer = std::make_unique<net::Timer>(loop(), [this] { OnHeaderTimeout(); });
      kept.timer->Arm(options().header_timeout);
      return {};
    }
    case ParseResult::kError:
      Refuse(exchange, exchange.parser.error());
      return {};
    case ParseResult::kComplete:
      break;
  }
  const std::size_t size = exchange.parser.head_bytes();
  return Dispatch(exchange, bytes.substr(0, size), bytes.substr(size));
}

std::string_view ServerConnection::ContinueHead(std::string_view bytes, std::string& held) {
  Exchange& exchange = *exchange_;
  exchange.input.append(bytes);
  switch (exchange.parser.Parse(exchange.input)) {
    case ParseResult::kIncomplete:
      return {};
    case ParseResult::kError:
      Refuse(exchange, exchange.parser.error());
      return {};
    case ParseResult::kComplete:
      break;
  }
  exchange.timer.reset();
  const std::size_t size = exchange.parser.head_bytes();
  held = exchange.input.substr(size);
  exchange.input.resize(size);
  return Dispatch(exchange, exchange.input, held);
}

// A request's head is complete. Returns what is left of the bytes behind it.
std::string_view ServerConnection::Dispatch(Exchange& exchange, std::string_view head_bytes,
                                            std::string_view rest) {
  const RequestHead& head = exchange.parser.head();
  loop_->counters().requests.Add(1);
  ++requests_;
  exchange.stage = Exchange::Stage::kAnswering;
  exchange.request.head_ = &head;
  exchange.request.bytes_ = head_bytes;
  exchange.began = loop_->began();
  exchange.request.finder_ = this;
  exchange.is_head = head.method == Method::kHead;
  exchange.http_1_0 = head.minor_version == 0;
  exchange.keep_alive = head.keep_alive;
  exchange.body_open = head.framing == Framing::kChunked ||
                       (head.framing == Framing::kLength && head.content_length > 0);
  if (!loop_->preferred_codings().empty()) NoteAcceptedCodings(exchange);

  // The client will send no more, for all that it says and has sent.
  exchange.last = !head.keep_alive && !exchange.body_open && rest.empty();

  if (!FindRoute(exchange)) {
    // It is answered.
  } else if (exchange.body_open &&
             head.content_length >
                 exchange.route->options.max_body_bytes.value_or(
                     exchange.route->handler ? options().limits.max_body_bytes : kUnlimitedBody)) {
    Refuse(exchange, ParseError::kBodyTooLarge);
    return {};
  } else if (RunMiddlewares(exchange.route->middlewares, exchange)) {
    if (exchange.body_open || exchange.route->streaming) {
      return TakeBody(exchange, head_bytes, rest);
    }
    RunHandler(exchange);
  }
  if (closing_) return {};
  if (exchange.upgrade) {
    SwitchProtocol(exchange, rest);
    return {};
  }
  if (exchange.body_open) {
    // Answered early: what comes of the body is dropped.
    exchange.decoder.Start(head.framing, head.content_length, options().limits);
    exchange.dropping = true;
    Keep(exchange).stage = Exchange::Stage::kAnswering;
    return rest;
  }
  HandlerDone(exchange);
  return rest;
}

// The route is chosen, and its handler wants the body.
std::string_view ServerConnection::TakeBody(Exchange& exchange, std::string_view head_bytes,
                                            std::string_view rest) {
  const RequestHead& head = exchange.parser.head();
  ParserLimits limits = options().limits;
  limits.max_body_bytes = exchange.route->options.max_body_bytes.value_or(
      exchange.route->handler ? limits.max_body_bytes : kUnlimitedBody);

  if (exchange.body_open && options().decompress_requests &&
      !BeginDecoding(exchange, limits.max_body_bytes)) {
    return {};
  }
  if (exchange.route->handler && !exchange.content_decoder && head.framing == Framing::kLength &&
      rest.size() >= head.content_length) {
    // It is here already.
    const auto size = static_cast<std::size_t>(head.content_length);
    exchange.request.body_ = rest.substr(0, size);
    exchange.body_open = false;
    exchange.last = !head.keep_alive && rest.size() == size;
    RunHandler(exchange);
    rest.remove_prefix(size);
    HandlerDone(exchange);
    return rest;
  }

  Keep(exchange).stage = Exchange::Stage::kBody;
  exchange.KeepHead(head_bytes);
  exchange.decoder.Start(head.framing, head.content_length, limits);
  if (exchange.route->streaming) BeginStreaming(exchange);
  if (closing_) return {};
  if (exchange.body_open && head.expect_continue && !exchange.answered && rest.empty()) {
    exchange.told_continue = true;
    Write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  if (!exchange.body_open) return ContinueBody(exchange, rest);
  if (options().min_body_bytes_per_second > 0 && !exchange.dropping) {
    stream_->SetMinReceiveRate(options().min_body_bytes_per_second, options().body_rate_window);
  }
  return rest;
}

// A handler has returned that had all of its request.
void ServerConnection::HandlerDone(Exchange& exchange) {
  exchange.request_done = true;
  if (&exchange == exchange_.get()) return;
  if (exchange.Finished()) {
    exchange.Reset();
  } else {
    Keep(exchange);
  }
}

// A piece of the body, for whom it is meant.
void ServerConnection::TakeData(Exchange& exchange, std::string_view data) {
  if (exchange.response_done && exchange.receiver) {
    exchange.receiver.reset();
    exchange.dropping = true;
  }
  if (exchange.dropping) {
    exchange.drained_bytes += data.size();
    if (exchange.drained_bytes > options().max_drained_bytes) Close();
  } else if (exchange.receiver) {
    exchange.receiver->OnData(data);
  } else {
    // Room for all that was announced, so that it is not moved as it grows; but for no more than 16
    // times what has come, for who only announces gets no memory.
    const std::uint64_t come = exchange.body.size() + data.size();
    if (come > exchange.body.capacity()) {
      exchange.body.reserve(static_cast<std::size_t>(
          std::max(come, std::min(exchange.parser.head().content_length, 16 * come))));
    }
    exchange.body.append(data);
  }
}

// Takes what there is of the body of the exchange that is kept. Returns what is behind its end.
std::string_view ServerConnection::ContinueBody(Exchange& exchange, std::string_view bytes) {
  // First what was left when the receiver paused.
  bool go_on = !exchange.content_decoder || exchange.dropping ||
               TakeCoded(exchange, std::exchange(exchange.coded, std::string()));
  while (!closing_) {
    if (!go_on || exchange.paused) {
      if (!bytes.empty()) HoldBack(bytes);
      return {};
    }
    const BodyDecoder::Step step = exchange.decoder.Next(bytes);
    bytes.remove_prefix(step.consumed);
    switch (step.state) {
      case BodyDecoder::State::kData:
        if (!exchange.content_decoder || exchange.dropping) {
          TakeData(exchange, step.data);
        } else {
          go_on = TakeCoded(exchange, step.data);
        }
        break;
      case BodyDecoder::State::kNeedMore:
        return {};
      case BodyDecoder::State::kError:
        if (exchange.dropping || exchange.answered) {
          Close();
        } else {
          Refuse(exchange, exchange.decoder.error());
        }
        return {};
      case BodyDecoder::State::kEnd:
        if (!EndCoded(exchange)) return {};
        exchange.body_open = false;
        stream_->SetMinReceiveRate(0, std::chrono::milliseconds(0));
        exchange.stage = Exchange::Stage::kAnswering;
        if (std::unique_ptr<BodyReceiver> receiver = std::move(exchange.receiver)) {
          receiver->OnEnd(exchange.decoder.trailers());
        } else if (!exchange.dropping && exchange.route->handler) {
          exchange.request.body_ = exchange.body;
          exchange.request.trailers_ = exchange.decoder.trailers();
          RunHandler(exchange);
        }
        exchange.request_done = true;
        return bytes;
    }
  }
  return {};
}

// For when the answer before is complete, or the receiver resumes.
void ServerConnection::HoldBack(std::string_view bytes) {
  exchange_->behind.append(bytes);
  if (exchange_->behind.size() >= options().max_pipelined_bytes || exchange_->paused) {
    held_ = true;
    stream_->PauseReceive();
  }
}

// So many answers are queued that the next request waits for them to leave.
void ServerConnection::Wait(std::string_view bytes) {
  Exchange& exchange = Keep(loop_->current());
  exchange.stage = Exchange::Stage::kWaiting;
  exchange.behind.assign(bytes);
  held_ = true;
  stream_->PauseReceive();
}

void ServerConnection::OnReceiveEnd(net::Stream&) {
  ended_ = true;
  LookAtEnd();
}

// The client has ended its half: what that means for what there is.
void ServerConnection::LookAtEnd() {
  if (closing_) return;
  // A body that is paused may be there to its end; whether it is shows when it goes on.
  if (exchange_ && exchange_->paused) return;
  if (!exchange_ || exchange_->stage == Exchange::Stage::kHead || exchange_->body_open) {
    // Between requests, or inside one that will never be complete.
    Close();
    return;
  }
  // The answer is still tried, for there are clients that end their half after a request.
  if (exchange_->pending && exchange_->stage == Exchange::Stage::kAnswering) {
    exchange_->pending->Abort();
  }
}

// In a turn of its own. Above the high watermark it is the stream that calls. Needs a pending
// reply.
void ServerConnection::GoOnLater() {
  if (std::exchange(exchange_->goes_on, true)) return;
  loop().mailbox()->PostAlways([pending = exchange_->pending] {
    pending->Run([](ServerConnection& self) {
      self.exchange_->goes_on = false;
      self.OnWritable(self.stream());
    });
  });
}

void ServerConnection::OnWritable(net::Stream&) {
  if (!exchange_ || closing_ || Full()) return;
  if (exchange_->stage == Exchange::Stage::kWaiting) {
    exchange_->request_done = exchange_->response_done = true;
  } else if (exchange_->producer) {
    Produce(*exchange_);
  } else if (exchange_->streaming && !exchange_->response_done) {
    const net::RefPtr<PendingReply> pending = exchange_->pending;
    pending->queued_bytes.store(stream_->queued_bytes());
    pending->Writable();
    return;
  }
  Continue();
}

void ServerConnection::OnDrain(net::Stream&) {
  draining_ = true;
  if (exchange_) return;
  const std::chrono::milliseconds grace = options().drain_grace;
  if (grace.count() <= 0) return Close();
  drain_timer_ = std::make_unique<net::Timer>(loop(), [this] {
    if (!exchange_) Close();  // Else its answer ends the connection.
  });
  drain_timer_->Arm(grace);
}

void ServerConnection::OnClosed(net::Stream&, net::Error) {
  closing_ = true;
  AbortExchange();
}

void ServerConnection::OnHeaderTimeout() {
  loop_->counters().timeouts.Add(1);
  Strike(*exchange_);
  AnswerStatus(*exchange_, 408, "the head of the request took too long\n");
  Close();
}

// The exchange stays with the connection.
Exchange& ServerConnection::Keep(Exchange& exchange) {
  if (!exchange_) {
    exchange_ = loop_->Take();
    exchange.was_kept = true;
  }
  return exchange;
}

// The exchange that was kept is over.
void ServerConnection::Release() {
  if (exchange_->pending) {
    exchange_->pending->Detach();
    exchange_->pending->Forget();
    stream_->SetIdleTimeout(stream_->options().idle_timeout);
  }
  loop_->GiveBack(std::move(exchange_));
}

// It will never be complete.
void ServerConnection::AbortExchange() {
  if (!exchange_) return;
  std::unique_ptr<Exchange> exchange = std::move(exchange_);
  // First, for what is called below may want to answer.
  if (exchange->pending) exchange->pending->Detach();
  if (std::unique_ptr<BodyReceiver> receiver = std::move(exchange->receiver)) receiver->OnAbort();
  if (exchange->pending && !exchange->response_done) {
    loop_->counters().aborted.Add(1);
    exchange->pending->Gone();
  }
  if (exchange->pending) exchange->pending->Forget();
  loop_->GiveBack(std::move(exchange));
}

void ServerConnection::Close() {
  if (closing_) return;
  closing_ = true;
  stream_->Close();
}

// After the last answer. Who has nothing more to send cannot be answered with a reset, and need not
// be waited for: that is two system calls and a turn of the loop less.
void ServerConnection::CloseAfter(const Exchange& exchange) {
  if (closing_) return;
  closing_ = true;
  if (exchange.last && exchange.behind.empty()) {
    stream_->CloseAfterSending();
  } else {
    stream_->Close();
  }
}

// Who asks, and how: the peer, or what trusted proxies say.
void ServerConnection::FindClient(const Request& request) const {
  request.client_ = stream_->peer_address();
  request.secure_ = stream_->tls() != nullptr;
  const NetworkSet& trusted = options().trusted_proxies;
  if (trusted.empty() || !trusted.Contains(request.client_)) return;

  // Lines beyond these are not looked at; the last ones count.
  static constexpr std::size_t kMaxLines = 16;
  struct Lines {
    std::array<std::string_view, kMaxLines> values;
    std::size_t count = 0;
    std::span<const std::string_view> span() const { return std::span(values).first(count); }
  };
  const auto lines_of = [&request](FieldId id) {
    Lines lines;
    std::size_t skipped = request.fields().Count(id);
    skipped -= std::min(skipped, kMaxLines);
    for (const Field& field : request.fields()) {
      if (field.id != id) continue;
      if (skipped > 0) {
        --skipped;
      } else {
        lines.values[lines.count++] = field.value;
      }
    }
    return lines;
  };
  ForwardedClient client;
  if (options().forwarded_by == ServerOptions::ForwardedBy::kForwarded) {
    const Lines lines = lines_of(FieldId::kForwarded);
    client = ClientOf(request.client_, trusted, ForwardedLines{lines.span()});
  } else {
    const Lines names = lines_of(FieldId::kXForwardedFor);
    const Lines protos = lines_of(FieldId::kXForwardedProto);
    client =
        ClientOf(request.client_, trusted,
                 XForwardedLines{
                     .for_values = names.span(), .proto_values = protos.span(), .host_values = {}});
  }
  request.client_ = client.address;
  if (!client.proto.empty()) request.secure_ = client.proto == "https";
}

// False if it was answered.
bool ServerConnection::FindRoute(Exchange& exchange) {
  const RequestHead& head = exchange.parser.head();
  if (head.form == TargetForm::kAsterisk || head.form == TargetForm::kAuthority) {
    AnswerWithoutRoute(exchange, nullptr);
    return false;
  }
  const RouteMatch match = core_->routes().Match(head);
  if (!match.found()) {
    AnswerWithoutRoute(exchange, &match);
    return false;
  }
  exchange.route = &core_->routes().route(match.value());
  if (match.size() == 0 || FillParams(exchange, match)) return true;
  AnswerStatus(exchange, 400, "a segment of the path is malformed\n");
  return false;
}

bool ServerConnection::FillParams(Exchange& exchange, const RouteMatch& match) {
  const std::string_view path = exchange.parser.head().path;
  // What is neither encoded nor may be a dot segment is not written anywhere.
  const bool rewritten =
      path.find('%') != std::string_view::npos || path.find("/.") != std::string_view::npos;
  // As much as all captures together can be, so that it never moves.
  if (rewritten) exchange.decoded.reserve(path.size() + match.size());
  for (std::size_t i = 0; i < match.size(); ++i) {
    const bool rest = exchange.route->captures_rest && i + 1 == match.size();
    std::string_view raw = match.capture(i);
    // A rest is what follows a slash, and is read as a path with that.
    if (rest) raw = std::string_view(raw.data() - 1, raw.size() + 1);
    std::span<char> storage;
    const std::size_t at = exchange.decoded.size();
    if (rewritten) {
      exchange.decoded.resize(at + raw.size());
      storage = std::span(exchange.decoded).subspan(at);
    }
    const Decoded decoded = rest ? DecodePath(raw, {}, storage) : DecodeSegment(raw, {}, storage);
    if (!decoded.ok()) return false;
    exchange.params[i] = {match.name(i), rest ? decoded.text.substr(1) : decoded.text};
  }
  exchange.request.params_ = std::span(exchange.params).first(match.size());
  return true;
}

// 404, 405, and what OPTIONS is answered with.
void ServerConnection::AnswerWithoutRoute(Exchange& exchange, const RouteMatch* match) {
  if (!RunMiddlewares(core_->routes().always(), exchange)) return;
  const Method method = exchange.parser.head().method;
  const bool known = match && match->outcome() == RouteMatch::Outcome::kMethodNotAllowed;
  Response response(*this, exchange);
  if (known || (!match && method == Method::kOptions)) {
    response.Set(FieldId::kAllow,
                 known ? RouteTable::Allow(match->allowed_methods()) : core_->routes().allow_any());
    if (method == Method::kOptions) return response.SendNothing();
    return response.SendError(method == Method::kOther ? 501 : 405);
  }
  if (!match) return response.SendError(501);  // CONNECT.
  const Handler* const not_found = core_->routes().not_found();
  if (!not_found) return response.SendError(404);
  exchange.reply.set_status(404);
  (*not_found)(exchange.request, response);
  if (!response.answered()) response.SendError(404);
}

// False if one of them has answered.
bool ServerConnection::RunMiddlewares(const MiddlewareList& middlewares, Exchange& exchange) {
  Response response(*this, exchange);
  for (const std::shared_ptr<const Middleware>& middleware : middlewares) {
    (*middleware)(exchange.request, response);
    if (response.answered()) return false;
  }
  return true;
}

void ServerConnection::RunHandler(Exchange& exchange) {
  Response response(*this, exchange);
  (*exchange.route->handler)(exchange.request, response);
  if (!response.answered()) response.SendError(500);
}

// 101 is written, and the connection goes to its new handler, with what has come behind the
// request.
void ServerConnection::SwitchProtocol(Exchange& exchange, std::string_view rest) {
  loop_->counters().upgrades.Add(1);
  closing_ = true;
  std::unique_ptr<net::StreamHandler> handler = std::move(exchange.upgrade);
  net::StreamHandler& next = *handler;
  // This object is destroyed at the end of the loop's turn.
  if (stream_->SetHandler(std::move(handler)) != net::Error::kOk) return;
  next.OnOpen(*stream_);
  if (!rest.empty() && stream_->is_open()) next.OnReceive(*stream_, rest);
}

void ServerConnection::BeginStreaming(Exchange& exchange) {
  net::RefPtr<PendingReply> pending = Defer(exchange);
  exchange.receiver =
      (*exchange.route->streaming)(exchange.request, Responder(pending), BodyControl(pending));
  if (!exchange.receiver) exchange.dropping = true;
}

// A rule is broken: the answer says which, and the connection ends.
void ServerConnection::Refuse(Exchange& exchange, ParseError error) {
  Refuse(exchange, StatusOf(error), ToString(error));
}

void ServerConnection::Refuse(Exchange& exchange, int status, std::string_view detail) {
  loop_->counters().refused.Add(1);
  Strike(exchange);
  std::string line(detail);
  line.push_back('\n');
  // Before the receiver goes, which may hold the responder.
  AnswerStatus(exchange, status, line);
  if (std::unique_ptr<BodyReceiver> receiver = std::move(exchange.receiver)) receiver->OnAbort();
  Close();
}

void ServerConnection::Strike(const Exchange& exchange) {
  if (!options().bans) return;
  options().bans->Strike(
      exchange.request.head_ ? exchange.request.client() : stream_->peer_address(),
      std::chrono::steady_clock::now());
}

void ServerConnection::AnswerStatus(Exchange& exchange, int status, std::string_view detail) {
  if (exchange.answered) return;
  exchange.keep_alive = false;
  Response(*this, exchange).SendError(status, detail);
}

void ServerConnection::PauseBody() {
  if (exchange_ && exchange_->body_open) exchange_->paused = true;
}

void ServerConnection::ResumeBody() {
  if (!exchange_ || !std::exchange(exchange_->paused, false)) return;
  exchange_->resumed = true;
  Continue();
}

}  // namespace strata::http
