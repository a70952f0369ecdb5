// The times and places where an allocator is called although nobody thinks of it: before main(),
// inside dlsym, in atexit handlers, at thread exit, around fork, with signals arriving.

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/preload/check.h"

namespace strata::preload {
namespace {

// --- Before main() ---

void* early_blocks[200];
char* early_error = nullptr;

__attribute__((constructor(101))) void AllocateBeforeMain() {
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t size = i * i * 3;
    early_blocks[i] = malloc(size);
    if (early_blocks[i] != nullptr) Fill(early_blocks[i], size);
  }
  // A failing dlsym allocates the text of its error.
  dlsym(RTLD_DEFAULT, "strata_no_such_symbol");
  const char* error = dlerror();
  early_error = error != nullptr ? strdup(error) : nullptr;
}

STRATA_TEST(blocks_made_before_main_are_whole) {
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(early_blocks[i] != nullptr && Intact(early_blocks[i], i * i * 3));
    free(early_blocks[i]);
  }
  CHECK(early_error != nullptr && strstr(early_error, "strata_no_such_symbol") != nullptr);
  free(early_error);
}

// --- Inside the dynamic linker ---

STRATA_TEST(dlsym_and_dlerror_on_many_threads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) {
        CHECK_EQ(dlsym(RTLD_DEFAULT, "strata_no_such_symbol"), static_cast<void*>(nullptr));
        const char* error = dlerror();
        CHECK(error != nullptr && strstr(error, "strata_no_such_symbol") != nullptr);
        CHECK(dlopen("/strata/no/such/library.so", RTLD_NOW) == nullptr);
        dlerror();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

STRATA_TEST(dlopen_and_dlclose_again_and_again) {
  for (int i = 0; i < 50; ++i) {
    void* library = dlopen("libresolv.so.2", RTLD_NOW | RTLD_LOCAL);
    CHECK(library != nullptr);
    if (library == nullptr) return;
    CHECK(dlsym(library, "ns_initparse") != nullptr);
    CHECK_EQ(dlclose(library), 0);
  }
}

// ld.so makes these with an allocator of its own, before any malloc is bound.
STRATA_TEST(free_ignores_blocks_made_by_the_dynamic_linker) {
  link_map* of_program = nullptr;
  void* handle = dlopen(nullptr, RTLD_NOW);
  CHECK(handle != nullptr && dlinfo(handle, RTLD_DI_LINKMAP, &of_program) == 0);
  CHECK_EQ(of_program, _r_debug.r_map);
  int maps = 0;
  for (link_map* map = of_program; map != nullptr; map = map->l_next) {
    // The dynamic linker's own is static data of it, and the vDSO's is made the same way.
    const bool own = map->l_name != nullptr && strstr(map->l_name, "ld-linux") != nullptr;
    if (own) continue;
    errno = 4095;
    free(Opaque(static_cast<void*>(map)));
    CHECK_EQ(errno, 4095);
    ++maps;
  }
  CHECK(maps >= 3);
  // Had they been taken for free memory, this would now write over them.
  for (std::size_t size = 16; size < 4096; size += 16) {
    void* block = malloc(size);
    memset(block, 0xff, size);
    free(block);
  }
  CHECK(dlsym(handle, "malloc") != nullptr);
  CHECK(dlopen("libresolv.so.2", RTLD_NOW) != nullptr);
}

// --- At exit ---

// Written by a child, read by its parent.
struct Shared {
  std::atomic<int> count;
  std::atomic<int> bad;
};

Shared* NewShared() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (page) Shared{};
}

Shared* shared_at_exit = nullptr;
void* kept_for_exit[64];

void AllocateAtExit() {
  for (std::size_t i = 0; i < 64; ++i) {
    if (kept_for_exit[i] != nullptr) {
      if (!Intact(kept_for_exit[i], i * 500)) ++shared_at_exit->bad;
      free(kept_for_exit[i]);
    }
    kept_for_exit[i] = malloc(i * 500);
    Fill(kept_for_exit[i], i * 500);
  }
  ++shared_at_exit->count;
}

