#include <chrono>
#include <utility>

#include "strata/http/http_date.h"
#include "strata/http/server_loop_internal.h"
#include "strata/http/status.h"

namespace strata::http {
namespace {

// Whether a body is too large depends on the route, and is known once the head is read.
ParserLimits HeadLimits(ParserLimits limits) {
  limits.max_body_bytes = kUnlimitedBody;
  return limits;
}

}  // namespace

ServerLoop::ServerLoop(const ServerCore& core, net::Loop& loop)
    : core_(core),
      loop_(loop),
      codings_(core.options().compression.codings, core.options().compression.pool),
      current_(std::make_unique<Exchange>(HeadLimits(core.options().limits))),
      observer_(core.options().observer ? core.options().observer() : nullptr) {
  for (const auto& factory : core.options().compression.codings) {
    preferred_codings_.push_back(factory->coding());
  }
  WriteLines();
}

std::unique_ptr<Exchange> ServerLoop::Take() {
  std::unique_ptr<Exchange> next;
  if (free_.empty()) {
    next = std::make_unique<Exchange>(HeadLimits(core_.options().limits));
  } else {
    next = std::move(free_.back());
    free_.pop_back();
  }
  return std::exchange(current_, std::move(next));
}

void ServerLoop::GiveBack(std::unique_ptr<Exchange> exchange) {
  if (free_.size() >= kMaxFree) return;
  exchange->Reset();
  free_.push_back(std::move(exchange));
}

void ServerLoop::WriteLines() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<milliseconds>(now).count();
  ok_lines_.assign(StatusLine(200));
  ok_line_size_ = ok_lines_.size();
  const std::string& name = core_.options().name;
  if (!name.empty()) ok_lines_.append("Server: ").append(name).append("\r\n");
  server_line_size_ = ok_lines_.size() - ok_line_size_;
  std::array<char, kHttpDateBytes> date;
  FormatHttpDate(std::chrono::sys_seconds(std::chrono::seconds(now_ms / 1000)), date);
  ok_lines_.append("Date: ").append(date.data(), date.size()).append("\r\n");
  refresh_at_ms_ = loop_.now_ms() + static_cast<std::uint64_t>(1000 - now_ms % 1000);
}

ServerLoop& ServerCore::ForLoop(const net::Loop* loop) const {
  std::size_t i = 0;
  while (&loops_[i]->loop() != loop) ++i;
  return *loops_[i];
}

}  // namespace strata::http
