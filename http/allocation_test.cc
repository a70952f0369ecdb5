// The synchronous path allocates nothing once it is warm.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "strata/http/testing/allocations.h"
#include "strata/http/testing/wire.h"

namespace strata::http {
namespace {

using testing::Allocations;
using testing::WireClient;

class AllocationTest : public testing::WireTest {
 protected:
  void SetUp() override {
    Router router;
    router.Use([](Request&, Response& response) { response.Add("X-Own", "1"); });
    router.Get("/", [](Request&, Response& response) { response.SendText("Hello, World!"); });
    router.Get("/of/{name}", [](Request& request, Response& response) {
      response.Set(FieldId::kCacheControl, "no-store");
      response.SendText(request.param("name"));
    });
    router.Post("/echo",
                [](Request& request, Response& response) { response.Send(request.body()); });
    Serve(std::move(router));
  }

  // Sends the request so often, one after the other or all at once, and reads the answers, which
  // all have the size of the first. Allocates nothing itself.
  void Run(WireClient& client, std::string_view request, std::size_t answer_bytes, int times) {
    const int socket = static_cast<int>(client.peer().native());
    for (int i = 0; i < times; ++i) {
      ASSERT_EQ(::send(socket, request.data(), request.size(), 0),
                static_cast<ssize_t>(request.size()));
      for (std::size_t left = answer_bytes; left > 0;) {
        std::array<char, 4096> buffer;
        const ssize_t size = ::recv(socket, buffer.data(), std::min(left, buffer.size()), 0);
        ASSERT_GT(size, 0);
        left -= static_cast<std::size_t>(size);
      }
    }
  }

  void ExpectNoneAfterWarmUp(std::string_view request, int requests_in_it = 1) {
    WireClient client = Connect();
    client.Send(request);
    std::size_t answer_bytes = 0;
    for (int i = 0; i < requests_in_it; ++i) {
      const testing::WireResponse response = client.Read();
      ASSERT_EQ(response.status, 200);
      answer_bytes += response.head.size() + response.body.size();
    }
    Run(client, request, answer_bytes, 100);
    const std::uint64_t before = Allocations();
    Run(client, request, answer_bytes, 1000);
    // The process has other threads, of which one may allocate now and then.
    EXPECT_LT(Allocations() - before, 10u) << request;
  }
};

TEST_F(AllocationTest, PlainRequest) {
  ExpectNoneAfterWarmUp("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n");
}

TEST_F(AllocationTest, CaptureAndQuery) {
  ExpectNoneAfterWarmUp("GET /of/somebody-with-a-long-name?q=1 HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(AllocationTest, BodyThatComesWithItsHead) {
  ExpectNoneAfterWarmUp("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(AllocationTest, Pipelined) {
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += testing::Get("/");
  ExpectNoneAfterWarmUp(requests, 16);
}

}  // namespace
}  // namespace strata::http