struct AllocatesWhenDestroyed {
  ~AllocatesWhenDestroyed() {
    if (shared_at_exit != nullptr) AllocateAtExit();
  }
};
AllocatesWhenDestroyed destroyed_at_exit;

// Among the last code of a process.
__attribute__((destructor(101))) void AllocateInDestructor() {
  if (shared_at_exit != nullptr) AllocateAtExit();
}

STRATA_TEST(allocation_in_atexit_handlers_and_destructors) {
  Shared* shared = NewShared();
  const pid_t child = fork();
  if (child == 0) {
    shared_at_exit = shared;
    atexit(AllocateAtExit);
    on_exit([](int, void*) { AllocateAtExit(); }, nullptr);
    AllocateAtExit();
    exit(0);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK_EQ(status, 0);
  CHECK_EQ(shared->count.load(), 5);
  CHECK_EQ(shared->bad.load(), 0);
}

// --- At thread exit ---

struct ThreadBlocks {
  std::vector<std::unique_ptr<char[]>> blocks;
  ThreadBlocks() {
    for (int i = 0; i < 50; ++i) blocks.emplace_back(new char[i * 100 + 1]);
  }
  ~ThreadBlocks() {
    blocks.clear();
    for (int i = 0; i < 50; ++i) free(Opaque(malloc(i * 3000)));
  }
};

pthread_key_t key;
std::atomic<int> key_destructor_calls = 0;
std::atomic<void*> left_by_threads[2000];

// Runs after the C++ destructors; sets the key again, so that it is called several rounds.
void KeyDestructor(void* value) {
  char* block = static_cast<char*>(value);
  CHECK(Intact(block, 300));
  free(block);
  const int call = key_destructor_calls.fetch_add(1);
  void* next = malloc(300);
  Fill(next, 300);
  if (call % 3 != 2) {
    pthread_setspecific(key, next);
  } else if (void* old = left_by_threads[call % 2000].exchange(next)) {
    CHECK(Intact(old, 300));
    free(old);
  }
}

STRATA_TEST(allocation_at_thread_exit) {
  CHECK_EQ(pthread_key_create(&key, KeyDestructor), 0);
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds; ++round) {
    std::thread threads[4];
    for (std::thread& thread : threads) {
      thread = std::thread([] {
        thread_local ThreadBlocks thread_blocks;
        CHECK(thread_blocks.blocks.size() == 50);
        void* value = malloc(300);
        Fill(value, 300);
        pthread_setspecific(key, value);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(key_destructor_calls >= kRounds * 4);
  for (std::atomic<void*>& block : left_by_threads) free(block.load());
}

STRATA_TEST(threads_with_the_smallest_stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK_EQ(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN), 0);
  for (int i = 0; i < 50; ++i) {
    pthread_t thread;
    const auto body = [](void*) -> void* {
      for (std::size_t size = 1; size < 8000000; size = size * 3 + 1) {
        void* block = malloc(size);
        block = realloc(block, size * 2);
        CHECK(block != nullptr);
        free(block);
      }
      return nullptr;
    };
    CHECK_EQ(pthread_create(&thread, &attributes, body, nullptr), 0);
    pthread_join(thread, nullptr);
  }
}

// --- Signals and migration ---

std::atomic<int> signals_seen = 0;

// Works on registers of every kind and on memory, and lets another thread of the processor run, but
// does not allocate.
void CountSignal(int) {
  volatile double sum = 0;
  for (int i = 0; i < 20; ++i) sum = sum + i * 1.5;
  signals_seen.fetch_add(1, std::memory_order_relaxed);
  sched_yield();
}

timer_t StartTimer(int nanoseconds) {
  struct sigaction action = {};
  action.sa_handler = CountSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGRTMIN, &action, nullptr);
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGRTMIN;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  timer_t timer;
  CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  const itimerspec every = {{0, nanoseconds}, {0, nanoseconds}};
  CHECK_EQ(timer_settime(timer, 0, &every, nullptr), 0);
  return timer;
}

// Random work on `slots` blocks; each is checked before it goes.
void Churn(std::uint64_t seed, int operations, std::size_t size_max = 3000) {
  constexpr std::size_t kSlots = 300;
  struct Slot {
    void* block;
    std::size_t size;
  };
  auto slots = std::make_unique<Slot[]>(kSlots);
  Random random(seed);
  for (int i = 0; i < operations; ++i) {
    Slot& slot = slots[random.Below(kSlots)];
    if (slot.block != nullptr) {
      CHECK(Intact(slot.block, slot.size, seed));
      free(slot.block);
    }
    slot.size = random.Below(random.Below(size_max) + 1);
    slot.block = malloc(slot.size);
    if (slot.block != nullptr) Fill(slot.block, slot.size, seed);
  }
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (slots[i].block == nullptr) continue;
    CHECK(Intact(slots[i].block, slots[i].size, seed));
    free(slots[i].block);
  }
}

// Little but malloc and free, so that most interruptions hit one of them. Each block holds one
// word, by which a block that two own is found.
void ChurnTiny(std::uint64_t seed, int operations) {
  std::uint64_t* slots[128] = {};
  Random random(seed);
  for (int i = 0; i < operations; ++i) {
    std::uint64_t*& slot = slots[random.Below(128)];
    if (slot == nullptr) {
      slot = static_cast<std::uint64_t*>(malloc(8 + random.Below(40)));
      *slot = AsNumber(slot) ^ seed;
    } else {
      CHECK_EQ(*slot, AsNumber(slot) ^ seed);
      free(slot);
      slot = nullptr;
    }
  }
  for (std::uint64_t* slot : slots) free(slot);
}

void RunOnProcessor(pid_t thread, int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  CHECK_EQ(sched_setaffinity(thread, sizeof one, &one), 0);
}

// All threads on one processor, and so on one of its lists, with many interruptions of each.
STRATA_TEST(heap_is_whole_after_many_signals) {
  signals_seen = 0;
  constexpr int kSignals = 30000;
  const int processor = sched_getcpu();
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([processor, t] {
      RunOnProcessor(0, processor);
      const timer_t timer = StartTimer(40000 + t * 7000);
      // Bounded, should the machine deliver few signals.
      for (int round = 0; round < 2000 && signals_seen < kSignals; ++round) {
        ChurnTiny(round * 4 + t, 20000);
        Churn(round, 500);
      }
      timer_delete(timer);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(signals_seen > 100);
  Note("%d signals arrived", signals_seen.load());
}

// Each move of a thread to another processor ends a restartable sequence it may be in.
STRATA_TEST(heap_is_whole_after_many_migrations) {
  cpu_set_t allowed;
  CHECK_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  std::vector<int> processors;
  for (int cpu = 0; cpu < CPU_SETSIZE && processors.size() < 4; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) processors.push_back(cpu);
  }
  if (processors.size() < 2) {
    Note("only one processor: not tried");
    return;
  }
  constexpr int kWorkers = 4;
  std::atomic<bool> stop = false;
  std::atomic<pid_t> ids[kWorkers] = {};
  std::vector<std::thread> workers;
  for (int t = 0; t < kWorkers; ++t) {
    workers.emplace_back([&, t] {
      ids[t] = static_cast<pid_t>(syscall(SYS_gettid));
      while (!stop) ChurnTiny(t, 20000);
    });
  }
  constexpr int kMoves = 8000;
  for (int move = 0; move < kMoves; ++move) {
    const pid_t id = ids[move % kWorkers];
    if (id != 0) RunOnProcessor(id, processors[(move / kWorkers + move) % processors.size()]);
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
}

// --- fork ---

int ForkAndWait(void (*in_child)()) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(20);  // A deadlock ends here, and is seen by the parent as a signal.
    in_child();
    _exit(Failures() == 0 ? 0 : 1);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return status;
}

void WorkInChild() {
  Churn(77, 150, 8000);
  free(malloc(2000000));
  void* block = calloc(1, 700000);
  block = realloc(block, 9000000);
  CHECK(block != nullptr);
  free(block);
}

// Runs `body` while threads allocate blocks of every kind.
template <typename Body>
void WithAllocatingThreads(Body body) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&stop, t] {
      constexpr std::size_t kSizeMax[] = {100, 3000, 60000, 900000};
      for (std::uint64_t seed = t; !stop; ++seed) Churn(seed, 300, kSizeMax[t]);
    });
  }
  body();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

