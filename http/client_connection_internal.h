// One connection of a client: sends a request, reads its response, and is free again.

#ifndef STRATA_HTTP_CLIENT_CONNECTION_INTERNAL_H_
#define STRATA_HTTP_CLIENT_CONNECTION_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "strata/http/body_decoder.h"
#include "strata/http/client_core_internal.h"
#include "strata/http/client_upload_internal.h"
#include "strata/http/response_parser.h"
#include "strata/net/connector.h"
#include "strata/net/stream.h"
#include "strata/net/timer.h"

namespace strata::http {

// Known to the core from Start() to its end. The job is null where it has gone, or is done.
class ClientConnection final : public net::RefCounted {
 public:
  ClientConnection(ClientCore& core, const ClientRoute& route);
  ~ClientConnection() override;

  const ClientRoute& route() const { return route_; }

  // The order in which it became free, among all.
  std::uint64_t freed = 0;

  // Connects for this job. Its failure is told later.
  void Start(FetchJob& job);

  // The request of a job that gets a free connection.
  void Send(FetchJob& job);

  // From the job: it wants no more.
  void Abandon();
  void Pause();
  void Resume();

  // At once, without a word to the job.
  void End();

  // Before it is open: it will not be.
  void Failed(absl::Status status);

  // From the stream.
  void Opened(net::Stream& stream);
  void Received(std::string_view bytes);
  void ReceiveEnded();
  void Writable();
  void Drain(net::Stream& stream);
  void Closed(net::Stream& stream, net::Error error);

 private:
  enum class State : std::uint8_t { kOpening, kFree, kBusy, kClosed };

  // Where a response is.
  enum class Stage : std::uint8_t { kHead, kBody };

  void Connect(std::unique_ptr<net::StreamHandler> handler);
  void Upload();
  bool StreamFull() const;
  void UploadFailed();
  void Continue();
  void Process(std::string_view bytes);
  bool TakeHead(std::string_view& bytes);
  bool TakeInterim();
  bool TakeBody(std::string_view& bytes);
  void EndResponse(bool clean);
  void Broken(absl::Status status);
  absl::Status StatusOfEnd(std::string_view why) const;

  const net::RefPtr<ClientCore> core_;
  const ClientRoute route_;
  FetchJob* job_ = nullptr;
  net::RefPtr<net::Connecting> connecting_;
  net::StreamPtr stream_;
  std::unique_ptr<net::Timer> continue_timer_;  // While 100 (Continue) is waited for.
  ClientUpload upload_;
  ResponseParser parser_;
  BodyDecoder decoder_;
  std::string held_;  // Of a head that is not complete, or while paused.
  std::uint64_t requests_ = 0;
  int interim_ = 0;
  State state_ = State::kOpening;
  Stage stage_ = Stage::kHead;
  bool keep_alive_ = false;
  bool received_ = false;  // Something of this response.
  bool paused_ = false;
  bool continuing_ = false;  // After Resume(): Continue() was posted.
  bool ended_ = false;       // The server has ended its half, while paused.
  bool draining_ = false;
};

}  // namespace strata::http

#endif  // STRATA_HTTP_CLIENT_CONNECTION_INTERNAL_H_
