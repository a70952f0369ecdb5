// The fixture of servers.

#include "strata/net/testing/server_test.h"

#include <utility>

namespace strata::net::testing {

void ServerTest::Listen(std::function<void(TestHandler&)> prepare, ListenOptions options) {
  auto listener = TcpListener::Listen(
      thread_.loop(), "127.0.0.1:0",
      [this, prepare] {
        auto handler = std::make_unique<TestHandler>();
        prepare(*handler);
        // Every end is recorded, besides what the test does with it.
        handler->on_closed = [this, theirs = handler->on_closed](Stream& stream, Error error) {
          if (theirs) theirs(stream, error);
          Record(error);
        };
        return Wrap(std::move(handler));
      },
      options);
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
}

Error ServerTest::NextEnd() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!changed_.wait_for(lock, kLong, [this] { return taken_ < ends_.size(); })) {
    ADD_FAILURE() << "no stream ended";
    return Error::kOther;
  }
  return ends_[taken_++];
}

void ServerTest::Record(Error error) {
  std::lock_guard<std::mutex> lock(mutex_);
  ends_.push_back(error);
  changed_.notify_all();
}

void Echo(TestHandler& handler) {
  handler.on_receive = [](Stream& stream, std::string_view bytes) {
    EXPECT_EQ(stream.Write(bytes), Error::kOk);
  };
}

std::string Pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761u) >> 13);
  return text;
}

}  // namespace strata::net::testing