STRATA_TEST(fork_while_other_threads_allocate) {
  void* kept[100];
  for (std::size_t i = 0; i < 100; ++i) {
    kept[i] = malloc(i * 91);
    Fill(kept[i], i * 91);
  }
  WithAllocatingThreads([] {
    for (int i = 0; i < 300; ++i) CHECK_EQ(ForkAndWait(WorkInChild), 0);
  });
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(Intact(kept[i], i * 91));
    free(kept[i]);
  }
}

STRATA_TEST(fork_from_several_threads_at_once) {
  WithAllocatingThreads([] {
    std::vector<std::thread> forkers;
    for (int t = 0; t < 3; ++t) {
      forkers.emplace_back([] {
        for (int i = 0; i < 40; ++i) CHECK_EQ(ForkAndWait(WorkInChild), 0);
      });
    }
    for (std::thread& forker : forkers) forker.join();
  });
}

STRATA_TEST(child_of_fork_may_start_threads_and_fork_again) {
  WithAllocatingThreads([] {
    for (int i = 0; i < 30; ++i) {
      const int status = ForkAndWait([] {
        std::thread threads[3];
        for (std::thread& thread : threads) thread = std::thread([] { Churn(5, 500); });
        CHECK_EQ(ForkAndWait(WorkInChild), 0);
        for (std::thread& thread : threads) thread.join();
      });
      CHECK_EQ(status, 0);
    }
  });
}

