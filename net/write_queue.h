// File: write_queue.h
//
// What a stream has still to send: memory that was copied, given or shared, and ranges of files, in
// order. An empty queue holds no memory; copied bytes go to chunks, which the loop's pool keeps for
// the next one.

#ifndef STRATA_NET_WRITE_QUEUE_H_
#define STRATA_NET_WRITE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "strata/net/file.h"
#include "strata/net/poller.h"

namespace strata::net {

struct WriteSegment;

// Chunks that are not in use, a bounded number of them. Belongs to one thread.
class ChunkPool {
 public:
  // What one chunk holds.
  static constexpr std::size_t kChunkBytes = 16 * 1024 - 64;

  ChunkPool() = default;
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

 private:
  friend class WriteQueue;

  static constexpr std::size_t kMaxChunks = 64;

  WriteSegment* Take();
  void Give(WriteSegment* chunk);

  WriteSegment* free_ = nullptr;
  std::size_t count_ = 0;
};

class WriteQueue {
 public:
  WriteQueue() = default;
  ~WriteQueue();  // The queue must have been cleared.
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  bool empty() const { return first_ == nullptr; }

  // Unsent bytes, those of files included.
  std::size_t bytes() const { return bytes_; }

  // Those of them that are in memory. Takes time as there are segments.
  std::size_t memory_bytes() const;

  void Append(ChunkPool& pool, std::string_view bytes);

  // Room at the end, of which Commit() then takes the first bytes, at least one: nothing else may
  // come in between. Empty if there can be none in one piece.
  std::span<char> Reserve(ChunkPool& pool, std::size_t bytes);
  void Commit(std::size_t bytes);

  void AppendOwned(std::string bytes);
  void AppendShared(std::shared_ptr<const std::string> bytes);
  void AppendFile(std::shared_ptr<const File> file, std::uint64_t offset, std::size_t count);

  // Fills `slices` from the front on, up to the first file. Returns how many it filled.
  std::size_t Slices(std::span<IoSlice> slices) const;

  // The file at the front, or no file (null) if there is memory or nothing.
  struct FileRange {
    const File* file;
    std::uint64_t offset;
    std::size_t count;
  };
  FileRange FrontFile() const;

  // Puts bytes that were read from the file at the front in front of it, in its place.
  void ReplaceFileBytes(ChunkPool& pool, std::string_view bytes);

  // Takes `bytes` from the front.
  void Consume(ChunkPool& pool, std::size_t bytes);

  void Clear(ChunkPool& pool);

 private:
  void PushBack(WriteSegment* segment);
  void PopFront(ChunkPool& pool);

  WriteSegment* first_ = nullptr;
  WriteSegment* last_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace strata::net

#endif  // STRATA_NET_WRITE_QUEUE_H_
