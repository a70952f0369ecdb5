// Random stress of malloc by many threads at once.
//
// Every block carries a pattern made of its address, its size and a seed, which is verified before
// the block is freed or moved, so a block handed out twice, moved badly or written by the allocator
// is found. The phases:
//
//   own frees        each thread on a table of its own: malloc, calloc, realloc, memalign, free
//   batches          many blocks of one size, freed in order, in reverse or at random
//   cross frees      all threads exchange blocks through one table of atomic slots
//   queues           half the threads allocate, the other half verify and free
//   churn            thousands of threads that live for a few blocks
//   realloc chains   one block grown and shrunk step by step, next to others that do the same
//   fork             children that verify what they inherited, while all the above goes on
//   trim             malloc_trim and the allocator's figures, while all the above goes on
//
// The work is bounded by operations (--ops, for all threads together), so that a run means the same
// on any machine; --seconds ends it earlier. A failure prints the seed that repeats the choices
// (though not the interleaving). The tables live in memory mapped by the test itself: a damaged
// heap must not damage the witness.

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cinttypes>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "strata/mm/mm.h"

namespace {

struct Flags {
  std::uint64_t seed = 0;
  std::uint64_t ops = 2000000;
  unsigned seconds = 0;  // 0: no limit.
  unsigned threads = 4;
  unsigned size_bits_max = 22;  // The largest blocks are just under 2^this bytes.
  unsigned churn_threads = 2000;
  unsigned forks = 20;
};

Flags flags;

// The allocator's own, if it is ours.
using GetStats = void (*)(strata_mm_stats*);
GetStats get_stats = nullptr;
std::atomic<bool> time_is_up = false;

[[noreturn]] __attribute__((format(printf, 1, 2))) void Die(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char line[640];
  const int length =
      snprintf(line, sizeof line, "stress: %s (--seed=%" PRIu64 ")\n", text, flags.seed);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, length);
  abort();
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t Below(std::size_t bound) { return Next() % bound; }

  // Power law: each doubling of the size is about 0.6 times as likely as the one before.
  std::size_t Size() {
    unsigned bits = 3;
    while (bits < flags.size_bits_max && Below(10) < 6) ++bits;
    const std::size_t top = std::size_t{1} << bits;
    return Below(8) == 0 ? top - Below(9) : Below(top);
  }

 private:
  std::uint64_t state_;
};

// --- Blocks and their patterns ---

struct Block {
  unsigned char* address = nullptr;
  std::size_t size = 0;
  std::uint64_t seed = 0;
};

std::uint64_t Word(std::uint64_t key, std::size_t index) {
  return (key + index) * 0x9e3779b97f4a7c15;
}

// Visits the words of a block that carry the pattern: all up to 32 KiB, then both ends and one word
// in each page, for filling megabytes would leave no time for allocating.
template <typename Visitor>
bool VisitWords(std::size_t size, Visitor visit) {
  constexpr std::size_t kWhole = 32768;
  const std::size_t words = size / 8;
  if (size <= kWhole) {
    for (std::size_t i = 0; i < words; ++i) {
      if (!visit(i)) return false;
    }
    return true;
  }
  for (std::size_t i = 0; i < 128; ++i) {
    if (!visit(i) || !visit(words - 1 - i)) return false;
  }
  for (std::size_t i = 256; i + 256 < words; i += 509) {
    if (!visit(i)) return false;
  }
  return true;
}

std::uint64_t KeyOf(const void* address, std::size_t size, std::uint64_t seed) {
  return reinterpret_cast<std::uintptr_t>(address) ^ (size << 24) ^ (seed * 0xd6e8feb86659fd93);
}

void Fill(const Block& block) {
  const std::uint64_t key = KeyOf(block.address, block.size, block.seed);
  VisitWords(block.size, [&](std::size_t i) {
    const std::uint64_t word = Word(key, i);
    memcpy(block.address + i * 8, &word, 8);
    return true;
  });
  for (std::size_t i = block.size / 8 * 8; i < block.size; ++i) block.address[i] = key >> 8;
}

