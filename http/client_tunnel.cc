// CONNECT.

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/http/client_tunnel_internal.h"
#include "strata/http/head_writer.h"

namespace strata::http {
namespace {

class Tunnel final : public net::StreamHandler {
 public:
  Tunnel(net::RefPtr<ClientConnection> connection, ClientCore& core,
         std::unique_ptr<net::StreamHandler> handler)
      : connection_(std::move(connection)),
        core_(&core),
        handler_(std::move(handler)),
        parser_(core.options().limits) {}

  void OnOpen(net::Stream& stream) override;
  void OnReceive(net::Stream& stream, std::string_view bytes) override;
  void OnReceiveEnd(net::Stream& stream) override {
    Fail(stream, absl::UnavailableError(Text("has closed the connection")));
  }
  void OnClosed(net::Stream&, net::Error error) override {
    deadline_.reset();
    connection_->Failed(net::ToStatus(error, Text("connection")));
  }

 private:
  std::string Text(std::string_view what) const {
    return absl::StrCat("tunnel to ", connection_->route().tunnel, ": proxy ", what);
  }
  void Fail(net::Stream& stream, absl::Status status) {
    deadline_.reset();
    connection_->Failed(std::move(status));
    stream.Abort();
  }
  void Answered(net::Stream& stream, std::size_t bytes);

  const net::RefPtr<ClientConnection> connection_;
  const net::RefPtr<ClientCore> core_;
  std::unique_ptr<net::StreamHandler> handler_;
  std::unique_ptr<net::Timer> deadline_;
  ResponseParser parser_;
  std::string held_;
  int interim_ = 0;
};

void Tunnel::OnOpen(net::Stream& stream) {
  std::string head;
  HeadWriter writer(head);
  const std::string& target = connection_->route().tunnel;
  writer.RequestLine(Method::kConnect, target);
  writer.Field(FieldId::kHost, target);
  if (!core_->options().user_agent.empty()) {
    writer.Field(FieldId::kUserAgent, core_->options().user_agent);
  }
  if (!core_->proxy_authorization().empty()) {
    writer.Field(FieldId::kProxyAuthorization, core_->proxy_authorization());
  }
  writer.End();
  if (!writer.ok()) {
    return Fail(stream, absl::InvalidArgumentError(Text(ToString(writer.error()))));
  }
  parser_.Reset(Method::kConnect);
  stream.Write(head);
  deadline_ =
      std::make_unique<net::Timer>(core_->loop(), [this, kept = net::StreamPtr(&stream)]() mutable {
        const net::StreamPtr alive = std::move(kept);
        Fail(*alive, absl::DeadlineExceededError(Text("does not answer in time")));
      });
  deadline_->Arm(core_->options().connect.timeout);
}

void Tunnel::OnReceive(net::Stream& stream, std::string_view bytes) {
  if (!handler_) return;
  held_ += bytes;
  for (;;) {
    const ParseResult result = parser_.Parse(held_);
    if (result == ParseResult::kIncomplete) return;
    if (result == ParseResult::kError) {
      return Fail(stream, absl::DataLossError(Text(ToString(parser_.error()))));
    }
    if (!parser_.head().interim) return Answered(stream, held_.size() - parser_.head_bytes());
    if (++interim_ > core_->options().max_interim_responses) {
      return Fail(stream, absl::DataLossError(Text("sends too many interim responses")));
    }
    held_.erase(0, parser_.head_bytes());
    parser_.Reset(Method::kConnect);
  }
}

// A server of TLS waits for the client: what a proxy has behind its head comes from the proxy.
void Tunnel::Answered(net::Stream& stream, std::size_t more_bytes) {
  const int status = parser_.head().status;
  const std::string text = Text(absl::StrCat("answers ", status, " ", parser_.head().reason));
  if (status == 407) return Fail(stream, absl::PermissionDeniedError(text));
  // Another protocol, which was not asked for.
  if (status == 101) return Fail(stream, absl::DataLossError(text));
  if (!parser_.head().tunnel) return Fail(stream, absl::UnavailableError(text));
  if (more_bytes != 0) {
    return Fail(stream, absl::DataLossError(Text("sends bytes of its own into the tunnel")));
  }
  deadline_.reset();
  net::StreamHandler& handler = *handler_;
  if (stream.SetHandler(std::move(handler_)) == net::Error::kOk) handler.OnOpen(stream);
}

}  // namespace

std::unique_ptr<net::StreamHandler> NewTunnel(net::RefPtr<ClientConnection> connection,
                                              ClientCore& core,
                                              std::unique_ptr<net::StreamHandler> handler) {
  return std::make_unique<Tunnel>(std::move(connection), core, std::move(handler));
}

}  // namespace strata::http
