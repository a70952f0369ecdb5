// Requests out, responses in.

#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/client_connection_internal.h"
#include "strata/http/client_fetch_internal.h"
#include "strata/http/client_tunnel_internal.h"

namespace strata::http {
namespace {

class Handler final : public net::StreamHandler {
 public:
  explicit Handler(net::RefPtr<ClientConnection> connection) : connection_(std::move(connection)) {}

  void OnOpen(net::Stream& stream) override { connection_->Opened(stream); }
  void OnReceive(net::Stream&, std::string_view bytes) override { connection_->Received(bytes); }
  void OnReceiveEnd(net::Stream&) override { connection_->ReceiveEnded(); }
  void OnWritable(net::Stream&) override { connection_->Writable(); }
  void OnDrain(net::Stream& stream) override { connection_->Drain(stream); }
  void OnClosed(net::Stream& stream, net::Error error) override {
    connection_->Closed(stream, error);
  }

 private:
  const net::RefPtr<ClientConnection> connection_;
};

}  // namespace

ClientConnection::ClientConnection(ClientCore& core, const ClientRoute& route)
    : core_(&core), route_(route), parser_([&] {
        ParserLimits limits = core.options().limits;
        limits.max_body_bytes = kUnlimitedBody;  // The job's matter, by the response.
        return limits;
      }()) {}

ClientConnection::~ClientConnection() = default;

// ---- Opening -----------------------------------------------------------------------------------

void ClientConnection::Start(FetchJob& job) {
  job_ = &job;
  job.Attach(*this);
  core_->counters().connections.Add(1);
  const net::RefPtr<ClientConnection> self(this);
  std::unique_ptr<net::StreamHandler> handler = std::make_unique<Handler>(self);
  if (route_.secure) {
    auto layered = core_->options().secure->Wrap(route_.host, std::move(handler));
    if (!layered.ok()) {
      core_->loop().mailbox()->PostAlways(
          [self, status = layered.status()] { self->Failed(status); });
      return;
    }
    handler = *std::move(layered);
  }
  if (!route_.tunnel.empty()) handler = NewTunnel(self, *core_, std::move(handler));
  connecting_ = net::Connect(
      core_->loop(), core_->resolver(), route_.target, std::move(handler),
      [self](absl::Status status) {
        self->connecting_ = nullptr;
        if (!status.ok()) self->Failed(std::move(status));
      },
      core_->options().connect);
}

void ClientConnection::Failed(absl::Status status) {
  if (state_ != State::kOpening) return;
  const net::RefPtr<ClientConnection> self(this);
  const net::RefPtr<FetchJob> job(std::exchange(job_, nullptr));
  state_ = State::kClosed;
  core_->Remove(*this);
  if (job) job->OnNotConnected(std::move(status));
}

void ClientConnection::Opened(net::Stream& stream) {
  if (state_ != State::kOpening) return stream.Abort();
  const net::RefPtr<ClientConnection> self(this);
  stream_ = net::StreamPtr(&stream);
  state_ = State::kFree;
  if (job_) {
    Send(*job_);
  } else {
    stream_->SetIdleTimeout(core_->options().keep_alive);
    core_->Free(*this);
  }
}

void ClientConnection::End() {
  job_ = nullptr;
  upload_ = {};
  continue_timer_.reset();
  state_ = State::kClosed;
  if (connecting_) connecting_->Cancel();
  if (stream_) stream_->Abort();
}

// ---- The request -------------------------------------------------------------------------------

void ClientConnection::Send(FetchJob& job) {
  const net::RefPtr<ClientConnection> self(this);
  job_ = &job;
  job.Attach(*this);
  state_ = State::kBusy;
  stage_ = Stage::kHead;
  keep_alive_ = true;
  received_ = paused_ = ended_ = false;
  interim_ = 0;
  parser_.Reset(job.method());
  core_->counters().sent.Add(1);
  if (requests_++ > 0) core_->counters().reused.Add(1);
  stream_->SetIdleTimeout(core_->options().idle_timeout);

  std::string out = job.TakeHead();
  upload_ = job.TakeUpload();
  if (job.expects_continue()) {
    continue_timer_ = std::make_unique<net::Timer>(core_->loop(), [this] {
      const net::RefPtr<ClientConnection> alive(this);
      continue_timer_.reset();
      Upload();
    });
    continue_timer_->Arm(core_->options().expect_timeout);
  } else if (!upload_.done() && !upload_.Next(out)) {
    return UploadFailed();
  }
  stream_->WriteOwned(std::move(out));
  if (!continue_timer_) Upload();
}

// As much as the stream takes.
void ClientConnection::Upload() {
  while (state_ == State::kBusy && !upload_.done() && !StreamFull()) {
    std::string piece;
    if (!upload_.Next(piece)) return UploadFailed();
    // What is refused is refused because the stream has ended, which Closed() tells.
    if (stream_->WriteOwned(std::move(piece)) != net::Error::kOk) return;
  }
}

bool ClientConnection::StreamFull() const {
  return stream_->queued_bytes() > stream_->options().high_watermark_bytes;
}

// Told later, as this may be inside Fetch().
void ClientConnection::UploadFailed() {
  upload_ = {};
  keep_alive_ = false;
  core_->loop().mailbox()->PostAlways(
      [self = net::RefPtr<ClientConnection>(this), request = requests_] {
        if (self->state_ != State::kBusy || self->requests_ != request) return;
        self->Broken(absl::AbortedError("the request's body cannot be made as announced"));
      });
}

void ClientConnection::Writable() {
  if (state_ == State::kBusy && !continue_timer_) Upload();
}

// ---- The response ------------------------------------------------------------------------------

void ClientConnection::Received(std::string_view bytes) {
  const net::RefPtr<ClientConnection> self(this);
  if (state_ == State::kFree) {
    // An answer to nothing, such as a 408 before the server closes; it must not be taken for the
    // answer to the next request.
    state_ = State::kClosed;
    stream_->Abort();
    core_->Remove(*this);
  } else if (state_ == State::kBusy) {
    received_ = true;
    Process(bytes);
  }
}

void ClientConnection::Process(std::string_view bytes) {
  std::string joined;
  if (!held_.empty()) {
    held_ += bytes;
    joined.swap(held_);
    bytes = joined;
  }
  while (state_ == State::kBusy && !paused_) {
    if (!(stage_ == Stage::kHead ? TakeHead(bytes) : TakeBody(bytes))) break;
  }
  if (state_ == State::kBusy && !bytes.empty()) held_.assign(bytes);
}

// Whether there is more to do.
bool ClientConnection::TakeHead(std::string_view& bytes) {
  const ParseResult result = parser_.Parse(bytes);
  if (result == ParseResult::kIncomplete) return false;
  if (result == ParseResult::kError) {
    Broken(absl::DataLossError(absl::StrCat("bad response: ", ToString(parser_.error()))));
    return false;
  }
  const ResponseHead& head = parser_.head();
  keep_alive_ = keep_alive_ && head.keep_alive;
  if (head.interim) {
    bytes.remove_prefix(parser_.head_bytes());
    return TakeInterim();
  }
  if (head.tunnel) {
    Broken(absl::DataLossError("bad response: another protocol, which was not asked for"));
    return false;
  }
  stage_ = Stage::kBody;
  continue_timer_.reset();  // The server does not want the body; it is not sent.
  ParserLimits limits = core_->options().limits;
  const net::RefPtr<FetchJob> job(job_);
  limits.max_body_bytes = job->OnHead(head);
  if (state_ != State::kBusy) return false;
  decoder_.Start(head.framing, head.content_length, limits);
  bytes.remove_prefix(parser_.head_bytes());
  return true;
}

bool ClientConnection::TakeInterim() {
  if (++interim_ > core_->options().max_interim_responses) {
    Broken(absl::DataLossError("bad response: too many interim ones"));
    return false;
  }
  const bool go_on = parser_.head().status == 100 && continue_timer_ != nullptr;
  parser_.Reset(job_->method());
  if (go_on) {
    continue_timer_.reset();
    Upload();
  }
  return state_ == State::kBusy;
}

bool ClientConnection::TakeBody(std::string_view& bytes) {
  const BodyDecoder::Step step = decoder_.Next(bytes);
  bytes.remove_prefix(step.consumed);
  switch (step.state) {
    case BodyDecoder::State::kData: {
      const net::RefPtr<FetchJob> job(job_);
      job->OnData(step.data);
      return true;
    }
    case BodyDecoder::State::kNeedMore:
      return false;
    case BodyDecoder::State::kEnd:
      EndResponse(bytes.empty());
      return false;
    case BodyDecoder::State::kError:
      if (decoder_.error() == ParseError::kBodyTooLarge) {
        Broken(absl::ResourceExhaustedError("the response's body is too large"));
      } else {
        Broken(absl::DataLossError(absl::StrCat("bad response: ", ToString(decoder_.error()))));
      }
      return false;
  }
  return false;
}

// The connection is free before the job hears of it, so that its next request finds it.
void ClientConnection::EndResponse(bool clean) {
  const net::RefPtr<FetchJob> job(std::exchange(job_, nullptr));
  job->Detach();
  job->OnTrailers(decoder_.trailers());
  const bool sent = upload_.done();
  upload_ = {};
  held_ = {};
  if (clean && keep_alive_ && sent && !draining_ && stream_->is_open()) {
    state_ = State::kFree;
    stream_->SetIdleTimeout(core_->options().keep_alive);
    core_->Free(*this);
  } else {
    state_ = State::kClosed;
    sent ? stream_->Close() : stream_->Abort();
    core_->Remove(*this);
  }
  job->OnEnd();
}

void ClientConnection::Broken(absl::Status status) {
  const net::RefPtr<ClientConnection> self(this);
  const net::RefPtr<FetchJob> job(job_);
  const bool stale = requests_ > 1 && !received_;
  End();
  core_->Remove(*this);
  job->Detach();
  job->OnBroken(std::move(status), stale);
}

// ---- From the job ------------------------------------------------------------------------------

void ClientConnection::Abandon() {
  if (state_ == State::kOpening) {
    job_ = nullptr;  // Another may have it when it is open.
    return;
  }
  const net::RefPtr<ClientConnection> self(this);
  End();
  core_->Remove(*this);
}

void ClientConnection::Pause() {
  if (state_ != State::kBusy || paused_) return;
  paused_ = true;
  stream_->PauseReceive();
  stream_->SetIdleTimeout(std::chrono::milliseconds(0));
}

void ClientConnection::Resume() {
  if (state_ != State::kBusy || !paused_) return;
  paused_ = false;
  stream_->SetIdleTimeout(core_->options().idle_timeout);
  stream_->ResumeReceive();
  if (continuing_) return;
  continuing_ = true;
  core_->loop().mailbox()->PostAlways([self = net::RefPtr<ClientConnection>(this)] {
    self->continuing_ = false;
    self->Continue();
  });
}

// With what was held back.
void ClientConnection::Continue() {
  if (state_ != State::kBusy || paused_) return;
  if (stage_ == Stage::kBody) Process({});
  if (state_ == State::kBusy && !paused_ && ended_) ReceiveEnded();
}

// ---- The end -----------------------------------------------------------------------------------

absl::Status ClientConnection::StatusOfEnd(std::string_view why) const {
  if (received_) return absl::DataLossError(absl::StrCat("response cut off: ", why));
  return absl::UnavailableError(absl::StrCat("no response: ", why));
}

void ClientConnection::ReceiveEnded() {
  const net::RefPtr<ClientConnection> self(this);
  if (state_ == State::kFree) {
    state_ = State::kClosed;
    stream_->Close();
    core_->Remove(*this);
  } else if (state_ == State::kBusy && paused_) {
    ended_ = true;
  } else if (state_ == State::kBusy && stage_ == Stage::kBody && decoder_.IsCompleteAtClose()) {
    EndResponse(false);
  } else if (state_ == State::kBusy) {
    Broken(StatusOfEnd("the server has closed the connection"));
  }
}

void ClientConnection::Drain(net::Stream& stream) {
  draining_ = true;
  if (state_ == State::kBusy) return;
  const net::RefPtr<ClientConnection> self(this);
  if (state_ == State::kFree) {
    state_ = State::kClosed;
    core_->Remove(*this);
  }
  stream.Close();
}

void ClientConnection::Closed(net::Stream& stream, net::Error error) {
  const net::RefPtr<ClientConnection> self(this);
  if (state_ == State::kOpening) {
    const std::string what = absl::StrCat("connection to ", route_.target);
    if (error == net::Error::kTls && route_.secure) {
      return Failed(absl::UnauthenticatedError(
          absl::StrCat(what, ": ", core_->options().secure->Failure(stream))));
    }
    Failed(net::ToStatus(error, what));
  } else if (state_ == State::kFree) {
    state_ = State::kClosed;
    core_->Remove(*this);
  } else if (state_ == State::kBusy && error == net::Error::kTimedOut) {
    Broken(absl::DeadlineExceededError("nothing comes from the server"));
  } else if (state_ == State::kBusy) {
    Broken(StatusOfEnd(net::ErrorName(error)));
  }
}

}  // namespace strata::http
