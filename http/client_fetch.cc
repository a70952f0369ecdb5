// What a request becomes: heads, redirects, retries.

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "strata/http/client_connection_internal.h"
#include "strata/http/client_fetch_internal.h"
#include "strata/http/head_writer.h"
#include "strata/http/http_date.h"
#include "strata/http/text.h"

namespace strata::http {
namespace {

// What the client says itself.
bool IsOwnField(std::string_view name) {
  switch (FieldIdOf(name)) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kExpect:
    case FieldId::kHost:
    case FieldId::kKeepAlive:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTrailer:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
      return true;
    default:
      return false;
  }
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool AsksForRetry(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// Whether a request with this method has a Content-Length though it has no content (RFC 9110
// section 8.6).
bool AnnouncesNoContent(Method method) {
  return method == Method::kPost || method == Method::kPut || method == Method::kPatch;
}

std::chrono::sys_seconds Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// Retry-After: seconds, or a date. Nothing if it is neither.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view text) {
  std::uint32_t seconds;
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    if (!absl::SimpleAtoi(text, &seconds)) return std::chrono::milliseconds::max();
    return std::chrono::seconds(seconds);
  }
  const std::chrono::sys_seconds now = Now();
  const std::optional<std::chrono::sys_seconds> date = ParseHttpDate(text, now);
  if (!date) return std::nullopt;
  return std::max(*date - now, std::chrono::seconds(0));
}

}  // namespace

FetchJob::FetchJob(ClientCore& core, ClientRequest request, Client::Callback done)
    : core_(&core), request_(std::move(request)), done_(std::move(done)) {}

FetchJob::~FetchJob() = default;

// ---- Beginning and end -------------------------------------------------------------------------

absl::Status FetchJob::Check() {
  absl::StatusOr<Url> url = Url::Parse(request_.url);
  if (!url.ok()) return url.status();
  url_ = *std::move(url);
  if (!url_.user_info.empty()) {
    url_.user_info.clear();
    return absl::InvalidArgumentError("credentials in a URL");
  }
  method_ = ParseMethod(request_.method);
  if (method_ == Method::kConnect || !IsToken(request_.method)) {
    return absl::InvalidArgumentError("a method that cannot be sent");
  }
  for (const OwnedFields::Item& field : request_.fields) {
    if (IsOwnField(field.name)) {
      return absl::InvalidArgumentError(absl::StrCat("the field ", field.name, " is the client's"));
    }
  }
  if (!OpenBody()) return absl::InvalidArgumentError("no body from open_body");
  return absl::OkStatus();
}

void FetchJob::Start() {
  core_->counters().requests.Add(1);
  if (core_->closed()) return FailLater(absl::CancelledError("the client is gone"));
  if (absl::Status status = Check(); !status.ok()) return FailLater(std::move(status));
  const std::chrono::milliseconds timeout = request_.timeout.value_or(core_->options().timeout);
  if (timeout.count() > 0) {
    deadline_ = std::make_unique<net::Timer>(
        core_->loop(), [this] { Fail(absl::DeadlineExceededError("not complete in time")); });
    deadline_->Arm(timeout);
  }
  Begin(false);
}

absl::Status FetchJob::WithRequest(const absl::Status& status) const {
  const std::string_view path = std::string_view(url_.target).substr(0, url_.target.find('?'));
  return absl::Status(status.code(),
                      url_.host.empty()
                          ? absl::StrCat(request_.method, ": ", status.message())
                          : absl::StrCat(request_.method, " ", url_.scheme, "://", url_.HostField(),
                                         path, ": ", status.message()));
}

// From all that knows of it. What is returned is null if that has happened already.
Client::Callback FetchJob::Leave() {
  if (!done_) return nullptr;
  Client::Callback done = std::exchange(done_, nullptr);
  deadline_.reset();
  retry_timer_.reset();
  decoder_.reset();
  core_->StopWaiting(*this);
  if (connection_) std::exchange(connection_, nullptr)->Abandon();
  core_->Forget(*this);
  return done;
}

void FetchJob::Finish(absl::StatusOr<ClientResponse> result) {
  const net::RefPtr<FetchJob> self(this);
  Client::Callback done = Leave();
  if (!done) return;
  if (!result.ok()) core_->counters().failed.Add(1);
  done(std::move(result));
}

