#include "tests/preload/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdarg>

namespace strata::preload {
namespace {

// Longer than any test takes on a busy machine, short enough to end a deadlock.
constexpr unsigned kTestSeconds = 120;

// A broken allocator fails every one of thousands of checks; the first few tell the story.
constexpr int kFailuresPrinted = 8;

constinit Test* first_test = nullptr;
constinit int failures = 0;

void Write(const char* text, int length) {
  const int kept_errno = errno;
  if (length > 0) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, length);
  }
  errno = kept_errno;
}

std::uint64_t PatternWord(std::uint64_t start, std::size_t index) {
  return (start + index) * 0x9e3779b97f4a7c15;
}

std::uint64_t PatternStart(const void* block, std::size_t size, std::uint64_t seed) {
  return reinterpret_cast<std::uintptr_t>(block) ^ (size << 20) ^ (seed * 0xd6e8feb86659fd93);
}

// In the child: applies the test's limits and becomes the process that runs it.
[[noreturn]] void ExecuteTest(const Test& test, char* program) {
  alarm(kTestSeconds);  // Survives the exec.
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (test.resource >= 0) {
    const rlimit limit = {test.limit, test.limit};
    setrlimit(static_cast<__rlimit_resource>(test.resource), &limit);
  }
  char run[] = "--run";
  char* arguments[] = {program, run, const_cast<char*>(test.name), nullptr};
  execv("/proc/self/exe", arguments);
  perror("execv");
  _exit(127);
}

bool RunInProcess(const Test& test, char* program) {
  const pid_t child = fork();
  if (child == 0) ExecuteTest(test, program);
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    perror("fork");
    return false;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    printf("ok      %s\n", test.name);
    return true;
  }
  if (WIFSIGNALED(status)) {
    const bool hung = WTERMSIG(status) == SIGALRM;
    printf("FAILED  %s: %s (signal %d)\n", test.name, hung ? "took too long" : "crashed",
           WTERMSIG(status));
  } else {
    printf("FAILED  %s\n", test.name);
  }
  return false;
}

int RunHere(const char* name) {
  for (const Test* test = first_test; test != nullptr; test = test->next) {
    if (strcmp(test->name, name) != 0) continue;
    test->run();
    return failures == 0 ? 0 : 1;
  }
  fprintf(stderr, "no test is called %s\n", name);
  return 2;
}

bool Chosen(const Test& test, int argc, char** argv) {
  if (argc < 2) return true;
  for (int i = 1; i < argc; ++i) {
    if (strstr(test.name, argv[i]) != nullptr) return true;
  }
  return false;
}

}  // namespace

Test::Test(const char* test_name, void (*body)(), int limited_resource, std::size_t limit_bytes)
    : name(test_name), run(body), resource(limited_resource), limit(limit_bytes), next(nullptr) {
  Test** last = &first_test;
  while (*last != nullptr) last = &(*last)->next;
  *last = this;
}

void Fail(const char* file, int line, const char* what, bool values, std::uint64_t got,
          std::uint64_t want) {
  if (__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED) > kFailuresPrinted) return;
  const int kept_errno = errno;
  char text[512];
  int length = snprintf(text, sizeof text - 1, "%s:%d: not so: %s", file, line, what);
  const int room = static_cast<int>(sizeof text) - 1;
  if (values && length < room) {
    length += snprintf(text + length, room - length, " (got 0x%llx, want 0x%llx)",
                       static_cast<unsigned long long>(got), static_cast<unsigned long long>(want));
  }
  if (length > room) length = room;
  text[length++] = '\n';
  Write(text, length);
  errno = kept_errno;
}

void Note(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text - 1, format, arguments);
  va_end(arguments);
  if (length > static_cast<int>(sizeof text) - 2) length = sizeof text - 2;
  text[length++] = '\n';
  Write(text, length);
}

int Failures() { return __atomic_load_n(&failures, __ATOMIC_RELAXED); }

void Fill(void* block, std::size_t size, std::uint64_t seed) {
  const std::uint64_t start = PatternStart(block, size, seed);
  char* bytes = static_cast<char*>(block);
  std::size_t index = 0;
  for (; index + 8 <= size; index += 8) {
    const std::uint64_t word = PatternWord(start, index);
    memcpy(bytes + index, &word, 8);
  }
  const std::uint64_t word = PatternWord(start, index);
  memcpy(bytes + index, &word, size - index);
}

bool Intact(const void* block, std::size_t size, std::uint64_t seed, const void* from) {
  const std::uint64_t start = PatternStart(from != nullptr ? from : block, size, seed);
  const char* bytes = static_cast<const char*>(block);
  std::size_t index = 0;
  for (; index + 8 <= size; index += 8) {
    const std::uint64_t word = PatternWord(start, index);
    if (memcmp(bytes + index, &word, 8) != 0) return false;
  }
  const std::uint64_t word = PatternWord(start, index);
  return memcmp(bytes + index, &word, size - index) == 0;
}

int RunTests(int argc, char** argv) {
  if (argc == 3 && strcmp(argv[1], "--run") == 0) return RunHere(argv[2]);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  int passed = 0;
  int failed = 0;
  for (const Test* test = first_test; test != nullptr; test = test->next) {
    if (!Chosen(*test, argc, argv)) continue;
    (RunInProcess(*test, argv[0]) ? passed : failed)++;
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace strata::preload

int main(int argc, char** argv) { return strata::preload::RunTests(argc, argv); }
