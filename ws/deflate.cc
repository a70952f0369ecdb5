// permessage-deflate by zlib.

#include "strata/ws/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <climits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "strata/ws/byte_buffer_internal.h"
#include "strata/ws/entropy_internal.h"

namespace strata::ws {
namespace {

// RFC 7692 section 7.2.1: a sync flush ends with this, which is not sent.
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);

// zlib counts in unsigned int.
constexpr std::size_t kMaxAtOnce = UINT_MAX / 2;

// zlib reads, but its type does not say so.
Bytef* BytesOf(const char* bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes)); }

void ThrowIfNoMemory(int result) {
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
}

struct InflateEnd {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
using InflateStream = std::unique_ptr<z_stream, InflateEnd>;

InflateStream OpenInflate(int window_bits) {
  auto stream = std::make_unique<z_stream>();
  ThrowIfNoMemory(inflateInit2(stream.get(), -window_bits));
  return InflateStream(stream.release());
}

struct DeflateEnd {
  void operator()(z_stream* stream) const {
    deflateEnd(stream);
    delete stream;
  }
};
using DeflateStream = std::unique_ptr<z_stream, DeflateEnd>;

// zlib has no window of 8 bits without its own header (deflateInit2() refuses), but one of 9 bits
// refers no further back than 512 bytes less its look-ahead of 262: to 250, which is less than the
// 256 of 8 bits.
DeflateStream OpenDeflate(int level, int window_bits, int memory_level) {
  auto stream = std::make_unique<z_stream>();
  ThrowIfNoMemory(deflateInit2(stream.get(), level, Z_DEFLATED, -std::max(window_bits, 9),
                               memory_level, Z_DEFAULT_STRATEGY));
  return DeflateStream(stream.release());
}

// A message without context needs no larger window than itself, and a compressor with a smaller one
// has less to clear before each message: 8 KB instead of 64, which is as much work as deflating a
// hundred bytes.
constexpr int kSmallWindowBits = 12;
constexpr int kSmallMemoryLevel = 5;
constexpr std::size_t kMaxSmallBytes = 3 << 10;

// Compressed messages are made in a buffer that all deflaters of a pool share. One that is larger
// than this is not kept.
constexpr std::size_t kMaxKeptBytes = 256 << 10;

// What one message of an inflater is in: how much there was of it, and how it ends.
class InflatedMessage {
 public:
  InflateState Add(z_stream& stream, std::string_view* input, std::span<char> room,
                   std::size_t* written) {
    empty_ = empty_ && input->empty();
    return Run(stream, input, room, written);
  }

  // After the message's last byte.
  InflateState Finish(z_stream& stream, std::span<char> room, std::size_t* written) {
    // A message of no bytes at all is no DEFLATE data, but what is meant is clear. One whose last
    // block says so (BFINAL) ought to have an empty one behind it (section 7.2.3.4), but is whole
    // without.
    if (empty_ || (after_final_block_ && tail_.size() == kTail.size())) return Ended();
    const InflateState state = Run(stream, &tail_, room, written);
    if (state != InflateState::kDone) return state;
    // Its last block must be at its end now, with no bit left over.
    const bool whole =
        !after_final_block_ && (stream.data_type & 128) != 0 && (stream.data_type & 63) == 0;
    return whole ? Ended() : InflateState::kBad;
  }

 private:
  InflateState Ended() {
    *this = InflatedMessage();
    return InflateState::kDone;
  }

  InflateState Run(z_stream& stream, std::string_view* input, std::span<char> room,
                   std::size_t* written) {
    *written = 0;
    for (;;) {
      const std::size_t given = std::min(input->size(), kMaxAtOnce);
      const std::size_t free = std::min(room.size() - *written, kMaxAtOnce);
      stream.next_in = BytesOf(input->data());
      stream.avail_in = static_cast<uInt>(given);
      stream.next_out = BytesOf(room.data() + *written);
      stream.avail_out = static_cast<uInt>(free);
      const int result = inflate(&stream, Z_SYNC_FLUSH);
      ThrowIfNoMemory(result);
      input->remove_prefix(given - stream.avail_in);
      // What was written before a bad place counts too.
      *written += free - stream.avail_out;
      if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) {
        return InflateState::kBad;
      }
      if (given != stream.avail_in || result == Z_STREAM_END) {
        after_final_block_ = result == Z_STREAM_END;
      }
      // Blocks may follow a final one, and refer to what was before it.
      if (result == Z_STREAM_END) inflateResetKeep(&stream);
      if (*written == room.size()) return InflateState::kFull;
      if (input->empty()) return InflateState::kDone;
    }
  }

