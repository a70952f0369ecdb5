#include "strata/ws/testing/wire_client.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace strata::ws::wire {

std::string Handshake(std::string_view fields, std::string_view path) {
  return absl::StrCat("GET ", path,
                      " HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\n"
                      "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
                      kSampleKey, "\r\n", fields, "\r\n");
}

int CodeOf(const Received& frame) {
  if (frame.first_byte != 0x88) return -1;
  if (frame.payload.size() < 2) return 1005;
  return static_cast<unsigned char>(frame.payload[0]) << 8 |
         static_cast<unsigned char>(frame.payload[1]);
}

Received Client::ReadFrame() {
  const std::string head = peer().Receive(2);
  if (head.size() < 2) return {};
  EXPECT_EQ(head[1] & 0x80, 0) << "a server does not mask";
  std::size_t size = static_cast<unsigned char>(head[1]);
  if (size >= 126) {
    const std::string length = peer().Receive(size == 126 ? 2 : 8);
    size = 0;
    for (char c : length) size = size << 8 | static_cast<unsigned char>(c);
  }
  return {static_cast<unsigned char>(head[0]), size ? peer().Receive(size) : std::string()};
}

}  // namespace strata::ws::wire