void FetchJob::Fail(absl::Status status) { Finish(WithRequest(status)); }

void FetchJob::FailLater(absl::Status status) {
  const net::RefPtr<FetchJob> self(this);
  Client::Callback done = Leave();
  if (!done) return;
  core_->counters().failed.Add(1);
  core_->loop().mailbox()->PostAlways(
      [self, done = std::move(done), status = WithRequest(status)]() mutable { done(status); });
}

void FetchJob::Cancel() { FailLater(absl::CancelledError("cancelled")); }

void FetchJob::Pause() {
  if (connection_ && next_ == Next::kNothing) connection_->Pause();
}

void FetchJob::Resume() {
  if (connection_) connection_->Resume();
}

// ---- Sending -----------------------------------------------------------------------------------

bool FetchJob::OpenBody() {
  if (!request_.open_body || producer_) return true;
  producer_ = request_.open_body();
  return producer_ != nullptr;
}

bool FetchJob::Repeatable() {
  return !answered_ && (IsIdempotent(method_) || request_.repeatable) && OpenBody();
}

void FetchJob::Begin(bool fresh) {
  next_ = Next::kNothing;
  absl::StatusOr<ClientRoute> route = core_->RouteTo(url_);
  if (!route.ok()) return FailLater(route.status());
  route_ = *std::move(route);
  absl::Status status = BuildHead();
  if (status.ok()) status = core_->Acquire(*this, fresh);
  if (!status.ok()) FailLater(std::move(status));
}

absl::Status FetchJob::BuildHead() {
  const ClientOptions& options = core_->options();
  head_.clear();
  HeadWriter writer(head_);
  const std::string host = url_.HostField();
  writer.RequestLine(request_.method, route_.absolute_form
                                          ? absl::StrCat(url_.scheme, "://", host, url_.target)
                                          : url_.target);
  writer.Field(FieldId::kHost, host);
  for (const OwnedFields::Item& field : request_.fields) writer.Field(field.name, field.value);
  if (!options.user_agent.empty() && !request_.fields.Has("User-Agent")) {
    writer.Field(FieldId::kUserAgent, options.user_agent);
  }
  asks_for_codings_ = !core_->accept_encoding().empty() && !request_.fields.Has("Accept-Encoding");
  if (asks_for_codings_) writer.Field(FieldId::kAcceptEncoding, core_->accept_encoding());
  if (options.cookies && !request_.fields.Has("Cookie")) {
    const std::string cookies = options.cookies->CookieField(url_, Now());
    if (!cookies.empty()) writer.Field(FieldId::kCookie, cookies);
  }
  if (route_.absolute_form && !core_->proxy_authorization().empty()) {
    writer.Field(FieldId::kProxyAuthorization, core_->proxy_authorization());
  }
  std::uint64_t length = request_.body.size();
  if (request_.open_body) length = request_.body_length.value_or(kUnlimitedBody);
  if (request_.open_body && !request_.body_length) {
    writer.Field(FieldId::kTransferEncoding, "chunked");
  } else if (length > 0 || AnnouncesNoContent(method_)) {
    writer.ContentLength(length);
  }
  expects_continue_ = may_expect_ && length > 0 &&
                      options.expect_continue_bytes != kUnlimitedBody &&
                      length >= options.expect_continue_bytes;
  if (expects_continue_) writer.Field(FieldId::kExpect, "100-continue");
  writer.End();
  if (!writer.ok()) return absl::InvalidArgumentError(ToString(writer.error()));
  return absl::OkStatus();
}

ClientUpload FetchJob::TakeUpload() {
  if (!request_.open_body) return ClientUpload(request_.body);
  return ClientUpload(request_.body_length, std::exchange(producer_, nullptr));
}

// Nothing of the request was sent, so that any can be tried again.
void FetchJob::OnNotConnected(absl::Status status) {
  connection_ = nullptr;
  if (!done_) return;
  const bool may_pass = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  if (!may_pass || retries_ >= core_->options().retry.max_retries) return Fail(std::move(status));
  RetryLater();
}