  std::string_view tail_ = kTail;
  bool empty_ = true;

  // The last byte taken ended a final block.
  bool after_final_block_ = false;
};

// With context takeover: a stream of its own.
class OwnInflater final : public MessageInflater {
 public:
  explicit OwnInflater(int window_bits) : window_bits_(window_bits) {}

  InflateState Inflate(std::string_view* input, std::span<char> room,
                       std::size_t* written) override {
    if (!stream_) stream_ = OpenInflate(window_bits_);
    return message_.Add(*stream_, input, room, written);
  }

  InflateState Finish(std::span<char> room, std::size_t* written) override {
    if (!stream_) stream_ = OpenInflate(window_bits_);
    return message_.Finish(*stream_, room, written);
  }

 private:
  InflateStream stream_;
  InflatedMessage message_;
  int window_bits_;
};

}  // namespace

struct DeflatePool::State {
  explicit State(const DeflatePoolOptions& with) : options(with) {}

  // An inflater at its beginning. Its window is of 15 bits, which is enough for all.
  InflateStream TakeInflater() {
    ++borrowed;
    if (idle.empty()) return OpenInflate(kMaxWindowBits);
    InflateStream stream = std::move(idle.back());
    idle.pop_back();
    return stream;
  }

  void GiveInflater(InflateStream stream) {
    --borrowed;
    if (idle.size() == options.max_idle_inflaters) return;
    inflateReset(stream.get());
    idle.push_back(std::move(stream));
  }

  // A deflater at its beginning.
  z_stream& Deflater(int window_bits, std::size_t message_bytes) {
    const bool small = message_bytes <= kMaxSmallBytes && window_bits > kSmallWindowBits;
    const int bits = small ? kSmallWindowBits : window_bits;
    DeflateStream& stream = deflaters[static_cast<std::size_t>(bits)];
    const int memory_level = bits <= kSmallWindowBits ? kSmallMemoryLevel : options.memory_level;
    if (!stream) stream = OpenDeflate(options.level, bits, memory_level);
    return *stream;
  }

  // The message, deflated by `stream` and ended by a sync flush, without the tail.
  std::string_view Deflate(z_stream& stream, std::string_view message) {
    if (output.capacity() > kMaxKeptBytes) output.Free();
    output.Resize(0);
    do {
      const std::string_view some = message.substr(0, kMaxAtOnce);
      message.remove_prefix(some.size());
      DeflateSome(stream, some, message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
    } while (!message.empty());
    return {output.data(), output.size() - kTail.size()};
  }

  void DeflateSome(z_stream& stream, std::string_view some, int flush) {
    stream.next_in = BytesOf(some.data());
    stream.avail_in = static_cast<uInt>(some.size());
    do {
      // Room enough that a flush is not interrupted, which would repeat it.
      const std::size_t before = output.size();
      output.Reserve(before + some.size() / 4 + 64, SIZE_MAX);
      const std::size_t free = std::min(output.capacity() - before, kMaxAtOnce);
      stream.next_out = BytesOf(output.data() + before);
      stream.avail_out = static_cast<uInt>(free);
      deflate(&stream, flush);
      output.Resize(before + free - stream.avail_out);
    } while (stream.avail_out == 0);
  }

  const DeflatePoolOptions options;
  std::size_t borrowed = 0;
  std::vector<InflateStream> idle;
  std::array<DeflateStream, kMaxWindowBits + 1> deflaters;  // By the bits of their window.
  ByteBuffer output;
};

namespace {

// Without context takeover: one of the pool's, from the message's first byte to its last.
class PooledInflater final : public MessageInflater {
 public:
  explicit PooledInflater(DeflatePool::State* pool) : pool_(pool) {}
  ~PooledInflater() override { GiveBack(); }

