// The segments of a stream's unsent bytes.

#include "strata/net/write_queue.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

namespace strata::net {

// A stretch of what is to be sent: `data` and `size` shrink from the front.
struct WriteSegment {
  enum class Kind { kChunk, kOwned, kShared, kFile };

  explicit WriteSegment(Kind k) : kind(k) {}
  virtual ~WriteSegment() = default;

  WriteSegment* next = nullptr;
  const char* data = nullptr;
  std::size_t size = 0;
  const Kind kind;
};

namespace {

struct Chunk final : WriteSegment {
  Chunk() : WriteSegment(Kind::kChunk) { data = bytes; }

  std::size_t room() const {
    return static_cast<std::size_t>(bytes + sizeof(bytes) - (data + size));
  }

  void Append(std::string_view more) {
    std::memcpy(const_cast<char*>(data) + size, more.data(), more.size());
    size += more.size();
  }

  char bytes[ChunkPool::kChunkBytes];
};

struct Owned final : WriteSegment {
  explicit Owned(std::string text) : WriteSegment(Kind::kOwned), owned(std::move(text)) {
    data = owned.data();
    size = owned.size();
  }

  std::string owned;
};

struct Shared final : WriteSegment {
  explicit Shared(std::shared_ptr<const std::string> text)
      : WriteSegment(Kind::kShared), shared(std::move(text)) {
    data = shared->data();
    size = shared->size();
  }

  std::shared_ptr<const std::string> shared;
};

struct FileSegment final : WriteSegment {
  FileSegment(std::shared_ptr<const File> f, std::uint64_t from, std::size_t count)
      : WriteSegment(Kind::kFile), file(std::move(f)), offset(from) {
    size = count;
  }

  std::shared_ptr<const File> file;
  std::uint64_t offset;
};

}  // namespace

ChunkPool::~ChunkPool() {
  while (free_) delete std::exchange(free_, free_->next);
}

WriteSegment* ChunkPool::Take() {
  if (!free_) return new Chunk;
  --count_;
  auto* chunk = static_cast<Chunk*>(std::exchange(free_, free_->next));
  chunk->next = nullptr;
  chunk->data = chunk->bytes;
  chunk->size = 0;
  return chunk;
}

void ChunkPool::Give(WriteSegment* chunk) {
  if (count_ == kMaxChunks) {
    delete chunk;
    return;
  }
  chunk->next = std::exchange(free_, chunk);
  ++count_;
}

WriteQueue::~WriteQueue() { assert(empty()); }

std::size_t WriteQueue::memory_bytes() const {
  std::size_t bytes = 0;
  for (const WriteSegment* segment = first_; segment; segment = segment->next) {
    if (segment->kind != WriteSegment::Kind::kFile) bytes += segment->size;
  }
  return bytes;
}

void WriteQueue::PushBack(WriteSegment* segment) {
  bytes_ += segment->size;
  (last_ ? last_->next : first_) = segment;
  last_ = segment;
}

void WriteQueue::PopFront(ChunkPool& pool) {
  WriteSegment* segment = std::exchange(first_, first_->next);
  if (!first_) last_ = nullptr;
  if (segment->kind == WriteSegment::Kind::kChunk) {
    pool.Give(segment);
  } else {
    delete segment;
  }
}

void WriteQueue::Append(ChunkPool& pool, std::string_view bytes) {
  while (!bytes.empty()) {
    if (!last_ || last_->kind != WriteSegment::Kind::kChunk ||
        static_cast<Chunk*>(last_)->room() == 0) {
      PushBack(pool.Take());
    }
    auto* chunk = static_cast<Chunk*>(last_);
    std::string_view part = bytes.substr(0, chunk->room());
    chunk->Append(part);
    bytes_ += part.size();
    bytes.remove_prefix(part.size());
  }
}

std::span<char> WriteQueue::Reserve(ChunkPool& pool, std::size_t bytes) {
  if (bytes == 0 || bytes > ChunkPool::kChunkBytes) return {};
  if (!last_ || last_->kind != WriteSegment::Kind::kChunk ||
      static_cast<Chunk*>(last_)->room() < bytes) {
    PushBack(pool.Take());
  }
  return {const_cast<char*>(last_->data) + last_->size, bytes};
}

void WriteQueue::Commit(std::size_t bytes) {
  assert(bytes > 0 && bytes <= static_cast<Chunk*>(last_)->room());
  last_->size += bytes;
  bytes_ += bytes;
}

void WriteQueue::AppendOwned(std::string bytes) {
  if (!bytes.empty()) PushBack(new Owned(std::move(bytes)));
}

void WriteQueue::AppendShared(std::shared_ptr<const std::string> bytes) {
  if (bytes && !bytes->empty()) PushBack(new Shared(std::move(bytes)));
}

void WriteQueue::AppendFile(std::shared_ptr<const File> file, std::uint64_t offset,
                            std::size_t count) {
  if (count > 0) PushBack(new FileSegment(std::move(file), offset, count));
}

std::size_t WriteQueue::Slices(std::span<IoSlice> slices) const {
  std::size_t count = 0;
  for (const WriteSegment* segment = first_;
       segment && segment->kind != WriteSegment::Kind::kFile && count < slices.size();
       segment = segment->next) {
    slices[count++] = {segment->data, segment->size};
  }
  return count;
}

WriteQueue::FileRange WriteQueue::FrontFile() const {
  if (!first_ || first_->kind != WriteSegment::Kind::kFile) return {nullptr, 0, 0};
  auto* segment = static_cast<const FileSegment*>(first_);
  return {segment->file.get(), segment->offset, segment->size};
}

void WriteQueue::ReplaceFileBytes(ChunkPool& pool, std::string_view bytes) {
  Consume(pool, bytes.size());
  WriteQueue front;
  front.Append(pool, bytes);
  front.last_->next = first_;
  if (!first_) last_ = front.last_;
  first_ = front.first_;
  bytes_ += front.bytes_;
  front.first_ = front.last_ = nullptr;
}

void WriteQueue::Consume(ChunkPool& pool, std::size_t bytes) {
  assert(bytes <= bytes_);
  bytes_ -= bytes;
  while (first_) {
    const std::size_t part = std::min(bytes, first_->size);
    first_->size -= part;
    if (first_->kind == WriteSegment::Kind::kFile) {
      static_cast<FileSegment*>(first_)->offset += part;
    } else {
      first_->data += part;
    }
    bytes -= part;
    if (first_->size > 0) return;
    PopFront(pool);
  }
}

void WriteQueue::Clear(ChunkPool& pool) {
  while (first_) PopFront(pool);
  bytes_ = 0;
}

}  // namespace strata::net
