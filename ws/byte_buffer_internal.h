// Bytes on the heap that an empty buffer has none of: one pointer, for what most connections hold
// nothing in most of the time.

#ifndef STRATA_WS_BYTE_BUFFER_INTERNAL_H_
#define STRATA_WS_BYTE_BUFFER_INTERNAL_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace strata::ws {

class ByteBuffer {
 public:
  bool empty() const { return size() == 0; }
  std::size_t size() const { return block_ ? block_->size : 0; }
  std::size_t capacity() const { return block_ ? block_->capacity : 0; }
  char* data() { return block_ ? reinterpret_cast<char*>(block_.get() + 1) : nullptr; }

  // Makes the capacity `wanted` or more: twice what it was, but no more than `most`, which is not
  // less than `wanted`.
  void Reserve(std::size_t wanted, std::size_t most) {
    if (wanted <= capacity()) return;
    const std::size_t grown = std::min(std::max({wanted, 2 * capacity(), kMinCapacity}), most);
    const std::size_t old_size = size();
    void* memory = std::realloc(block_.get(), sizeof(Block) + grown);
    if (!memory) throw std::bad_alloc();
    // realloc() has freed it.
    static_cast<void>(block_.release());
    block_.reset(new (memory) Block{old_size, grown});
  }

  // Within the capacity; what is new has any value.
  void Resize(std::size_t size) {
    if (block_) block_->size = size;
  }

  // Gives the memory back.
  void Free() { block_.reset(); }

 private:
  // The bytes follow.
  struct Block {
    std::size_t size;
    std::size_t capacity;
  };
  struct FreeBlock {
    void operator()(Block* block) const { std::free(block); }
  };

  static constexpr std::size_t kMinCapacity = 256 - sizeof(Block);

  std::unique_ptr<Block, FreeBlock> block_;
};

}  // namespace strata::ws

#endif  // STRATA_WS_BYTE_BUFFER_INTERNAL_H_
