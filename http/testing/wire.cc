#include "strata/http/testing/wire.h"

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

namespace strata::http::testing {

std::string WireResponse::Field(std::string_view name) const {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    });
    return text;
  };
  const std::string key = "\r\n" + lower(std::string(name)) + ": ";
  const std::size_t at = lower(head).find(key);
  if (at == std::string::npos) return "-";
  const std::size_t begin = at + key.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

bool WireClient::Fill(std::size_t size) {
  while (pending_.size() < size) {
    const std::string more = peer_.Receive(size - pending_.size());
    if (more.empty()) return false;
    pending_ += more;
  }
  return true;
}

std::string WireClient::Line() {
  std::size_t end;
  while ((end = pending_.find("\r\n")) == std::string::npos) {
    if (!Fill(pending_.size() + 1)) return {};
  }
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return line;
}

WireResponse WireClient::Read(bool to_head) {
  WireResponse response;
  std::size_t end;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(pending_.size() + 1)) return response;
  }
  response.head = pending_.substr(0, end + 4);
  pending_.erase(0, end + 4);
  const int status = std::atoi(response.head.c_str() + 9);
  if (to_head || status < 200 || status == 204 || status == 304) {
    response.status = status;
  } else if (const std::string length = response.Field("Content-Length"); length != "-") {
    const auto size = static_cast<std::size_t>(std::atoll(length.c_str()));
    if (pending_.size() < size) pending_ += peer_.Receive(size - pending_.size());
    if (pending_.size() < size) return response;
    response.body = pending_.substr(0, size);
    pending_.erase(0, size);
    response.status = status;
  } else if (response.Field("Transfer-Encoding") == "chunked") {
    for (;;) {
      const std::string line = Line();
      const auto size = static_cast<std::size_t>(std::strtoull(line.c_str(), nullptr, 16));
      if (line.empty()) return response;
      if (size == 0) break;
      if (!Fill(size + 2)) return response;
      response.body += pending_.substr(0, size);
      pending_.erase(0, size + 2);
    }
    for (std::string line = Line(); !line.empty(); line = Line()) response.trailers += line + "\n";
    response.status = status;
  } else {
    bool reset = false;
    response.body = ReadAll(&reset);
    pending_.clear();
    if (!reset) response.status = status;
  }
  return response;
}

void WireTest::Serve(Router router, ServerOptions options) {
  options.address = "127.0.0.1:0";
  if (options.runtime.loops == 0) options.runtime.loops = 1;
  auto server = Server::Create(std::move(router), std::move(options));
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  server_->Start();
}

std::uint64_t WireTest::Count(net::Counter ServerCounters::*counter) const {
  std::uint64_t sum = 0;
  for (const ServerCounters* counters : server_->counters()) sum += (counters->*counter).Get();
  return sum;
}

bool WireTest::Eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + net::testing::kLong;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n\r\n";
}

}  // namespace strata::http::testing
