// A loop on a thread, and who waits for it.

#include "strata/http/blocking_client.h"

#include <future>
#include <utility>

#include "strata/net/mailbox.h"
#include "strata/net/ref_ptr.h"

namespace strata::http {

BlockingClient::BlockingClient(ClientOptions options) {
  auto loop = net::Loop::Create({.name = "client"});
  status_ = loop.status();
  if (!loop.ok()) return;
  loop_ = *std::move(loop);
  client_ = std::make_unique<Client>(*loop_, resolver_, std::move(options));
  thread_ = std::thread([this] { loop_->Run(); });
  // Until the loop's first turn any thread counts as its own.
  std::promise<void> runs;
  loop_->mailbox()->PostAlways([&runs] { runs.set_value(); });
  runs.get_future().wait();
}

BlockingClient::~BlockingClient() {
  if (!loop_) return;
  loop_->mailbox()->PostAlways([this] {
    client_.reset();
    loop_->Stop();
  });
  thread_.join();
}

absl::StatusOr<ClientResponse> BlockingClient::Fetch(ClientRequest request) {
  if (!status_.ok()) return status_;
  if (loop_->InLoopThread()) {
    return absl::FailedPreconditionError("a request that waits for itself");
  }
  std::promise<absl::StatusOr<ClientResponse>> promise;
  auto response = promise.get_future();
  // Held, for the end of this client may come as soon as the task is there.
  const net::RefPtr<net::Mailbox> mailbox = loop_->mailbox();
  mailbox->PostAlways([this, promise = std::move(promise), request = std::move(request)]() mutable {
    client_->Fetch(std::move(request),
                   [promise = std::move(promise)](absl::StatusOr<ClientResponse> result) mutable {
                     promise.set_value(std::move(result));
                   });
  });
  return response.get();
}

absl::StatusOr<ClientResponse> BlockingClient::Get(std::string url) {
  return Fetch({.url = std::move(url)});
}

absl::StatusOr<ClientResponse> BlockingClient::Post(std::string url, std::string_view content_type,
                                                    std::string body) {
  ClientRequest request{.method = "POST", .url = std::move(url), .body = std::move(body)};
  request.fields.Set("Content-Type", content_type);
  return Fetch(std::move(request));
}

}  // namespace strata::http
