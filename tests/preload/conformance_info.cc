// malloc_trim, mallopt, mallinfo and the reports: that they answer, and that the answers move with
// what the program does.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>
#include <initializer_list>
#include <thread>

#include "tests/preload/check.h"

namespace strata::preload {
namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;

// Bytes of this process that are in memory. Allocates nothing.
std::size_t ResidentBytes() {
  char text[128] = {};
  const int file = open("/proc/self/statm", O_RDONLY);
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  std::size_t total = 0;
  std::size_t resident = 0;
  CHECK(length > 0 && sscanf(text, "%zu %zu", &total, &resident) == 2);
  return resident * sysconf(_SC_PAGESIZE);
}

// A chain through the first word of each block, so that holding them takes no other memory.
void* AllocateChain(std::size_t bytes, std::size_t size) {
  void* chain = nullptr;
  for (std::size_t held = 0; held < bytes; held += size) {
    void** block = static_cast<void**>(malloc(size));
    CHECK(block != nullptr);
    memset(block, 0x5a, size);
    *block = chain;
    chain = block;
  }
  return chain;
}

void FreeChain(void* chain) {
  while (chain != nullptr) {
    void* next = *static_cast<void**>(chain);
    free(chain);
    chain = next;
  }
}

// Redirects standard error into a file while `body` runs and returns how many bytes came.
template <typename Body>
std::size_t BytesOnStderr(Body body, char* first, std::size_t first_size) {
  FILE* file = tmpfile();
  const int kept = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  body();
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  const off_t length = lseek(fileno(file), 0, SEEK_END);
  const ssize_t got = pread(fileno(file), first, first_size - 1, 0);
  first[got > 0 ? got : 0] = '\0';
  fclose(file);
  return length;
}

STRATA_TEST(trim_gives_back_what_was_freed) {
  malloc_trim(0);
  const std::size_t before = ResidentBytes();
  for (const std::size_t size : {48ul, 700ul, 20000ul, 150000ul, 3000000ul}) {
    void* chain = AllocateChain(96 * kMib, size);
    CHECK(ResidentBytes() > before + 90 * kMib);
    FreeChain(chain);
    malloc_trim(0);
    const std::size_t after = ResidentBytes();
    Note("blocks of %7zu bytes: %zu KiB resident before 96 MiB of them, %zu KiB after trim", size,
         before / 1024, after / 1024);
    CHECK(after < before + 4 * kMib);
  }
}

// With no call after the last free: the thread that freed it stays, and does nothing more.
STRATA_TEST(what_was_freed_goes_back_by_itself) {
  constexpr std::size_t kPeak = 256 * kMib;
  malloc_trim(0);
  const std::size_t before = ResidentBytes();
  for (const std::size_t size : {48ul, 700ul, 20000ul, 150000ul, 3000000ul}) {
    void* chain = AllocateChain(kPeak, size);
    CHECK(ResidentBytes() > before + kPeak * 9 / 10);
    std::atomic<bool> freed = false;
    std::atomic<bool> done = false;
    std::thread idle([&] {
      FreeChain(chain);
      freed = true;
      freed.notify_one();
      done.wait(false);
    });
    freed.wait(false);
    const std::size_t after = ResidentBytes();
    Note("blocks of %7zu bytes: %zu KiB resident before 256 MiB of them, %zu KiB after", size,
         before / 1024, after / 1024);
    CHECK(after <= before + kPeak / 20);
    done = true;
    done.notify_one();
    idle.join();
    malloc_trim(0);
    CHECK(ResidentBytes() < before + kMib);
  }
}

STRATA_TEST(trim_says_whether_it_gave_anything_back) {
  FreeChain(AllocateChain(32 * kMib, 1000));
  malloc_trim(0);
  // Blocks kept by this thread's processor, of every kind.
  FreeChain(AllocateChain(kMib, 64));
  FreeChain(AllocateChain(kMib, 200000));
  CHECK_EQ(malloc_trim(0), 1);
  const int again = malloc_trim(0);
  CHECK(again == 0 || again == 1);
  void* block = malloc(100);  // Still works.
  CHECK(block != nullptr);
  free(block);
}

STRATA_TEST(trim_keeps_blocks_in_use) {
  static void* blocks[20000];
  Random random(1);
  for (void*& block : blocks) {
    const std::size_t size = 16 + random.Below(random.Below(50) == 0 ? 100000 : 2000);
    block = malloc(size);
    Fill(block, malloc_usable_size(block));
  }
  for (std::size_t i = 0; i < 20000; i += 3) {
    free(blocks[i]);
    blocks[i] = nullptr;
  }
  malloc_trim(0);
  malloc_trim(12345);
  for (void* block : blocks) {
    if (block == nullptr) continue;
    CHECK(Intact(block, malloc_usable_size(block)));
    free(block);
  }
}

STRATA_TEST(mallinfo_counts_what_is_in_use) {
  auto* info = Find<struct mallinfo2()>("mallinfo2");
  CHECK(info != nullptr);
  if (info == nullptr) return;
  const struct mallinfo2 before = info();
  void* small = AllocateChain(16 * kMib, 1000);
  const struct mallinfo2 with_small = info();
  CHECK(with_small.uordblks >= before.uordblks + 16 * kMib);
  CHECK(with_small.uordblks <= before.uordblks + 24 * kMib);
  void* large = AllocateChain(64 * kMib, 8 * kMib);
  const struct mallinfo2 with_large = info();
  const std::size_t in_use = with_large.uordblks + with_large.hblkhd;
  CHECK(in_use >= with_small.uordblks + with_small.hblkhd + 64 * kMib);
  FreeChain(small);
  FreeChain(large);
  const struct mallinfo2 after = info();
  CHECK(after.uordblks <= before.uordblks + kMib);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  CHECK_EQ(static_cast<unsigned>(mallinfo().uordblks), static_cast<unsigned>(info().uordblks));
#pragma GCC diagnostic pop
}

STRATA_TEST(mallopt_accepts_the_known_parameters) {
  for (const int parameter : {M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX,
                              M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST, M_ARENA_MAX}) {
    CHECK_EQ(mallopt(parameter, 4), 1);
  }
  CHECK_EQ(mallopt(M_PERTURB, 0), 1);
  CHECK_EQ(mallopt(M_MXFAST, 64), 1);
  free(malloc(100));
}

STRATA_TEST(malloc_stats_writes_to_standard_error) {
  char text[4096];
  CHECK(BytesOnStderr([] { malloc_stats(); }, text, sizeof text) > 20);
  CHECK(strchr(text, '\n') != nullptr);
}

STRATA_TEST(malloc_info_writes_xml_to_a_stream) {
  char* memory = nullptr;
  std::size_t length = 0;
  FILE* stream = open_memstream(&memory, &length);
  CHECK_EQ(malloc_info(0, stream), 0);
  fclose(stream);
  CHECK(length > 20 && strncmp(memory, "<malloc", 7) == 0);
  CHECK(length > 20 && strstr(memory, "</malloc>") != nullptr);
  free(memory);
  CHECK_EQ(malloc_info(1, stderr), EINVAL);
}

}  // namespace
}  // namespace strata::preload
