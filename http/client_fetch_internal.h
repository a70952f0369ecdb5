// One Fetch(), over redirects and retries.

#ifndef STRATA_HTTP_CLIENT_FETCH_INTERNAL_H_
#define STRATA_HTTP_CLIENT_FETCH_INTERNAL_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "strata/http/client_core_internal.h"
#include "strata/http/client_upload_internal.h"
#include "strata/http/method.h"
#include "strata/http/response_parser.h"
#include "strata/http/url.h"
#include "strata/net/timer.h"

namespace strata::http {

class FetchJob final : public Fetching {
 public:
  FetchJob(ClientCore& core, ClientRequest request, Client::Callback done);
  ~FetchJob() override;

  void Start();

  // Of the handle.
  void Cancel() override;
  void Pause() override;
  void Resume() override;

  // Ends it at once; nothing if it has ended.
  void Fail(absl::Status status);

  const ClientRoute& route() const { return route_; }
  Method method() const { return method_; }

  // What follows is called by the core and by the connection.

  void Attach(ClientConnection& connection) { connection_ = &connection; }
  void Detach() { connection_ = nullptr; }
  void OnNotConnected(absl::Status status);

  std::string TakeHead() { return std::move(head_); }
  ClientUpload TakeUpload();
  bool expects_continue() const { return expects_continue_; }

  // How large the body may be. The job may have left the connection when this returns, also when
  // the next one does.
  std::uint64_t OnHead(const ResponseHead& head);
  void OnData(std::string_view bytes);
  void OnTrailers(const FieldList& trailers);

  // Both after Detach(). `stale`: a connection that was used before has ended without a byte.
  void OnEnd();
  void OnBroken(absl::Status status, bool stale);

 private:
  // What follows a response that is not the answer.
  enum class Next : std::uint8_t { kNothing, kAgain, kRedirect, kRetry };

  absl::Status Check();
  void Begin(bool fresh);
  absl::Status BuildHead();
  bool OpenBody();
  bool Repeatable();

  Next Judge(const ResponseHead& head);
  absl::Status PrepareRedirect(int status, std::string_view location);
  void Proceed();
  void RetryLater();

  absl::Status BeginDecoding(const ResponseHead& head);
  void FailDecoding(CodingError error);
  void Deliver(std::string_view bytes);
  void Finish(absl::StatusOr<ClientResponse> result);
  void FailLater(absl::Status status);
  Client::Callback Leave();
  absl::Status WithRequest(const absl::Status& status) const;

  const net::RefPtr<ClientCore> core_;
  ClientRequest request_;
  Client::Callback done_;  // Null once it has ended.
  Method method_ = Method::kGet;
  Url url_;
  ClientRoute route_;
  ClientConnection* connection_ = nullptr;
  std::unique_ptr<net::Timer> deadline_;
  std::unique_ptr<net::Timer> retry_timer_;
  std::unique_ptr<net::Backoff> backoff_;

  std::string head_;
  BodyProducer producer_;  // Opened and not sent yet.
  bool expects_continue_ = false;
  bool may_expect_ = true;
  bool asks_for_codings_ = false;  // By the client's Accept-Encoding.

  ClientResponse response_;
  DecoderPtr decoder_;
  std::uint64_t max_body_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  bool answered_ = false;  // The receiver has seen a head.
  Next next_ = Next::kNothing;
  std::chrono::milliseconds retry_after_{0};
  int redirects_ = 0;
  int retries_ = 0;
  bool stale_retried_ = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_FETCH_INTERNAL_H_
