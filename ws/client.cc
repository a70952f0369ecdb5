// The opening handshake of a client.

#include "strata/ws/client.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/http/head_writer.h"
#include "strata/http/response_parser.h"
#include "strata/http/text.h"
#include "strata/http/uri.h"
#include "strata/http/url.h"
#include "strata/net/timer.h"
#include "strata/ws/handshake.h"
#include "strata/ws/mask_keys_internal.h"

namespace strata::ws {
namespace {

using http::FieldId;

constexpr std::string_view kStatusPayload = "strata/http-status";

absl::Status WithStatus(absl::Status why, int status) {
  why.SetPayload(kStatusPayload, absl::Cord(absl::StrCat(status)));
  return why;
}

absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
    case 407:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

// Fields that are the handshake's own, the connection's, or a body's.
bool IsReserved(std::string_view name) {
  constexpr std::string_view kOwn = "sec-websocket-";
  if (http::EqualsIgnoreCase(name.substr(0, kOwn.size()), kOwn)) return true;
  constexpr std::array kReserved = {
      FieldId::kHost,
      FieldId::kConnection,
      FieldId::kUpgrade,
      FieldId::kOrigin,
      FieldId::kContentLength,
      FieldId::kTransferEncoding,
      FieldId::kExpect,
      FieldId::kTe,
      FieldId::kTrailer,
      FieldId::kKeepAlive,
      FieldId::kProxyConnection,
      FieldId::kProxyAuthorization,
  };
  return std::find(kReserved.begin(), kReserved.end(), http::FieldIdOf(name)) != kReserved.end();
}

absl::Status CheckSubprotocols(const std::vector<std::string>& names) {
  if (names.size() > kMaxSubprotocols) {
    return absl::InvalidArgumentError("too many subprotocols are offered");
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!http::IsToken(names[i]) ||
        std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
            names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return absl::InvalidArgumentError("the subprotocols are not tokens that are all different");
    }
  }
  return absl::OkStatus();
}

// What a refusal has for a body is not read, so it may be of any size.
http::ParserLimits OfHeads(http::ParserLimits limits) {
  limits.max_body_bytes = http::kUnlimitedBody;
  return limits;
}

// Inflates with a pool that lives for as long as this does.
class PooledInflater final : public MessageInflater {
 public:
  PooledInflater(std::shared_ptr<DeflatePool> pool, const DeflateParameters& agreed)
      : pool_(std::move(pool)), inflater_(MakeInflater(agreed, Role::kClient, pool_.get())) {}

  InflateState Inflate(std::string_view* input, std::span<char> room,
                       std::size_t* written) override {
    return inflater_->Inflate(input, room, written);
  }
  InflateState Finish(std::span<char> room, std::size_t* written) override {
    return inflater_->Finish(room, written);
  }

 private:
  const std::shared_ptr<DeflatePool> pool_;
  const std::unique_ptr<MessageInflater> inflater_;
};

class PooledDeflater final : public MessageDeflater {
 public:
  PooledDeflater(std::shared_ptr<DeflatePool> pool, const DeflateParameters& agreed)
      : pool_(std::move(pool)), deflater_(MakeDeflater(agreed, Role::kClient, pool_.get())) {}

  std::optional<std::string_view> Deflate(std::string_view message) override {
    return deflater_->Deflate(message);
  }

 private:
  const std::shared_ptr<DeflatePool> pool_;
  const std::unique_ptr<MessageDeflater> deflater_;
};

// A handshake that is under way. All on the loop's thread.
class Opening final : public net::Connecting, private net::LoopMember {
 public:
  Opening(net::Loop& loop, std::string_view url, std::unique_ptr<SocketHandler> handler,
          const ClientOptions& options, absl::AnyInvocable<void(absl::Status)> done)
      : loop_(loop),
        url_text_(url),
        options_(options),
        handler_(std::move(handler)),
        done_(std::move(done)),
        parser_(OfHeads(options.limits)) {}