std::atomic<int> fork_handler_calls = 0;

void AllocateInForkHandler() {
  ++fork_handler_calls;
  free(Opaque(malloc(100)));
  free(Opaque(calloc(1, 50000)));
  free(Opaque(malloc(3000000)));
}

// Handlers registered by the program run while the allocator may hold its locks.
STRATA_TEST(pthread_atfork_handlers_may_allocate) {
  CHECK_EQ(pthread_atfork(AllocateInForkHandler, AllocateInForkHandler, AllocateInForkHandler), 0);
  WithAllocatingThreads([] {
    for (int i = 0; i < 100; ++i) CHECK_EQ(ForkAndWait(WorkInChild), 0);
  });
  CHECK_EQ(fork_handler_calls.load(), 200);
}

STRATA_TEST(programs_started_from_a_busy_process) {
  WithAllocatingThreads([] {
    for (int i = 0; i < 10; ++i) CHECK_EQ(system("exit 7"), 7 << 8);
    FILE* pipe = popen("echo hello", "r");
    char text[32] = {};
    CHECK(pipe != nullptr && fgets(text, sizeof text, pipe) != nullptr);
    CHECK_EQ(pclose(pipe), 0);
    CHECK_EQ(strcmp(text, "hello\n"), 0);
  });
}

STRATA_TEST(process_without_standard_streams_or_environment) {
  const int status = ForkAndWait([] {
    for (int file = 0; file < 3; ++file) close(file);
    char run[] = "--run";
    char test[] = "blocks_made_before_main_are_whole";
    char program[] = "conformance";
    char* arguments[] = {program, run, test, nullptr};
    char preload[4096] = "LD_PRELOAD=";
    const char* library = getenv("LD_PRELOAD");
    if (library != nullptr) strncat(preload, library, sizeof preload - strlen(preload) - 1);
    char* environment[] = {library != nullptr ? preload : nullptr, nullptr};
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
  });
  CHECK_EQ(status, 0);
}

}  // namespace
}  // namespace strata::preload
