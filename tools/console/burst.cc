#include "tools/console/burst.h"

#include <future>
#include <utility>

namespace strata::console {

absl::StatusOr<std::unique_ptr<Burst>> Burst::Create(std::string people, std::uint64_t rows) {
  absl::StatusOr<std::unique_ptr<net::Runtime>> runtime =
      net::Runtime::Create({.loops = 1, .loop = {.name = "burst"}, .workers = {.threads = 1}});
  if (!runtime.ok()) return runtime.status();
  return std::unique_ptr<Burst>(new Burst(*std::move(runtime), std::move(people), rows));
}

Burst::Burst(std::unique_ptr<net::Runtime> runtime, std::string people, std::uint64_t rows)
    : runtime_(std::move(runtime)), people_(std::move(people)), rows_(rows) {
  runtime_->Start();
}

Burst::~Burst() {
  // A client ends on its loop. What it calls then begins nothing new.
  std::promise<void> ended;
  runtime_->loop(0).mailbox()->PostAlways([this, &ended] {
    end_ = {};
    client_ = nullptr;
    ended.set_value();
  });
  ended.get_future().wait();
  runtime_->Stop(std::chrono::milliseconds(0));
}

void Burst::Begin(http::Response& response) {
  if (runs_.exchange(true)) return response.SendError(409, "there is one under way\n");
  runtime_->loop(0).mailbox()->PostAlways([this] { Run(); });
  response.set_status(202);
  response.SendJson("{\"seconds\":" + std::to_string(kTime.count()) + "}");
}

void Burst::Run() {
  if (!client_) {
    client_ = std::make_unique<http::Client>(
        runtime_->loop(0), resolver_,
        http::ClientOptions{.max_connections_per_host = kConnections, .retry = {.max_retries = 0}});
  }
  end_ = std::chrono::steady_clock::now() + kTime;
  for (std::size_t i = 0; i < kConnections; ++i) Next();
}

void Burst::Next() {
  if (std::chrono::steady_clock::now() >= end_) {
    if (under_way_ == 0) runs_ = false;
    return;
  }
  http::ClientRequest request;
  request.url = people_ + "/" + std::to_string(random_() % rows_ + 1);
  ++under_way_;
  client_->Fetch(std::move(request), [this](absl::StatusOr<http::ClientResponse> response) {
    --under_way_;
    // A service that does not answer is not asked again and again.
    if (!response.ok()) end_ = {};
    Next();
  });
}

}  // namespace strata::console