// ---- The response ------------------------------------------------------------------------------

std::uint64_t FetchJob::OnHead(const ResponseHead& head) {
  const net::RefPtr<FetchJob> self(this);
  const ClientOptions& options = core_->options();
  response_ = {};
  response_.status = head.status;
  response_.reason = head.reason;
  response_.fields = OwnedFields(head.fields);
  response_.redirects = redirects_;
  body_bytes_ = 0;
  decoder_.reset();
  if (options.cookies) {
    for (const Field& field : head.fields) {
      if (field.id == FieldId::kSetCookie) options.cookies->Store(url_, field.value, Now());
    }
  }
  next_ = Judge(head);
  if (!done_) return 0;
  if (next_ != Next::kNothing) {
    if (head.content_length > options.max_drained_bytes) {
      std::exchange(connection_, nullptr)->Abandon();
      Proceed();
    }
    return kUnlimitedBody;
  }

  response_.url = url_.ToString();
  max_body_bytes_ =
      request_.max_body_bytes.value_or(request_.receiver ? kUnlimitedBody : options.max_body_bytes);
  if (head.content_length > max_body_bytes_) {
    Fail(absl::ResourceExhaustedError("the response's body is too large"));
    return 0;
  }
  if (absl::Status status = BeginDecoding(head); !status.ok()) {
    Fail(std::move(status));
    return 0;
  }
  if (request_.receiver) {
    answered_ = true;
    request_.receiver->OnHead(response_, *this);
  }
  return kUnlimitedBody;
}

void FetchJob::OnData(std::string_view bytes) {
  const net::RefPtr<FetchJob> self(this);
  if (next_ != Next::kNothing) {
    body_bytes_ += bytes.size();
    if (body_bytes_ <= core_->options().max_drained_bytes) return;
    std::exchange(connection_, nullptr)->Abandon();
    return Proceed();
  }
  if (!decoder_) return Deliver(bytes);
  std::array<char, 16 * 1024> decoded;
  CodingStep step;
  do {
    step = decoder_->Decode(bytes, decoded);
    bytes.remove_prefix(step.read);
    if (step.error != CodingError::kOk) return FailDecoding(step.error);
    if (step.written > 0) Deliver({decoded.data(), step.written});
  } while (step.more && done_);
}

absl::Status FetchJob::BeginDecoding(const ResponseHead& head) {
  const bool empty = head.framing == Framing::kNone ||
                     (head.framing == Framing::kLength && head.content_length == 0);
  if (!asks_for_codings_ || empty || head.status == 206) return absl::OkStatus();
  const std::optional<ContentCoding> coding =
      ParseContentCoding(head.fields.GetAll(FieldId::kContentEncoding));
  if (!coding || !core_->codings().codings().Has(*coding) || *coding == ContentCoding::kIdentity) {
    return absl::OkStatus();
  }
  decoder_ = core_->codings().TakeDecoder(*coding, {.max_bytes = max_body_bytes_});
  if (decoder_) return absl::OkStatus();
  return absl::ResourceExhaustedError("too many responses with a content coding");
}

void FetchJob::FailDecoding(CodingError error) {
  const absl::Status status = ToStatus(error);
  Fail(absl::IsResourceExhausted(status)
           ? status
           : absl::DataLossError(absl::StrCat("bad response: ", status.message())));
}

void FetchJob::Deliver(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (body_bytes_ > max_body_bytes_) {
    return Fail(absl::ResourceExhaustedError("the response's body is too large"));
  }
  if (request_.receiver) {
    request_.receiver->OnData(bytes, *this);
  } else {
    response_.body += bytes;
  }
}

void FetchJob::OnTrailers(const FieldList& trailers) { response_.trailers = OwnedFields(trailers); }

void FetchJob::OnEnd() {
  if (next_ != Next::kNothing) return Proceed();
  if (decoder_) {
    const CodingError error = decoder_->Finish();
    if (error != CodingError::kOk) return FailDecoding(error);
  }
  Finish(std::move(response_));
}

