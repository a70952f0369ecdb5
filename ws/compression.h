// File: compression.h
//
// What the decoder and the encoder want of a compression, RFC 7692: so they do not depend on zlib.
// deflate.h has both.
//
//   while (inflater.Inflate(&input, room, &written) == InflateState::kFull) ...
//
// An inflater and a deflater belong to one connection, whose messages go through them in order.

#ifndef STRATA_WS_COMPRESSION_H_
#define STRATA_WS_COMPRESSION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace strata::ws {

enum class InflateState : std::uint8_t {
  kDone,  // All that was given is taken, and what comes of it is written.
  kFull,  // The room is full. There may be more: call again.
  kBad,   // What follows in the message is no DEFLATE data. The connection fails.
};

class MessageInflater {
 public:
  virtual ~MessageInflater() = default;

  // Takes bytes of a message from the front of *input, in pieces of any size. Writes what comes of
  // them to `room`, which is not empty, and to *written how much that was.
  virtual InflateState Inflate(std::string_view* input, std::span<char> room,
                               std::size_t* written) = 0;

  // Writes the rest of the message, after all of it was taken. With kDone the next one may begin.
  virtual InflateState Finish(std::span<char> room, std::size_t* written) = 0;
};

class MessageDeflater {
 public:
  virtual ~MessageDeflater() = default;

  // The payload of the frame, or of the frames together, in which a message is sent compressed; or
  // nothing if it is better sent as it is. It must be sent then, before any that is compressed
  // later. It is valid until the next call of any deflater on this thread.
  virtual std::optional<std::string_view> Deflate(std::string_view message) = 0;
};

}  // namespace strata::ws

#endif  // STRATA_WS_COMPRESSION_H_