// `now` is where the block's bytes are; the pattern is that of block.address.
bool Intact(const Block& block, const unsigned char* now, std::size_t length) {
  const std::uint64_t key = KeyOf(block.address, block.size, block.seed);
  const bool words = VisitWords(block.size, [&](std::size_t i) {
    if (i * 8 + 8 > length) return true;
    const std::uint64_t word = Word(key, i);
    return memcmp(now + i * 8, &word, 8) == 0;
  });
  if (!words || length < block.size) return words;
  for (std::size_t i = block.size / 8 * 8; i < block.size; ++i) {
    if (now[i] != static_cast<unsigned char>(key >> 8)) return false;
  }
  return true;
}

void Verify(const Block& block, const char* when) {
  if (Intact(block, block.address, block.size)) return;
  Die("block %p of %zu bytes was damaged (seen before %s)", static_cast<void*>(block.address),
      block.size, when);
}

void CheckFresh(const void* address, std::size_t size, std::size_t alignment, const char* by) {
  if (address == nullptr) Die("%s of %zu bytes found no memory", by, size);
  if (reinterpret_cast<std::uintptr_t>(address) % alignment != 0) {
    Die("%s of %zu bytes gave %p, not aligned to %zu", by, size, address, alignment);
  }
  const std::size_t usable = malloc_usable_size(const_cast<void*>(address));
  if (usable < size) Die("%s of %zu bytes gave %zu usable ones", by, size, usable);
}

void CheckZero(const unsigned char* address, std::size_t size) {
  if (size == 0) return;
  if (address[0] != 0 || memcmp(address, address + 1, size - 1) != 0) {
    Die("calloc of %zu bytes at %p is not zero", size, static_cast<const void*>(address));
  }
}

Block Allocate(Random* random, std::size_t size) {
  Block block;
  block.size = size;
  block.seed = random->Next();
  std::size_t alignment = 16;
  const char* by = "malloc";
  switch (random->Below(16)) {
    case 0:
    case 1:
      by = "calloc";
      block.address = static_cast<unsigned char*>(calloc(1, size));
      break;
    case 2: {
      by = "aligned_alloc";
      alignment = std::size_t{16} << random->Below(size < 65536 ? 9 : 14);
      block.address = static_cast<unsigned char*>(aligned_alloc(alignment, size));
      break;
    }
    case 3:
      by = "operator new";
      block.address = static_cast<unsigned char*>(::operator new(size, std::nothrow));
      break;
    default:
      block.address = static_cast<unsigned char*>(malloc(size));
  }
  CheckFresh(block.address, size, alignment, by);
  if (by[0] == 'c') CheckZero(block.address, size);
  Fill(block);
  return block;
}

void Free(Block* block) {
  if (block->address == nullptr) return;
  Verify(*block, "free");
  free(block->address);
  *block = Block{};
}

void Resize(Block* block, std::size_t size) {
  Verify(*block, "realloc");
  auto* moved =
      static_cast<unsigned char*>(realloc(block->address, std::max<std::size_t>(size, 1)));
  CheckFresh(moved, size, 16, "realloc");
  if (!Intact(*block, moved, std::min(size, block->size))) {
    Die("realloc from %zu to %zu bytes lost contents (%p to %p)", block->size, size,
        static_cast<void*>(block->address), static_cast<void*>(moved));
  }
  *block = Block{moved, size, block->seed + 1};
  Fill(*block);
}

// Memory for the test's own tables, out of the reach of the heap.
template <typename T>
T* NewTable(std::size_t count) {
  void* pages =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) Die("no memory for the test's tables");
  return new (pages) T[count]();
}

// --- The phases. Each is one thread's part. ---

constexpr std::size_t kOwnSlots = 2000;
constexpr std::size_t kSharedSlots = 1024;
constexpr std::size_t kBatchMax = 5000;

// A shared slot holds a pointer to a descriptor that the thread taking it then owns.
struct Parcel {
  Block block;
};
std::atomic<Parcel*>* shared_slots;

