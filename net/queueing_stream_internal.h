// File: queueing_stream_internal.h
//
// The writes of a stream that has a WriteQueue; see Stream for what they do.

#ifndef STRATA_NET_QUEUEING_STREAM_INTERNAL_H_
#define STRATA_NET_QUEUEING_STREAM_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "strata/net/error.h"
#include "strata/net/file.h"
#include "strata/net/loop.h"
#include "strata/net/stream.h"
#include "strata/net/write_queue.h"

namespace strata::net::internal {

// Of a Derived, which is its friend, are: queue_; Writable(bytes), which says why no more may be
// queued, or kOk; Queued(), which is told that something was.
template <typename Derived>
class QueueingStream : public Stream {
 public:
  Error Write(std::string_view bytes) final {
    return Queue(bytes.size(),
                 [&](WriteQueue& queue) { queue.Append(self().loop()->chunks(), bytes); });
  }

  std::span<char> Reserve(std::size_t bytes) final {
    if (self().Writable(bytes) != Error::kOk) return {};
    return self().queue_.Reserve(self().loop()->chunks(), bytes);
  }

  void Commit(std::size_t bytes) final {
    self().queue_.Commit(bytes);
    self().Queued();
  }

  Error WriteOwned(std::string bytes) final {
    if (bytes.size() < kCopyBytes) return Write(bytes);
    return Queue(bytes.size(), [&](WriteQueue& queue) { queue.AppendOwned(std::move(bytes)); });
  }

  Error WriteShared(std::shared_ptr<const std::string> bytes) final {
    if (!bytes) return Error::kInvalidArgument;
    if (bytes->size() < kCopyBytes) return Write(*bytes);
    const std::size_t size = bytes->size();
    return Queue(size, [&](WriteQueue& queue) { queue.AppendShared(std::move(bytes)); });
  }

  Error WriteFile(std::shared_ptr<const File> file, std::uint64_t offset,
                  std::uint64_t count) final {
    if (!file) return Error::kInvalidArgument;
    return Queue(0, [&](WriteQueue& queue) { queue.AppendFile(std::move(file), offset, count); });
  }

 private:
  // Below this a copy into the chunk that is there costs less than a segment of its own.
  static constexpr std::size_t kCopyBytes = 2048;

  Derived& self() { return static_cast<Derived&>(*this); }

  template <typename Append>
  Error Queue(std::size_t bytes, Append append) {
    const Error error = self().Writable(bytes);
    if (error != Error::kOk) return error;
    append(self().queue_);
    self().Queued();
    return Error::kOk;
  }
};

}  // namespace strata::net::internal

#endif  // STRATA_NET_QUEUEING_STREAM_INTERNAL_H_
