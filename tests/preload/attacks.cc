// Attacks on the hardened allocator, each in a child: every kind of misuse, on blocks of each size
// and from each function that makes them. An attack has to be caught, which is SIGABRT with a line
// that says why or a fault of the processor at a closed page, or else harmless: nothing that was
// freed is to be read, and no block in use to be changed.
//
//   attacks [--verbose]     # preloaded with libstrata_mm_secure.so
//
// An attack that goes unseen and is not asked to be caught returns whether it did no harm.

#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

namespace {

constexpr size_t kSizes[] = {24, 100, 1000, 20000, 100000, 700000, 3000000};
constexpr size_t kReusedSoonAbove = 1000000;  // Such blocks are not held back when they are freed.
constexpr int kNeighbours = 64;
constexpr int kLargeNeighbours = 8;
constexpr size_t kLarge = 100000;
constexpr char kMark = 'M';

template <typename T>
T Opaque(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

char* Malloc(size_t size) { return static_cast<char*>(Opaque(malloc(size))); }
void Free(void* block) { free(Opaque(block)); }

struct Maker {
  const char* name;
  void* (*make)(size_t size);
};

const Maker kMakers[] = {
    {"malloc", [](size_t size) { return malloc(size); }},
    {"calloc", [](size_t size) { return calloc(1, size); }},
    {"realloc", [](size_t size) { return realloc(malloc(size / 3 + 1), size); }},
    {"aligned_alloc", [](size_t size) { return aligned_alloc(64, size); }},
    {"new", [](size_t size) { return ::operator new(size); }},
};

// Blocks of the same size around the one that is attacked.
struct Row {
  Row(const Maker& maker, size_t size) : count(size < kLarge ? kNeighbours : kLargeNeighbours) {
    for (int i = 0; i < count; ++i) {
      blocks[i] = static_cast<char*>(Opaque(maker.make(size)));
      memset(blocks[i], kMark, size);
    }
  }
  char* Middle() const { return blocks[count / 2]; }
  void FreeAll() const {
    for (int i = 0; i < count; ++i) Free(blocks[i]);
  }

  int count;
  char* blocks[kNeighbours];
};

void Flip(char* byte) { *byte = static_cast<char>(~*byte); }

// Whether allocating and freeing a while goes well, and gives out nothing but memory of the heap.
bool HeapStillWorks(size_t size, const void* forged) {
  static char* made[300];
  for (int round = 0; round < 2; ++round) {
    for (char*& block : made) {
      block = Malloc(size);
      if (block == forged) return false;
      memset(block, 'n', size < 64 ? size : 64);
    }
    for (char* block : made) Free(block);
  }
  return true;
}

alignas(64) char forged_block[4096];

struct Attack {
  const char* name;
  bool must_be_caught;
  size_t max_size;
  bool (*run)(const Maker& maker, size_t size);  // Whether it did no harm.
};

const Attack kAttacks[] = {
    {"overflow by one, then free", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Flip(block + size);
       Free(block);
       return false;
     }},
    {"overflow by one, then realloc", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Flip(block + size);
       Opaque(realloc(Opaque(block), size * 2));
       return false;
     }},
    {"overflow by eight", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       for (int i = 0; i < 8; ++i) Flip(block + size + i);
       Free(block);
       return false;
     }},
    {"far overflow", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       Row row(maker, size);
       memset(Opaque(row.Middle()), 'A', size + 9000);
       row.FreeAll();
       return false;
     }},
    {"end of a block copied from another", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       Row row(maker, size);
       const size_t room = malloc_usable_size(row.blocks[0]);
       memcpy(Opaque(row.blocks[1]) + room, Opaque(row.blocks[0]) + room, 40);
       row.FreeAll();
       return HeapStillWorks(size, nullptr);
     }},
    {"underflow by one", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       Row row(maker, size);
       Flip(Opaque(row.Middle()) - 1);
       row.FreeAll();
       return HeapStillWorks(size, nullptr);
     }},
    {"header smash: 16 bytes before the block", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       Row row(maker, size);
       memset(Opaque(row.Middle()) - 16, 0x41, 16);
       row.FreeAll();
       return HeapStillWorks(size, nullptr);
     }},
    {"double free at once", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       void* block = Opaque(maker.make(size));
       Free(block);
       Free(block);
       return false;
     }},
    {"double free after another free", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       void* block = Opaque(maker.make(size));
       void* other = Opaque(maker.make(size));
       Free(block);
       Free(other);
       Free(block);
       return false;
     }},
    {"double free after allocations", true, kReusedSoonAbove,
     [](const Maker& maker, size_t size) {
       void* block = Opaque(maker.make(size));
       Free(block);
       for (int i = 0; i < 100; ++i) Malloc(size);
       Free(block);
       return false;
     }},
    {"double free after the mark of a free block was overwritten", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block);
       memset(Opaque(block), 0, 16);
       Free(block);
       return false;
     }},
    {"realloc of a freed block", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       void* block = Opaque(maker.make(size));
       Free(block);
       Opaque(realloc(Opaque(block), size * 2));
       return false;
     }},
    {"free inside a block", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block + 16);
       return false;
     }},
    {"free of an unaligned address", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block + 1);
       return false;
     }},
    {"free behind a block", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block + (size + 4095) / 4096 * 4096 + 65536);
       return false;
     }},
    {"free of a static object", true, SIZE_MAX,
     [](const Maker&, size_t) {
       Free(forged_block + 64);
       return false;
     }},
    {"free of an object on the stack", true, SIZE_MAX,
     [](const Maker&, size_t) {
       alignas(16) char object[64];
       Free(object);
       return false;
     }},
    {"realloc inside a block", true, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Opaque(realloc(Opaque(block + 16), size * 2));
       return false;
     }},
    {"read after free", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       memset(block, kMark, size);
       Free(block);
       for (size_t i = 0; i < size; ++i) {
         if (Opaque(block)[i] == kMark) return false;
       }
       return true;
     }},
    {"write after free, while it is free", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block);
       memset(Opaque(block), 0x41, size);
       return HeapStillWorks(size, nullptr);
     }},
    {"write after free, when the next block is in use", false, kReusedSoonAbove,
     [](const Maker& maker, size_t size) {
       char* block = static_cast<char*>(Opaque(maker.make(size)));
       Free(block);
       char* next = static_cast<char*>(Opaque(maker.make(size)));
       memset(next, kMark, size);
       memset(Opaque(block), 0x41, size);
       for (size_t i = 0; i < size; ++i) {
         if (Opaque(next)[i] != kMark) return false;
       }
       return true;
     }},
    {"list poisoned with an address of choice", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       Row row(maker, size);
       row.FreeAll();
       void* target = forged_block + 64;
       for (int i = 0; i < row.count; ++i) memcpy(Opaque(row.blocks[i]), &target, sizeof target);
       return HeapStillWorks(size, target);
     }},
    {"list poisoned with the address of a block in use", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* victim = static_cast<char*>(Opaque(maker.make(size)));
       memset(victim, kMark, size);
       Row row(maker, size);
       row.FreeAll();
       for (int i = 0; i < row.count; ++i) memcpy(Opaque(row.blocks[i]), &victim, sizeof victim);
       return HeapStillWorks(size, victim);
     }},
    {"list poisoned by one byte", false, SIZE_MAX,
     [](const Maker& maker, size_t size) {
       char* victim = static_cast<char*>(Opaque(maker.make(size)));
       Row row(maker, size);
       row.FreeAll();
       for (int i = 0; i < row.count; ++i) Flip(Opaque(row.blocks[i]) + 1);
       return HeapStillWorks(size, victim);
     }},
};

