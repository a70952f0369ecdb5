// Misuse that has to end the process: SIGABRT, and one line that says which function saw what and
// at which address.
//
// Each case runs in a child. The line's wording is the allocator's own; what is asked of it is the
// name of the function, "double free" or "invalid pointer", and the address in hexadecimal.

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <new>

#include "tests/preload/check.h"

namespace strata::preload {
namespace {

constexpr const char* kDoubleFree = "double free";
constexpr const char* kInvalid = "invalid pointer";

// Blocks of each kind: tiny, small, the largest class, medium, large.
constexpr std::size_t kSizes[] = {1,    16,    24,    100,    128,    129,    1000,    2600,
                                  8000, 32768, 32769, 100000, 262144, 262145, 1000000, 5000000};

struct Death {
  int status;
  char text[1024];
};

// Runs `misuse` in a child whose standard error is read. `misuse` gets to run to its end.
template <typename Misuse>
Death RunMisuse(Misuse misuse) {
  Death death = {};
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    alarm(10);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  std::size_t length = 0;
  while (length < sizeof death.text - 1) {
    const ssize_t got = read(ends[0], death.text + length, sizeof death.text - 1 - length);
    if (got <= 0) break;
    length += got;
  }
  close(ends[0]);
  CHECK(waitpid(child, &death.status, 0) == child);
  return death;
}

bool Names(const char* text, const void* address) {
  char digits[32];
  snprintf(digits, sizeof digits, "%llx", static_cast<unsigned long long>(AsNumber(address)));
  const char* found = strcasestr(text, digits);
  return found != nullptr && strspn(found, "0123456789abcdefABCDEF") == strlen(digits);
}

// `what` describes the case in a failure's text.
void CheckDeath(const Death& death, const char* what, std::size_t size, const char* function,
                const char* kind, const void* address) {
  const char* newline = strchr(death.text, '\n');
  const char* wrong = nullptr;
  if (!WIFSIGNALED(death.status)) {
    wrong = "went unseen";
  } else if (WTERMSIG(death.status) != SIGABRT) {
    wrong = "ended by another signal than SIGABRT";
  } else if (newline == nullptr || newline[1] != '\0') {
    wrong = "did not write exactly one line";
  } else if (strstr(death.text, function) == nullptr) {
    wrong = "does not name the function";
  } else if (strstr(death.text, kind) == nullptr) {
    wrong = "does not name the kind";
  } else if (!Names(death.text, address)) {
    wrong = "does not name the address";
  }
  if (wrong == nullptr) return;
  char text[1600];
  snprintf(text, sizeof text, "%s of %zu bytes at %p %s; wrote: %s", what, size, address, wrong,
           death.text);
  Fail(__FILE__, __LINE__, text);
}

STRATA_TEST(double_free_at_once_aborts) {
  for (const std::size_t size : kSizes) {
    void* block = Opaque(malloc(size));
    CheckDeath(RunMisuse([=] {
                 free(Opaque(block));
                 free(Opaque(block));
               }),
               "free, free", size, "free", kDoubleFree, block);
    free(block);
  }
}

STRATA_TEST(double_free_after_another_free_aborts) {
  for (const std::size_t size : kSizes) {
    void* first = Opaque(malloc(size));
    void* second = Opaque(malloc(size));
    CheckDeath(RunMisuse([=] {
                 free(Opaque(first));
                 free(Opaque(second));
                 free(Opaque(first));
               }),
               "free a, free b, free a", size, "free", kDoubleFree, first);
    free(first);
    free(second);
  }
}

STRATA_TEST(realloc_of_a_freed_block_aborts) {
  for (const std::size_t size : kSizes) {
    void* block = Opaque(malloc(size));
    CheckDeath(RunMisuse([=] {
                 free(Opaque(block));
                 Opaque(realloc(Opaque(block), size * 2 + 64));
               }),
               "realloc after free", size, "realloc", "", block);
    free(block);
  }
}

STRATA_TEST(double_delete_aborts) {
  for (const std::size_t size : kSizes) {
    void* block = Opaque(::operator new(size));
    CheckDeath(RunMisuse([=] {
                 ::operator delete(Opaque(block));
                 ::operator delete(Opaque(block));
               }),
               "delete, delete", size, "", kDoubleFree, block);
    ::operator delete(block);
  }
}

STRATA_TEST(free_inside_a_large_block_aborts) {
  for (const std::size_t size : {300000ul, 1000000ul, 5000000ul}) {
    char* block = static_cast<char*>(Opaque(malloc(size)));
    for (const std::size_t offset : {std::size_t{1}, std::size_t{16}, std::size_t{4096},
                                     std::size_t{65536}, size / 2 / 16 * 16}) {
      CheckDeath(RunMisuse([=] { free(Opaque(block + offset)); }), "free inside a block", size,
                 "free", kInvalid, block + offset);
    }
    free(block);
  }
}

STRATA_TEST(free_of_a_misaligned_pointer_aborts) {
  for (const std::size_t size : {16ul, 100ul, 2000ul, 30000ul, 100000ul}) {
    char* block = static_cast<char*>(Opaque(malloc(size)));
    CheckDeath(RunMisuse([=] { free(Opaque(block + 1)); }), "free of block + 1", size, "free",
               kInvalid, block + 1);
    CheckDeath(RunMisuse([=] { free(Opaque(block + 8)); }), "free of block + 8", size, "free",
               kInvalid, block + 8);
    free(block);
  }
}

int static_object[64];
const int constant_object[64] = {1};

STRATA_TEST(free_of_what_is_no_block_aborts) {
  int on_stack[64] = {};
  void* mapped = mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* const wild[] = {
      on_stack + 4,
      static_object + 4,
      const_cast<int*>(constant_object),
      reinterpret_cast<void*>(&RunTests),
      static_cast<char*>(mapped) + 4096,
      reinterpret_cast<void*>(0x10),
      reinterpret_cast<void*>(0x123456789000),
      reinterpret_cast<void*>(0x7ffffffff000),
      reinterpret_cast<void*>(0x800000000000),
      reinterpret_cast<void*>(0xdeadbeefdeadbee0),
      reinterpret_cast<void*>(0xfffffffffffffff0),
  };
  for (void* pointer : wild) {
    void* const pointer_copy = Opaque(pointer);
    CheckDeath(RunMisuse([=] { free(Opaque(pointer_copy)); }), "free of no block", 0, "free",
               kInvalid, pointer);
    CheckDeath(RunMisuse([=] { Opaque(realloc(Opaque(pointer_copy), 100)); }),
               "realloc of no block", 0, "realloc", kInvalid, pointer);
  }
  munmap(mapped, 65536);
}

STRATA_TEST(abort_works_without_standard_error) {
  const Death death = RunMisuse([] {
    close(STDERR_FILENO);
    free(Opaque(static_object + 4));
  });
  CHECK(WIFSIGNALED(death.status) && WTERMSIG(death.status) == SIGABRT);
}

}  // namespace
}  // namespace strata::preload
