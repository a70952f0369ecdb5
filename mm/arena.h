// File: arena.h
//
// A region of memory for what lives exactly as long as one request: allocating moves a pointer, and
// Reset() gives everything back at once.
//
//   strata::mm::Arena arena;
//   for (;;) {
//     std::string_view name = arena.CopyString("a name that outlives its source");
//     Point* point = arena.New<Point>(3, 4);
//     ...
//     arena.Reset();  // name and point are gone; the memory is kept for the next round.
//   }
//
// The memory comes from strata_mm_malloc in blocks that grow geometrically, up to a bound. What is
// large compared to that bound gets a block of its own. Reset() keeps a bounded amount of it, so
// that a steady load allocates nothing and one huge request is not paid for forever.
//
// Destructors do not run: New() takes only types that need none. Give others a home outside, or put
// them in a container on an ArenaResource (memory_resource.h), which runs the destructors of its
// elements itself.
//
// When there is no memory, functions return null (they never throw), and the arena stays as it was.
//
// Not thread-safe: one thread at a time. Movable; what was allocated stays where it is and belongs
// to the arena moved to. Under AddressSanitizer, memory that is not handed out is poisoned.

#ifndef STRATA_MM_ARENA_H_
#define STRATA_MM_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define STRATA_MM_ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STRATA_MM_ARENA_POISONS 1
#endif
#endif

namespace strata::mm {

// The bounds of an arena. All are bytes.
struct ArenaOptions {
  // The first block. Allocated when first needed: an arena that is not used holds no memory.
  std::size_t first_block_bytes = 4096;

  // Blocks double up to this. A request of more than a quarter of it gets a block of its own.
  std::size_t max_block_bytes = 256 * 1024;

  // Reset() frees blocks above this, those of single large requests always.
  std::size_t max_retained_bytes = 512 * 1024;
};

class Arena {
 public:
  // What malloc guarantees, enough for every type that asks for no more.
  static constexpr std::size_t kDefaultAlignment = 16;

  Arena() : Arena(ArenaOptions()) {}
  explicit Arena(const ArenaOptions& options) : options_(options) {}
  ~Arena() { FreeAll(); }

  Arena(Arena&& other) noexcept { TakeFrom(&other); }
  Arena& operator=(Arena&& other) noexcept {
    if (this != &other) {
      FreeAll();
      TakeFrom(&other);
    }
    return *this;
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Returns `size` bytes at a multiple of `alignment`, a power of two; contents undefined. For 0
  // bytes, an address of its own. Null if there is no memory or `size` exceeds PTRDIFF_MAX. The
  // memory is the arena's until Reset() or its end; nothing has to be freed.
  [[nodiscard]] void* Allocate(std::size_t size, std::size_t alignment = kDefaultAlignment) {
    const std::uintptr_t start = (cursor_ + alignment - 1) & ~(alignment - 1);
    const std::size_t taken = size + (size == 0);
    if (start < cursor_ || start > limit_ || taken > limit_ - start) {
      return AllocateSlowly(taken, alignment);
    }
    bytes_used_ += start + taken - cursor_;
    cursor_ = start + taken;
    return HandOut(start, taken);
  }

  // Constructs a T from `args` in the arena. Null if there is no memory.
  template <typename T, typename... Args>
  [[nodiscard]] T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>,
                  "an arena runs no destructors: use a container on an ArenaResource");
    void* memory = Allocate(sizeof(T), alignof(T));
    return memory == nullptr ? nullptr : ::new (memory) T(std::forward<Args>(args)...);
  }

  // Constructs `count` value-initialized objects (numbers are zero) and returns the first. Null if
  // there is no memory or the size overflows.
  template <typename T>
  [[nodiscard]] T* NewArray(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>,
                  "an arena runs no destructors: use a container on an ArenaResource");
    if (count > PTRDIFF_MAX / sizeof(T)) return nullptr;
    T* first = static_cast<T*>(Allocate(count * sizeof(T), alignof(T)));
    if (first == nullptr) return nullptr;
    for (std::size_t i = 0; i < count; ++i) ::new (static_cast<void*>(first + i)) T();
    return first;
  }

  // Copies `text`, and a NUL after it that the result does not count. If there is no memory, the
  // result's data() is null; it never is otherwise, not for an empty `text` either.
  [[nodiscard]] std::string_view CopyString(std::string_view text);

  // Takes back all that was allocated, and frees what exceeds options().max_retained_bytes.
  void Reset();

  // Bytes handed out since the last Reset(), with what alignment skipped.
  std::size_t bytes_used() const { return bytes_used_; }

  // Bytes that the arena holds: handed out, free for later, and its own headers.
  std::size_t bytes_reserved() const { return bytes_reserved_; }

  const ArenaOptions& options() const { return options_; }

 private:
  // At the start of each block; what is handed out follows it.
  struct Block {
    Block* next;
    std::size_t size;  // Bytes, this header included.
  };

  void* AllocateSlowly(std::size_t size, std::size_t alignment);
  void* AllocateAlone(std::size_t size, std::size_t alignment);
  bool Advance(std::size_t size, std::size_t alignment);
  Block* NewBlock(std::size_t size);
  void FreeBlock(Block* block);
  void FreeAll();
  void Use(Block* block);
  void TakeFrom(Arena* other) noexcept;
  static std::uintptr_t FirstByte(const Block* block);

#ifdef STRATA_MM_ARENA_POISONS
  static void* HandOut(std::uintptr_t start, std::size_t size);
#else
  static void* HandOut(std::uintptr_t start, std::size_t) { return reinterpret_cast<void*>(start); }
#endif

  std::uintptr_t cursor_ = 0;  // The first free byte of the current block.
  std::uintptr_t limit_ = 0;   // Its end.
  Block* first_ = nullptr;     // Blocks to move through, in order; all after current_ are free.
  Block* current_ = nullptr;
  Block* alone_ = nullptr;  // Blocks of single large requests.
  std::size_t bytes_used_ = 0;
  std::size_t bytes_reserved_ = 0;
  ArenaOptions options_;
};

}  // namespace strata::mm

#endif  // STRATA_MM_ARENA_H_