  void Start(net::Resolver& resolver);
  void Cancel() override {
    if (deadline_) FinishLater(absl::CancelledError(Text("given up")));
  }

 private:
  class Shim;
  enum class Stage : std::uint8_t { kConnecting, kProxy, kTls, kServer };

  std::string Text(std::string_view why) const {
    return absl::StrCat("WebSocket to ", url_.host, ": ", why);
  }

  absl::Status Prepare();
  absl::Status PrepareProxy();
  absl::Status PrepareRequest();

  void Opened(net::Stream& stream);
  void Secure(net::Stream& stream);
  void Ask(net::Stream& stream, Stage stage, std::string_view request, http::Method method);
  void Receive(net::Stream& stream, std::string_view bytes);
  void ProxyAnswered(net::Stream& stream);
  void ServerAnswered(net::Stream& stream);
  absl::Status Refusal(std::string_view who) const;
  absl::Status Check();
  absl::Status CheckDeflate(Socket::Setup& setup);
  void Closed(net::Stream& stream, net::Error error);

  void FinishLater(absl::Status status) {
    loop_.mailbox()->PostAlways(
        [self = net::RefPtr<Opening>(this), status] { self->Finish(status); });
  }
  void Finish(absl::Status status);
  void Leave();

  void OnDrain() override { Cancel(); }
  void OnLoopEnd() override { Leave(); }

  net::Loop& loop_;
  const std::string url_text_;
  const ClientOptions options_;
  std::unique_ptr<SocketHandler> handler_;
  absl::AnyInvocable<void(absl::Status)> done_;
  http::Url url_;
  std::optional<http::Url> proxy_;
  std::string tunnel_request_;
  std::string request_;
  std::string accept_;  // What the server has to answer.
  std::string subprotocol_;
  Stage stage_ = Stage::kConnecting;
  http::ResponseParser parser_;
  std::string held_;
  int interim_ = 0;
  net::RefPtr<net::Connecting> connecting_;
  net::StreamPtr stream_;                 // The connection beneath; null before.
  std::unique_ptr<net::Timer> deadline_;  // While it is a member of the loop.
};

// What a stream owns.
class Opening::Shim final : public net::StreamHandler {
 public:
  explicit Shim(Opening* opening) : opening_(opening) {}

  void OnOpen(net::Stream& stream) override { opening_->Opened(stream); }
  void OnReceive(net::Stream& stream, std::string_view bytes) override {
    opening_->Receive(stream, bytes);
  }
  void OnReceiveEnd(net::Stream& stream) override {
    opening_->Closed(stream, net::Error::kOk);
    stream.Abort();
  }
  void OnDrain(net::Stream&) override {}  // The opening is told itself.
  void OnClosed(net::Stream& stream, net::Error error) override { opening_->Closed(stream, error); }

