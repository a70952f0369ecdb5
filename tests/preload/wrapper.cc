// A library that stands before malloc and counts calls, as memory profilers do: it looks the next
// malloc up with dlsym when it is first called, which happens before main() and inside the dynamic
// linker. Says at exit how many calls it passed on.

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace {

std::atomic<long> calls = 0;

void* (*next_malloc)(std::size_t) = nullptr;
void* (*next_calloc)(std::size_t, std::size_t) = nullptr;
void* (*next_realloc)(void*, std::size_t) = nullptr;
void (*next_free)(void*) = nullptr;

template <typename Function>
void LookUp(const char* name, Function** next) {
  *next = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// All at once, in the first call of a process that still has one thread: dlsym itself frees the
// text of an earlier error, and must then find `free` known.
void Count() {
  if (calls.fetch_add(1, std::memory_order_relaxed) > 0) return;
  LookUp("free", &next_free);
  LookUp("malloc", &next_malloc);
  LookUp("calloc", &next_calloc);
  LookUp("realloc", &next_realloc);
}

__attribute__((destructor)) void Report() {
  char text[64];
  const int length = snprintf(text, sizeof text, "wrapper: %ld calls\n", calls.load());
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, length);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  Count();
  return next_malloc(size);
}

__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
  Count();
  return next_calloc(count, size);
}

__attribute__((visibility("default"))) void* realloc(void* block, std::size_t size) {
  Count();
  return next_realloc(block, size);
}

__attribute__((visibility("default"))) void free(void* block) {
  Count();
  next_free(block);
}

}  // extern "C"