enum Outcome { kCaught, kStopped, kHarmless, kHarm };
constexpr const char* kOutcomes[] = {"caught", "stopped by a closed page or a wild address",
                                     "harmless", "HARM"};

Outcome Try(const Attack& attack, const Maker& maker, size_t size) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    alarm(20);
    _exit(attack.run(maker, size) ? 0 : 1);
  }
  close(ends[1]);
  char text[256] = {};
  const ssize_t length = read(ends[0], text, sizeof text - 1);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && length > 0 &&
      strncmp(text, "strata mm: ", 11) == 0) {
    return kCaught;
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) return kStopped;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? kHarmless : kHarm;
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
  int attacks = 0;
  int failed = 0;
  for (const Attack& attack : kAttacks) {
    int outcomes[4] = {};
    for (const Maker& maker : kMakers) {
      for (const size_t size : kSizes) {
        if (size > attack.max_size) continue;
        const Outcome outcome = Try(attack, maker, size);
        ++attacks;
        ++outcomes[outcome];
        const bool bad = outcome == kHarm || (attack.must_be_caught && outcome == kHarmless);
        if (bad) ++failed;
        if (bad || verbose) {
          printf("%s%s, %zu bytes from %s: %s\n", bad ? "FAILED: " : "", attack.name, size,
                 maker.name, kOutcomes[outcome]);
        }
      }
    }
    printf("%-60s %3d caught, %3d stopped, %3d harmless\n", attack.name, outcomes[kCaught],
           outcomes[kStopped], outcomes[kHarmless]);
  }
  printf("%d attacks, %d failed\n", attacks, failed);
  return failed == 0 ? 0 : 1;
}