void OwnFrees(Random* random, Block* slots, std::uint64_t ops) {
  for (std::uint64_t i = 0; i < ops && !time_is_up; ++i) {
    Block& block = slots[random->Below(kOwnSlots)];
    if (block.address == nullptr) {
      block = Allocate(random, random->Size());
    } else if (random->Below(4) == 0) {
      Resize(&block, random->Size());
    } else {
      Free(&block);
    }
  }
}

// Overflows and drains the lists of free blocks, and empties whole spans.
void Batches(Random* random, Block* batch, std::uint64_t ops) {
  for (std::uint64_t i = 0; i < ops && !time_is_up;) {
    const std::size_t size = random->Size();
    const std::size_t most = std::clamp<std::size_t>((4u << 20) / (size + 1), 4, kBatchMax);
    const std::size_t count = 1 + random->Below(most);
    for (std::size_t n = 0; n < count; ++n) batch[n] = Allocate(random, size);
    const std::size_t order = random->Below(3);
    for (std::size_t n = 0; n < count; ++n) {
      if (order == 2) std::swap(batch[n], batch[n + random->Below(count - n)]);
      Free(&batch[order == 1 ? count - 1 - n : n]);
    }
    i += count;
  }
}

void Exchange(Random* random, std::uint64_t ops) {
  for (std::uint64_t i = 0; i < ops && !time_is_up; ++i) {
    Parcel* parcel = nullptr;
    if (random->Below(8) != 0) {
      // The descriptor is a block of the heap too, though one with no pattern.
      parcel = static_cast<Parcel*>(malloc(sizeof(Parcel)));
      if (parcel == nullptr) Die("no memory for a parcel");
      parcel->block = Allocate(random, random->Size());
    }
    parcel = shared_slots[random->Below(kSharedSlots)].exchange(parcel);
    if (parcel == nullptr) continue;
    if (random->Below(4) == 0) Resize(&parcel->block, random->Size());
    Free(&parcel->block);
    free(parcel);
  }
}

void EmptySharedSlots() {
  for (std::size_t i = 0; i < kSharedSlots; ++i) {
    Parcel* parcel = shared_slots[i].exchange(nullptr);
    if (parcel == nullptr) continue;
    Free(&parcel->block);
    free(parcel);
  }
}

// A bounded queue; its producers allocate and its consumers free.
class Queue {
 public:
  void Put(const Block& block) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [this] { return count_ < kCapacity; });
    blocks_[(first_ + count_++) % kCapacity] = block;
    not_empty_.notify_one();
  }

  // A block without an address ends the consumer.
  Block Take() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return count_ > 0; });
    const Block block = blocks_[first_];
    first_ = (first_ + 1) % kCapacity;
    --count_;
    not_full_.notify_one();
    return block;
  }

 private:
  static constexpr std::size_t kCapacity = 256;
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  Block blocks_[kCapacity];
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

void Produce(Random* random, Queue* queue, std::uint64_t ops) {
  // In batches of one size, as programs that pass messages do.
  for (std::uint64_t i = 0; i < ops && !time_is_up;) {
    const std::size_t size = random->Size();
    for (std::size_t n = random->Below(size < 4096 ? 100 : 3) + 1; n > 0; --n, ++i) {
      queue->Put(Allocate(random, size));
    }
  }
  queue->Put(Block{});
}

void Consume(Queue* queue) {
  for (;;) {
    Block block = queue->Take();
    if (block.address == nullptr) return;
    Free(&block);
  }
}

void ReallocChains(Random* random, std::uint64_t ops) {
  Block blocks[8];
  for (Block& block : blocks) block = Allocate(random, random->Below(100));
  const std::size_t size_max = std::size_t{1} << flags.size_bits_max;
  for (std::uint64_t i = 0; i < ops && !time_is_up; ++i) {
    Block& block = blocks[random->Below(8)];
    if (block.size >= size_max || random->Below(40) == 0) {
      Resize(&block, random->Below(100));
    } else {
      Resize(&block, block.size + 1 + random->Below(block.size / 2 + 64));
    }
  }
  for (Block& block : blocks) Free(&block);
}

// --- Putting the phases together ---