  InflateState Inflate(std::string_view* input, std::span<char> room,
                       std::size_t* written) override {
    *written = 0;
    if (!stream_ && (!kept_.empty() || pool_->borrowed >= pool_->options.max_inflaters)) {
      kept_.append(*input);
      *input = {};
      return InflateState::kDone;
    }
    if (!stream_) stream_ = pool_->TakeInflater();
    return message_.Add(*stream_, input, room, written);
  }

  InflateState Finish(std::span<char> room, std::size_t* written) override {
    *written = 0;
    if (!stream_) {
      stream_ = pool_->TakeInflater();
      kept_left_ = kept_;
    }
    InflateState state = InflateState::kDone;
    if (!kept_left_.empty()) state = message_.Add(*stream_, &kept_left_, room, written);
    std::size_t more = 0;
    if (state == InflateState::kDone) {
      state = message_.Finish(*stream_, room.subspan(*written), &more);
    }
    *written += more;
    if (state == InflateState::kDone) GiveBack();
    return state;
  }

 private:
  void GiveBack() {
    if (stream_) pool_->GiveInflater(std::move(stream_));
    kept_ = std::string();
    kept_left_ = {};
  }

  DeflatePool::State* pool_;
  InflateStream stream_;
  InflatedMessage message_;

  // What came of a message while all inflaters were borrowed, and what is left to inflate of it.
  std::string kept_;
  std::string_view kept_left_;
};

class PooledDeflater final : public MessageDeflater {
 public:
  PooledDeflater(DeflatePool::State* pool, int window_bits)
      : pool_(pool), window_bits_(window_bits) {}

  std::optional<std::string_view> Deflate(std::string_view message) override {
    if (message.size() < pool_->options.min_bytes || LooksRandom(message)) return std::nullopt;
    z_stream& stream = pool_->Deflater(window_bits_, message.size());
    const std::string_view deflated = pool_->Deflate(stream, message);
    deflateReset(&stream);
    if (deflated.size() >= message.size()) return std::nullopt;
    return deflated;
  }

 private:
  DeflatePool::State* pool_;
  int window_bits_;
};

// With context takeover. What was deflated must be sent, for the next message may refer to it.
class OwnDeflater final : public MessageDeflater {
 public:
  OwnDeflater(DeflatePool::State* pool, int window_bits) : pool_(pool), window_bits_(window_bits) {}

  std::optional<std::string_view> Deflate(std::string_view message) override {
    const DeflatePoolOptions& options = pool_->options;
    if (message.size() < std::max<std::size_t>(options.min_bytes_with_takeover, 1) ||
        LooksRandom(message)) {
      return std::nullopt;
    }
    if (!stream_) stream_ = OpenDeflate(options.level, window_bits_, options.memory_level);
    return pool_->Deflate(*stream_, message);
  }

 private:
  DeflatePool::State* pool_;
  DeflateStream stream_;
  int window_bits_;
};

}  // namespace

DeflatePool::DeflatePool(const DeflatePoolOptions& options)
    : state_(std::make_unique<State>(options)) {}
DeflatePool::~DeflatePool() = default;

std::size_t DeflatePool::borrowed_inflaters() const { return state_->borrowed; }
std::size_t DeflatePool::idle_inflaters() const { return state_->idle.size(); }

std::unique_ptr<MessageInflater> MakeInflater(const DeflateParameters& agreed, Role role,
                                              DeflatePool* pool) {
  const bool server = role == Role::kServer;
  if (server ? agreed.client_no_context_takeover : agreed.server_no_context_takeover) {
    return std::make_unique<PooledInflater>(&pool->state());
  }
  return std::make_unique<OwnInflater>(server ? agreed.client_max_window_bits
                                              : agreed.server_max_window_bits);
}

std::unique_ptr<MessageDeflater> MakeDeflater(const DeflateParameters& agreed, Role role,
                                              DeflatePool* pool) {
  const bool server = role == Role::kServer;
  const int window_bits = server ? agreed.server_max_window_bits : agreed.client_max_window_bits;
  if (server ? agreed.server_no_context_takeover : agreed.client_no_context_takeover) {
    return std::make_unique<PooledDeflater>(&pool->state(), window_bits);
  }
  return std::make_unique<OwnDeflater>(&pool->state(), window_bits);
}

}  // namespace strata::ws
