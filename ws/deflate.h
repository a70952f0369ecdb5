// File: deflate.h
//
// permessage-deflate, RFC 7692 section 7.2, by zlib: what inflates and deflates the messages of a
// connection, as both sides have agreed (deflate_negotiation.h).
//
//   DeflatePool pool;  // One for each loop.
//   MessageDecoder decoder(&options, MakeInflater(agreed, Role::kServer, &pool));
//   std::unique_ptr<MessageDeflater> deflater = MakeDeflater(agreed, Role::kServer, &pool);
//
// Without context takeover a connection has no compressor of its own: it borrows one of the pool's
// for the length of a message. With it, each direction has its own from its first compressed
// message on: about 7 KB and the window to inflate, up to 256 KB to deflate.

#ifndef STRATA_WS_DEFLATE_H_
#define STRATA_WS_DEFLATE_H_

#include <cstddef>
#include <memory>

#include "strata/ws/compression.h"
#include "strata/ws/deflate_negotiation.h"
#include "strata/ws/frame.h"

namespace strata::ws {

struct DeflatePoolOptions {
  // Of zlib, 1 (fast) to 9 (small).
  int level = 1;

  // Of zlib, 1 to 9: a deflater with context takeover has 2^(9 + memory_level) bytes beside its
  // window, which takes 2^(2 + bits).
  int memory_level = 8;

  // Messages of fewer bytes are sent as they are: with context takeover, where the ones before help
  // even a short one, and without.
  std::size_t min_bytes_with_takeover = 16;
  std::size_t min_bytes = 64;

  // How many inflaters, of about 40 KB, may be borrowed at once by connections whose peers have
  // sent a part of a message. Beyond that what comes of a message is kept as it is, and inflated
  // when it is whole.
  std::size_t max_inflaters = 256;

  // How many the pool keeps that nobody has borrowed.
  std::size_t max_idle_inflaters = 4;
};

// Compressors without context, which connections share. Belongs to one thread, as all that it is
// given to; it outlives these.
class DeflatePool {
 public:
  explicit DeflatePool(const DeflatePoolOptions& options = {});
  ~DeflatePool();
  DeflatePool(const DeflatePool&) = delete;
  DeflatePool& operator=(const DeflatePool&) = delete;

  // Inflaters that are borrowed, and that are not.
  std::size_t borrowed_inflaters() const;
  std::size_t idle_inflaters() const;

  // For the library itself.
  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// Inflates what the other side of `role` sends. What its decoder's limits are holds for it too: it
// writes no more than it is given room for.
std::unique_ptr<MessageInflater> MakeInflater(const DeflateParameters& agreed, Role role,
                                              DeflatePool* pool);

// Deflates what the side `role` sends. It leaves messages as they are that are short, or that look
// like random bytes, or, without context takeover, that do not become smaller.
std::unique_ptr<MessageDeflater> MakeDeflater(const DeflateParameters& agreed, Role role,
                                              DeflatePool* pool);

}  // namespace strata::ws

#endif  // STRATA_WS_DEFLATE_H_