void Worker(unsigned index, std::uint64_t ops) {
  Random random(flags.seed * 1000 + index);
  auto* slots = NewTable<Block>(kOwnSlots);
  auto* batch = NewTable<Block>(kBatchMax);
  constexpr int kRounds = 10;
  const std::uint64_t share = ops / kRounds / 20;
  for (int round = 0; round < kRounds; ++round) {
    OwnFrees(&random, slots, share * 7);
    Batches(&random, batch, share * 7);
    Exchange(&random, share * 5);
    ReallocChains(&random, share);
  }
  for (std::size_t i = 0; i < kOwnSlots; ++i) Free(&slots[i]);
  munmap(slots, kOwnSlots * sizeof(Block));
  munmap(batch, kBatchMax * sizeof(Block));
}

void ChurnThreads(Random* random) {
  for (unsigned done = 0; done < flags.churn_threads && !time_is_up; done += 4) {
    std::thread threads[4];
    for (std::thread& thread : threads) {
      thread = std::thread([seed = random->Next()] {
        Random own(seed);
        Exchange(&own, 20);
        Block block = Allocate(&own, own.Size());
        Free(&block);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// The child sees the blocks of the forking thread as they were, and may use the heap.
void ForkOnce(Random* random, Block* slots) {
  const pid_t child = fork();
  if (child < 0) Die("fork: %s", strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(30);  // A deadlock ends here.
    for (std::size_t i = 0; i < kOwnSlots; i += 2) Free(&slots[i]);
    OwnFrees(random, slots, 300);
    for (std::size_t i = 0; i < kOwnSlots; ++i) Free(&slots[i]);
    _exit(0);
  }
  int status = -1;
  if (waitpid(child, &status, 0) != child || status != 0) {
    Die("the child of a fork ended with status %d%s", status,
        WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hung" : "");
  }
}

void Fork(Random* random) {
  auto* slots = NewTable<Block>(kOwnSlots);
  for (unsigned i = 0; i < flags.forks && !time_is_up; ++i) {
    OwnFrees(random, slots, 200);
    ForkOnce(random, slots);
    if (random->Below(4) == 0) malloc_trim(0);
    if (get_stats != nullptr) {
      strata_mm_stats stats;
      get_stats(&stats);
    }
  }
  for (std::size_t i = 0; i < kOwnSlots; ++i) Free(&slots[i]);
  munmap(slots, kOwnSlots * sizeof(Block));
}

void RunQueues() {
  const unsigned pairs = std::max(1u, flags.threads / 2);
  const std::uint64_t ops = flags.ops / 4 / pairs;
  std::vector<Queue> queues(pairs);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < pairs; ++i) {
    threads.emplace_back([queue = &queues[i], ops, i] {
      Random random(flags.seed * 1000 + 500 + i);
      Produce(&random, queue, ops);
    });
    threads.emplace_back([queue = &queues[i]] { Consume(queue); });
  }
  for (std::thread& thread : threads) thread.join();
}

void RunAll() {
  const std::uint64_t ops = flags.ops * 3 / 4 / flags.threads;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < flags.threads; ++i) threads.emplace_back(Worker, i, ops);
  Random random(flags.seed);
  ChurnThreads(&random);
  Fork(&random);
  for (std::thread& thread : threads) thread.join();
  RunQueues();
  EmptySharedSlots();
}

// --- What the allocator says about itself ---

// Whether the figures agree with each other. Only true of a process at rest.
void CheckConsistent(const strata_mm_stats& stats) {
  std::uint64_t in_classes = 0;
  for (const strata_mm_class_stats& size_class : stats.classes) {
    in_classes += size_class.live * size_class.block_size;
  }
  if (in_classes + stats.large_bytes != stats.live_bytes) {
    Die("stats: %" PRIu64 " bytes live in classes and %" PRIu64 " in large blocks, but %" PRIu64
        " in all",
        in_classes, stats.large_bytes, stats.live_bytes);
  }
  if (stats.held_bytes < stats.live_bytes || stats.held_bytes_peak < stats.held_bytes) {
    Die("stats: %" PRIu64 " live, %" PRIu64 " held, %" PRIu64 " held at most", stats.live_bytes,
        stats.held_bytes, stats.held_bytes_peak);
  }
}

void PrintContention(const char* name, const strata_mm_contention& contention) {
  printf("  %-7s %10" PRIu64 " spins %8" PRIu64 " yields %8" PRIu64 " sleeps\n", name,
         contention.spins, contention.yields, contention.sleeps);
}

// libstdc++ and libc keep a few blocks of their own (thread stacks' TLS, stdio buffers).
constexpr std::uint64_t kLeftBytesMax = 256 * 1024;

void CheckNothingIsLeft(const strata_mm_stats& before, const strata_mm_stats& after) {
  printf("stats: %" PRIu64 " bytes live before, %" PRIu64 " after; %" PRIu64 " held, %" PRIu64
         " at most; %" PRIu64 " retained; %" PRIu64 " arenas, %" PRIu64 " refills, %" PRIu64
         " overflows, %" PRIu64 " binned\n",
         before.live_bytes, after.live_bytes, after.held_bytes, after.held_bytes_peak,
         after.retained_bytes, after.arenas, after.refills, after.overflows, after.binned);
  PrintContention("tiny", after.tiny);
  PrintContention("small", after.small);
  PrintContention("medium", after.medium);
  PrintContention("free", after.free);
  CheckConsistent(before);
  CheckConsistent(after);
  if (after.live_bytes > before.live_bytes + kLeftBytesMax) {
    Die("everything was freed, but %" PRIu64 " bytes are live", after.live_bytes);
  }
  if (after.held_bytes > after.live_bytes + 4 * kLeftBytesMax + (4u << 20)) {
    Die("after trim, %" PRIu64 " bytes are held for %" PRIu64 " live ones", after.held_bytes,
        after.live_bytes);
  }
  if (after.retained_bytes != 0) {
    Die("after trim, %" PRIu64 " bytes are retained", after.retained_bytes);
  }
}

bool ParseFlag(const char* argument, const char* name, auto* value) {
  const std::size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0 || argument[length] != '=') return false;
  *value = strtoull(argument + length + 1, nullptr, 10);
  return true;
}

bool ParseFlags(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const char* argument = argv[i];
    const bool known = ParseFlag(argument, "--seed", &flags.seed) ||
                       ParseFlag(argument, "--ops", &flags.ops) ||
                       ParseFlag(argument, "--seconds", &flags.seconds) ||
                       ParseFlag(argument, "--threads", &flags.threads) ||
                       ParseFlag(argument, "--size_bits_max", &flags.size_bits_max) ||
                       ParseFlag(argument, "--churn_threads", &flags.churn_threads) ||
                       ParseFlag(argument, "--forks", &flags.forks);
    if (!known) return false;
  }
  return flags.threads > 0 && flags.size_bits_max >= 4 && flags.size_bits_max <= 30;
}

}  // namespace

int main(int argc, char** argv) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  flags.seed = static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  if (!ParseFlags(argc, argv)) {
    fprintf(stderr,
            "usage: stress [--seed=N] [--ops=N] [--seconds=N] [--threads=N] [--size_bits_max=N] "
            "[--churn_threads=N] [--forks=N]\n");
    return 2;
  }
  printf("stress: --seed=%" PRIu64 " --ops=%" PRIu64 " --threads=%u\n", flags.seed, flags.ops,
         flags.threads);
  fflush(stdout);
  shared_slots = NewTable<std::atomic<Parcel*>>(kSharedSlots);
  std::thread([] {}).join();  // What libc sets up for the first thread stays.

  get_stats = reinterpret_cast<GetStats>(dlsym(RTLD_DEFAULT, "strata_mm_get_stats"));
  static strata_mm_stats before, after;
  if (get_stats != nullptr) get_stats(&before);
  if (flags.seconds > 0) {
    struct sigaction action = {};
    action.sa_handler = [](int) { time_is_up = true; };
    sigaction(SIGALRM, &action, nullptr);
    alarm(flags.seconds);
  }
  RunAll();
  malloc_trim(0);
  if (get_stats != nullptr) {
    get_stats(&after);
    CheckNothingIsLeft(before, after);
  } else {
    printf("no strata_mm_get_stats here: figures not checked\n");
  }
  printf("stress: ok\n");
  return 0;
}
