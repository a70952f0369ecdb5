#include "strata/mm/arena.h"

#include <algorithm>
#include <cstring>

#include "strata/mm/mm.h"

#ifdef STRATA_MM_ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace strata::mm {
namespace {

// A request larger than this part of the largest block would waste too much of one.
constexpr std::size_t kAloneDivisor = 4;

// AddressSanitizer sees memory in units of 8 bytes, and ours not at all unless we tell it.
void Poison([[maybe_unused]] std::uintptr_t start, [[maybe_unused]] std::size_t size) {
#ifdef STRATA_MM_ARENA_POISONS
  __asan_poison_memory_region(reinterpret_cast<void*>(start), size);
#endif
}

void Unpoison([[maybe_unused]] std::uintptr_t start, [[maybe_unused]] std::size_t size) {
#ifdef STRATA_MM_ARENA_POISONS
  __asan_unpoison_memory_region(reinterpret_cast<void*>(start), size);
#endif
}

}  // namespace

#ifdef STRATA_MM_ARENA_POISONS
void* Arena::HandOut(std::uintptr_t start, std::size_t size) {
  Unpoison(start, size);
  return reinterpret_cast<void*>(start);
}
#endif

std::uintptr_t Arena::FirstByte(const Block* block) {
  return reinterpret_cast<std::uintptr_t>(block) + sizeof(Block);
}

void* Arena::AllocateSlowly(std::size_t size, std::size_t alignment) {
  // Also keeps the sums below from overflowing.
  constexpr std::size_t kSizeMax = PTRDIFF_MAX / 2;
  if (size > kSizeMax || alignment > kSizeMax) return nullptr;
  const std::size_t padding = alignment > kDefaultAlignment ? alignment : 0;
  if (size + padding > options_.max_block_bytes / kAloneDivisor) {
    return AllocateAlone(size, alignment);
  }
  return Advance(size, alignment) ? Allocate(size, alignment) : nullptr;
}

// Leaves the current block as it is: what remains of it still serves small requests.
void* Arena::AllocateAlone(std::size_t size, std::size_t alignment) {
  const std::size_t padding = alignment > kDefaultAlignment ? alignment : 0;
  Block* block = NewBlock(sizeof(Block) + padding + size);
  if (block == nullptr) return nullptr;
  block->next = alone_;
  alone_ = block;
  const std::uintptr_t start = (FirstByte(block) + alignment - 1) & ~(alignment - 1);
  bytes_used_ += start + size - FirstByte(block);
  return HandOut(start, size);
}

// Makes a block current that has room for the request: one that Reset() kept, or else a new one.
bool Arena::Advance(std::size_t size, std::size_t alignment) {
  const std::size_t padding = alignment > kDefaultAlignment ? alignment : 0;
  const std::size_t needed = sizeof(Block) + padding + size;
  Block* kept = current_ != nullptr ? current_->next : first_;
  if (kept != nullptr && kept->size >= needed) {
    Use(kept);
    return true;
  }
  const std::size_t doubled = current_ != nullptr ? current_->size * 2 : options_.first_block_bytes;
  Block* block = NewBlock(std::max(std::min(doubled, options_.max_block_bytes), needed));
  if (block == nullptr) return false;
  // Before the kept ones, which may still do for smaller requests.
  Block** link = current_ != nullptr ? &current_->next : &first_;
  block->next = *link;
  *link = block;
  Use(block);
  return true;
}

void Arena::Use(Block* block) {
  current_ = block;
  cursor_ = FirstByte(block);
  limit_ = reinterpret_cast<std::uintptr_t>(block) + block->size;
}

Arena::Block* Arena::NewBlock(std::size_t size) {
  Block* block = static_cast<Block*>(strata_mm_malloc(size));
  if (block == nullptr) return nullptr;
  *block = {nullptr, size};
  bytes_reserved_ += size;
  Poison(FirstByte(block), size - sizeof(Block));
  return block;
}

void Arena::FreeBlock(Block* block) {
  Unpoison(FirstByte(block), block->size - sizeof(Block));
  bytes_reserved_ -= block->size;
  strata_mm_free(block);
}

void Arena::FreeAll() {
  for (Block* list : {first_, alone_}) {
    while (list != nullptr) {
      Block* next = list->next;
      FreeBlock(list);
      list = next;
    }
  }
  first_ = alone_ = nullptr;
}

void Arena::Reset() {
  while (alone_ != nullptr) {
    Block* next = alone_->next;
    FreeBlock(alone_);
    alone_ = next;
  }
  std::size_t retained = 0;
  Block** link = &first_;
  while (Block* block = *link) {
    if (block->size > options_.max_retained_bytes - retained) {
      *link = block->next;
      FreeBlock(block);
      continue;
    }
    retained += block->size;
    Poison(FirstByte(block), block->size - sizeof(Block));
    link = &block->next;
  }
  current_ = nullptr;
  cursor_ = limit_ = 0;
  bytes_used_ = 0;
}

std::string_view Arena::CopyString(std::string_view text) {
  char* copy = static_cast<char*>(Allocate(text.size() + 1, 1));
  if (copy == nullptr) return {};
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return {copy, text.size()};
}

// Leaves `other` empty but usable. Expects to hold nothing itself.
void Arena::TakeFrom(Arena* other) noexcept {
  cursor_ = std::exchange(other->cursor_, 0);
  limit_ = std::exchange(other->limit_, 0);
  first_ = std::exchange(other->first_, nullptr);
  current_ = std::exchange(other->current_, nullptr);
  alone_ = std::exchange(other->alone_, nullptr);
  bytes_used_ = std::exchange(other->bytes_used_, 0);
  bytes_reserved_ = std::exchange(other->bytes_reserved_, 0);
  options_ = other->options_;
}

}  // namespace strata::mm
