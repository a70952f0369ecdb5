// File: frames.h
//
// What the floor and the load client know of WebSocket: a handshake with one key, and the head of a
// frame that is a whole binary message.

#ifndef BENCH_WS_FRAMES_H_
#define BENCH_WS_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

// The client's key is always that of RFC 6455 section 1.3, and so is what it is answered with.
inline constexpr std::string_view kWsKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kWsAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline constexpr char kBinaryByte = '\x82';  // The last frame of a message, binary.
inline constexpr std::size_t kMaskBytes = 4;
inline constexpr std::size_t kMaxHeadBytes = 14;

// Writes the head of a frame without a mask, of at most 10 bytes; returns the size.
inline std::size_t WriteHead(char* out, char first, std::uint64_t size) {
  out[0] = first;
  if (size < 126) {
    out[1] = static_cast<char>(size);
    return 2;
  }
  const int bytes = size < 65536 ? 2 : 8;
  out[1] = static_cast<char>(bytes == 2 ? 126 : 127);
  for (int i = 0; i < bytes; ++i) out[2 + i] = static_cast<char>(size >> (8 * (bytes - 1 - i)));
  return static_cast<std::size_t>(2 + bytes);
}

// A message as a server sends it, and as a client does.
inline std::string ServerFrame(std::string_view payload) {
  std::string frame(kMaxHeadBytes, '\0');
  frame.resize(WriteHead(frame.data(), kBinaryByte, payload.size()));
  return frame.append(payload);
}
inline std::string ClientFrame(std::string_view payload) {
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  std::string frame = ServerFrame(payload);
  const std::size_t head = frame.size() - payload.size();
  for (std::size_t i = 0; i < payload.size(); ++i) frame[head + i] ^= kMask[i % kMaskBytes];
  frame.insert(head, kMask);
  frame[1] |= '\x80';
  return frame;
}

}  // namespace bench

#endif  // BENCH_WS_FRAMES_H_