 private:
  const net::RefPtr<Opening> opening_;
};

void Opening::Start(net::Resolver& resolver) {
  if (loop_.ended()) return;
  Ref();  // The loop's, until Leave().
  loop_.Add(*this);
  deadline_ = std::make_unique<net::Timer>(
      loop_, [this] { Finish(absl::DeadlineExceededError(Text("not open in time"))); });
  if (options_.timeout.count() > 0) deadline_->Arm(options_.timeout);
  absl::Status status = Prepare();
  if (!status.ok()) return FinishLater(std::move(status));
  connecting_ = net::Connect(
      loop_, resolver, proxy_ ? proxy_->Authority() : url_.Authority(),
      std::make_unique<Shim>(this),
      [self = net::RefPtr<Opening>(this)](absl::Status failed) {
        if (!failed.ok()) self->Finish(std::move(failed));
      },
      options_.connect);
}

absl::Status Opening::Prepare() {
  absl::StatusOr<http::Url> url = http::Url::Parse(url_text_);
  if (!url.ok()) return url.status();
  url_ = *std::move(url);
  if (url_.scheme != "ws" && url_.scheme != "wss") {
    return absl::InvalidArgumentError(Text("the scheme is neither ws nor wss"));
  }
  if (!url_.fragment.empty() || url_text_.find('#') != std::string::npos) {
    return absl::InvalidArgumentError(Text("a URL of WebSocket has no fragment"));
  }
  if (!url_.user_info.empty()) {
    return absl::InvalidArgumentError(Text("credentials belong in a field, not in the URL"));
  }
  if (url_.scheme == "wss" && !options_.secure) {
    return absl::InvalidArgumentError(Text("no ClientOptions::secure for wss"));
  }
  absl::Status status = CheckSubprotocols(options_.subprotocols);
  if (status.ok()) status = PrepareRequest();
  if (status.ok() && !options_.proxy.empty()) status = PrepareProxy();
  return status;
}

absl::Status Opening::PrepareRequest() {
  std::array<std::uint8_t, 16> nonce;
  FillRandom(nonce);
  const std::string key = WebSocketKey(nonce);
  accept_ = WebSocketAccept(key);
  http::HeadWriter writer(request_);
  writer.RequestLine(http::Method::kGet, url_.target);
  writer.Field(FieldId::kHost, url_.HostField());
  writer.Field(FieldId::kUpgrade, "websocket");
  writer.Field(FieldId::kConnection, "Upgrade");
  writer.Field(FieldId::kSecWebSocketKey, key);
  writer.Field(FieldId::kSecWebSocketVersion, kWebSocketVersion);
  if (!options_.origin.empty()) writer.Field(FieldId::kOrigin, options_.origin);
  if (!options_.subprotocols.empty()) {
    std::string all;
    for (const std::string& name : options_.subprotocols) {
      absl::StrAppend(&all, all.empty() ? "" : ", ", name);
    }
    writer.Field(FieldId::kSecWebSocketProtocol, all);
  }
  if (options_.deflate) {
    writer.Field(FieldId::kSecWebSocketExtensions, DeflateOffer(*options_.deflate));
  }
  for (const auto& [name, value] : options_.fields) {
    if (IsReserved(name)) {
      return absl::InvalidArgumentError(Text("a field of ClientOptions is the handshake's own"));
    }
    writer.Field(name, value);
  }
  writer.End();
  if (writer.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(Text(http::ToString(writer.error())));
}

absl::Status Opening::PrepareProxy() {
  absl::StatusOr<http::Url> proxy = http::Url::Parse(options_.proxy);
  // Not with its text, which has a password.
  if (!proxy.ok()) return absl::InvalidArgumentError("the proxy's URL is not good");
  if (proxy->scheme != "http") {
    return absl::InvalidArgumentError("a proxy's URL must be of http");
  }
  http::HeadWriter writer(tunnel_request_);
  writer.RequestLine(http::Method::kConnect, url_.Authority());
  writer.Field(FieldId::kHost, url_.Authority());
  if (!proxy->user_info.empty()) {
    std::string storage(proxy->user_info.size(), '\0');
    std::string credentials(http::PercentDecode(proxy->user_info, storage).text);
    if (credentials.find(':') == std::string::npos) credentials += ':';
    writer.Field(FieldId::kProxyAuthorization,
                 absl::StrCat("Basic ", absl::Base64Escape(credentials)));
  }
  writer.End();
  proxy_ = *std::move(proxy);
  return absl::OkStatus();
}

void Opening::Opened(net::Stream& stream) {
  if (!deadline_) return stream.Abort();
  if (stage_ == Stage::kTls) return Ask(stream, Stage::kServer, request_, http::Method::kGet);
  stream_ = net::StreamPtr(&stream);
  if (proxy_) return Ask(stream, Stage::kProxy, tunnel_request_, http::Method::kConnect);
  Secure(stream);
}

// The way to the server is there.
void Opening::Secure(net::Stream& stream) {
  if (url_.scheme != "wss") return Ask(stream, Stage::kServer, request_, http::Method::kGet);
  auto layer = options_.secure->Wrap(url_.host, std::make_unique<Shim>(this));
  if (!layer.ok()) return Finish(layer.status());
  stage_ = Stage::kTls;
  net::StreamHandler& handler = **layer;
  if (stream.SetHandler(*std::move(layer)) == net::Error::kOk) handler.OnOpen(stream);
}

void Opening::Ask(net::Stream& stream, Stage stage, std::string_view request, http::Method method) {
  stage_ = stage;
  parser_.Reset(method);
  const net::Error error = stream.Write(request);
  if (error != net::Error::kOk) Finish(net::ToStatus(error, Text("write")));
}

void Opening::Receive(net::Stream& stream, std::string_view bytes) {
  if (!deadline_) return;
  held_ += bytes;
  for (;;) {
    const http::ParseResult result = parser_.Parse(held_);
    if (result == http::ParseResult::kIncomplete) return;
    if (result == http::ParseResult::kError) {
      return Finish(absl::DataLossError(Text(http::ToString(parser_.error()))));
    }
    if (!parser_.head().interim) break;
    if (++interim_ > options_.max_interim_responses) {
      return Finish(absl::DataLossError(Text("too many interim responses")));
    }
    held_.erase(0, parser_.head_bytes());
    parser_.Reset(stage_ == Stage::kProxy ? http::Method::kConnect : http::Method::kGet);
  }
  stage_ == Stage::kProxy ? ProxyAnswered(stream) : ServerAnswered(stream);
}

absl::Status Opening::Refusal(std::string_view who) const {
  const http::ResponseHead& head = parser_.head();
  std::string text = absl::StrCat(who, " answers ", head.status, " ", head.reason);
  if (const auto location = head.fields.Get(FieldId::kLocation)) {
    absl::StrAppend(&text, ", to ", *location);
  }
  return WithStatus(absl::Status(CodeOf(head.status), Text(text)), head.status);
}

// Servers of HTTP and of TLS wait for the client: what a proxy has behind its head comes from the
// proxy.
void Opening::ProxyAnswered(net::Stream& stream) {
  if (!parser_.head().tunnel || parser_.head().status == 101) return Finish(Refusal("the proxy"));
  if (held_.size() != parser_.head_bytes()) {
    return Finish(absl::DataLossError(Text("the proxy sends bytes of its own into the tunnel")));
  }
  held_.clear();
  Secure(stream);
}

// RFC 6455 section 4.1, what the client must validate of the server's response.
absl::Status Opening::Check() {
  const http::ResponseHead& head = parser_.head();
  if (head.status != 101) return Refusal("the server");
  const auto bad = [&](std::string_view what) {
    return absl::DataLossError(Text(absl::StrCat("the server's answer: ", what)));
  };
  if (head.minor_version < 1) return bad("101 of HTTP/1.0");
  if (head.fields.Count(FieldId::kUpgrade) != 1 ||
      !http::EqualsIgnoreCase(*head.fields.Get(FieldId::kUpgrade), "websocket")) {
    return bad("Upgrade is not websocket");
  }
  if (!head.fields.HasToken(FieldId::kConnection, "upgrade")) return bad("Connection, no upgrade");
  if (head.fields.Count(FieldId::kSecWebSocketAccept) != 1 ||
      *head.fields.Get(FieldId::kSecWebSocketAccept) != accept_) {
    return bad("Sec-WebSocket-Accept does not belong to the key");
  }
  const std::size_t protocols = head.fields.Count(FieldId::kSecWebSocketProtocol);
  if (protocols == 0) return absl::OkStatus();
  subprotocol_ = *head.fields.Get(FieldId::kSecWebSocketProtocol);
  const auto& offered = options_.subprotocols;
  if (protocols != 1 || std::find(offered.begin(), offered.end(), subprotocol_) == offered.end()) {
    return bad("a subprotocol that was not offered");
  }
  return absl::OkStatus();
}

absl::Status Opening::CheckDeflate(Socket::Setup& setup) {
  std::string answer;
  for (const http::Field& field : parser_.head().fields) {
    if (field.id != FieldId::kSecWebSocketExtensions || field.value.empty()) continue;
    absl::StrAppend(&answer, answer.empty() ? "" : ", ", field.value);
  }
  if (answer.empty()) return absl::OkStatus();
  DeflateParameters agreed;
  const DeflateChoice choice = options_.deflate
                                   ? CheckDeflateResponse(answer, *options_.deflate, &agreed)
                                   : DeflateChoice::kBad;
  if (choice == DeflateChoice::kBad) {
    return absl::DataLossError(Text("the server's answer: an extension that was not offered"));
  }
  if (choice == DeflateChoice::kNone) return absl::OkStatus();
  std::shared_ptr<DeflatePool> pool = options_.deflate_pool;
  if (!pool) pool = std::make_shared<DeflatePool>();
  setup.inflater = std::make_unique<PooledInflater>(pool, agreed);
  setup.deflater = std::make_unique<PooledDeflater>(std::move(pool), agreed);
  return absl::OkStatus();
}

void Opening::ServerAnswered(net::Stream& stream) {
  Socket::Setup setup;
  absl::Status status = Check();
  if (status.ok()) status = CheckDeflate(setup);
  if (!status.ok()) return Finish(std::move(status));
  SocketOptions socket = options_.socket;
  socket.decoder.role = Role::kClient;
  setup.role = Role::kClient;
  setup.options = std::make_shared<const SocketOptions>(socket);
  setup.handler = std::move(handler_);
  setup.subprotocol = std::make_shared<const std::string>(std::move(subprotocol_));
  setup.mask_keys = SystemMaskKeys();

  const net::StreamPtr kept(&stream);
  std::unique_ptr<net::StreamHandler> next = Socket::MakeStreamHandler(std::move(setup));
  net::StreamHandler& handler = *next;
  // The one that calls this is destroyed at the end of the loop's turn.
  const net::Error error = stream.SetHandler(std::move(next));
  if (error != net::Error::kOk) return Finish(net::ToStatus(error, Text("the connection")));
  stream_ = nullptr;
  handler.OnOpen(stream);
  std::string rest = held_.substr(parser_.head_bytes());
  Finish(absl::OkStatus());
  if (!rest.empty() && stream.is_open()) handler.OnReceive(stream, rest);
}

void Opening::Closed(net::Stream& stream, net::Error error) {
  if (!deadline_) return;
  // Before any attempt has connected, Connect() tells.
  if (error == net::Error::kTls && stage_ == Stage::kTls) {
    return Finish(absl::UnauthenticatedError(Text(options_.secure->Failure(stream))));
  }
  if (error == net::Error::kOk) {
    return Finish(absl::UnavailableError(Text("the connection ended before the handshake")));
  }
  Finish(net::ToStatus(error, Text("the connection")));
}

void Opening::Finish(absl::Status status) {
  if (!deadline_) return;
  const net::RefPtr<Opening> self(this);
  absl::AnyInvocable<void(absl::Status)> done = std::move(done_);
  if (connecting_) connecting_->Cancel();
  if (stream_) stream_->Abort();
  Leave();
  loop_.Call("WebSocket done", [&] { done(std::move(status)); });
}

void Opening::Leave() {
  deadline_.reset();
  connecting_ = nullptr;
  stream_ = nullptr;
  handler_.reset();
  done_ = nullptr;
  loop_.Remove(*this);
  Unref();
}

}  // namespace

net::RefPtr<net::Connecting> ConnectWebSocket(net::Loop& loop, net::Resolver& resolver,
                                              std::string_view url,
                                              std::unique_ptr<SocketHandler> handler,
                                              const ClientOptions& options,
                                              absl::AnyInvocable<void(absl::Status)> done) {
  net::RefPtr<Opening> opening(
      new Opening(loop, url, std::move(handler), options, std::move(done)));
  opening->Start(resolver);
  return opening;
}

int AnsweredStatus(const absl::Status& status) {
  int answered = 0;
  const auto payload = status.GetPayload(kStatusPayload);
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &answered)) return 0;
  return answered;
}

}  // namespace strata::ws
