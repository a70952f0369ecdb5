// A client for tests, and what it talks to.

#include "strata/http/testing/client.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace strata::http::testing {

ClientThread::ClientThread(ClientOptions options) {
  Do([&] { client_ = std::make_unique<Client>(loop(), resolver_, std::move(options)); });
}

void ClientThread::End() {
  if (!client_) return;
  Do([this] { client_.reset(); });
  thread_.End();
}

absl::StatusOr<ClientResponse> ClientThread::Fetch(ClientRequest request) {
  return Begin(std::move(request)).get();
}

std::future<absl::StatusOr<ClientResponse>> ClientThread::Begin(ClientRequest request,
                                                                net::RefPtr<Fetching>* fetching) {
  std::promise<absl::StatusOr<ClientResponse>> promise;
  auto future = promise.get_future();
  Do([&] {
    auto handle = client_->Fetch(
        std::move(request),
        [promise = std::move(promise)](absl::StatusOr<ClientResponse> response) mutable {
          promise.set_value(std::move(response));
        });
    if (fetching) *fetching = std::move(handle);
  });
  return future;
}

class RawServer::Handler final : public net::StreamHandler {
 public:
  explicit Handler(RawServer& server) : server_(server) {
    asked_.connection = ++server.connections_;
  }

  void OnReceive(net::Stream& stream, std::string_view bytes) override {
    {
      const std::scoped_lock lock(server_.mutex_);
      server_.received_ += bytes;
    }
    asked_.bytes += bytes;
    const std::size_t head_bytes = asked_.bytes.find("\r\n\r\n");
    if (head_bytes == std::string::npos) return;
    if (server_.answers_to_ == AnswersTo::kWhole) {
      const std::size_t length = asked_.bytes.find("Content-Length: ");
      std::size_t body_bytes = 0;
      if (length < head_bytes) body_bytes = std::stoul(asked_.bytes.substr(length + 16));
      if (asked_.bytes.size() < head_bytes + 4 + body_bytes) return;
    }
    ++asked_.request;
    server_.answer_(stream, asked_);
    asked_.bytes.clear();
  }

 private:
  RawServer& server_;
  Asked asked_;
};

RawServer::RawServer(Answer answer, AnswersTo answers_to)
    : answer_(std::move(answer)), answers_to_(answers_to) {
  Listen();
}

RawServer::RawServer(std::string bytes, bool close)
    : RawServer([bytes = std::move(bytes), close](net::Stream& stream, const Asked&) {
        stream.Write(bytes);
        if (close) stream.Close();
      }) {}

RawServer::~RawServer() { thread_.End(); }

void RawServer::Listen() {
  auto listener = net::TcpListener::Listen(thread_.loop(), "127.0.0.1:0",
                                           [this] { return std::make_unique<Handler>(*this); });
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
}

std::string RawServer::authority() const {
  return absl::StrCat("127.0.0.1:", listener_->address().port());
}

std::string RawServer::Url(std::string_view path) const {
  return absl::StrCat("http://", authority(), path);
}

std::string RawServer::received() {
  const std::scoped_lock lock(mutex_);
  return received_;
}

bool Eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + net::testing::kLong;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace strata::http::testing