void FetchJob::OnBroken(absl::Status status, bool stale) {
  if (!done_) return;
  if (next_ != Next::kNothing) return Proceed();  // Nobody wanted the rest.
  if (stale && !stale_retried_ && Repeatable()) {
    stale_retried_ = true;
    core_->counters().retries.Add(1);
    return Begin(true);
  }
  if (absl::IsUnavailable(status) && retries_ < core_->options().retry.max_retries &&
      Repeatable()) {
    return RetryLater();
  }
  Fail(std::move(status));
}

// ---- What is not the answer --------------------------------------------------------------------

FetchJob::Next FetchJob::Judge(const ResponseHead& head) {
  const ClientOptions& options = core_->options();
  if (head.status == 417 && expects_continue_ && OpenBody()) {
    may_expect_ = false;  // The server does not know the expectation (RFC 9110 section 10.1.1).
    return Next::kAgain;
  }
  const std::optional<std::string_view> location = head.fields.Get(FieldId::kLocation);
  if (IsRedirect(head.status) && location && options.max_redirects > 0) {
    if (absl::Status status = PrepareRedirect(head.status, *location); !status.ok()) {
      Fail(std::move(status));
    }
    return Next::kRedirect;
  }
  const RetryOptions& retry = options.retry;
  if (AsksForRetry(head.status) && retry.by_status && retries_ < retry.max_retries &&
      Repeatable()) {
    const std::optional<std::string_view> after = head.fields.Get(FieldId::kRetryAfter);
    retry_after_ =
        (after ? ParseRetryAfter(*after) : std::nullopt).value_or(std::chrono::milliseconds(0));
    if (retry_after_ <= retry.max_retry_after) return Next::kRetry;
  }
  return Next::kNothing;
}

// RFC 9110 section 15.4.
absl::Status FetchJob::PrepareRedirect(int status, std::string_view location) {
  const ClientOptions& options = core_->options();
  if (redirects_ >= options.max_redirects) {
    return absl::FailedPreconditionError(
        absl::StrCat("more than ", options.max_redirects, " redirects"));
  }
  absl::StatusOr<Url> to = url_.Resolve(EncodeUrl(location));
  if (!to.ok()) return absl::InvalidArgumentError(to.status().message());
  if (!to->user_info.empty()) return absl::InvalidArgumentError("a redirect with credentials");
  if (url_.scheme == "https" && to->scheme == "http" && !options.allow_redirect_to_http) {
    return absl::PermissionDeniedError("a redirect from https to http");
  }
  const bool to_get = status == 303 ? method_ != Method::kHead
                                    : (status == 301 || status == 302) && method_ == Method::kPost;
  if (to_get) {
    method_ = Method::kGet;
    request_.method = "GET";
    request_.body.clear();
    request_.open_body = nullptr;
    producer_ = nullptr;
    for (const char* name : {"Content-Type", "Content-Encoding", "Content-Language",
                             "Content-Location", "Digest", "Content-Digest", "Repr-Digest"}) {
      request_.fields.Remove(name);
    }
  } else if (!OpenBody()) {
    return absl::FailedPreconditionError("a redirect wants a body again that cannot begin anew");
  }
  if (!url_.SameOrigin(*to)) {
    request_.fields.Remove("Authorization");
    request_.fields.Remove("Cookie");
  }
  url_ = *std::move(to);
  ++redirects_;
  return absl::OkStatus();
}

void FetchJob::Proceed() {
  if (!done_) return;
  switch (next_) {
    case Next::kNothing:
      return;
    case Next::kAgain:
      return Begin(false);
    case Next::kRedirect:
      core_->counters().redirects.Add(1);
      return Begin(false);
    case Next::kRetry:
      return RetryLater();
  }
}

void FetchJob::RetryLater() {
  const ClientOptions& options = core_->options();
  ++retries_;
  core_->counters().retries.Add(1);
  if (!backoff_) backoff_ = std::make_unique<net::Backoff>(options.retry.backoff);
  if (!retry_timer_) {
    retry_timer_ = std::make_unique<net::Timer>(core_->loop(), [this] {
      const net::RefPtr<FetchJob> self(this);
      Begin(false);
    });
  }
  retry_timer_->Arm(std::max(backoff_->Next(), std::exchange(retry_after_, {})));
}

}  // namespace strata::http
