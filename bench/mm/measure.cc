// Runs one command and reports what it cost, from the kernel's account of that very process and of
// the descendants that it waited for:
//
//   measure --timeout 120 --stdout FILE --stderr FILE --env NAME=VALUE -- command argument...
//   user_us=1234567 system_us=8901 maxrss_kib=2345 exit=0 signal=0 timed_out=0
//
// The command's environment is what the --env options say, and nothing else; so that LD_PRELOAD
// reaches the command alone. Relative paths of files count from the directory where this runs.
//
// It is a small program on purpose. A process inherits its parent's peak resident size through
// fork and exec, so that a command started straight from an interpreter would be charged with the
// interpreter's memory.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

namespace {

constexpr int kUsageError = 2;
constexpr int kCannotRun = 127;  // As a shell reports it.
constexpr int kFileMode = 0644;
constexpr int kMaxSettings = 64;

struct Command {
  long timeout_s = 120;
  const char* stdin_path = "/dev/null";
  const char* stdout_path = "/dev/null";
  const char* stderr_path = "/dev/null";
  const char* directory = nullptr;
  char* environment[kMaxSettings + 1] = {};
  int settings = 0;
  char** argv = nullptr;
};

// Returns the option's value at `argv[*i + 1]` when `argv[*i]` is `name`, else null.
char* OptionValue(char** argv, int* i, const char* name) {
  return strcmp(argv[*i], name) == 0 ? argv[++*i] : nullptr;
}

bool ParseCommandLine(int argc, char** argv, Command* command) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (strcmp(argv[i], "--") == 0) {
      command->argv = &argv[i + 1];
      return true;
    }
    if (const char* seconds = OptionValue(argv, &i, "--timeout")) {
      command->timeout_s = strtol(seconds, nullptr, 10);
      if (command->timeout_s <= 0) return false;
    } else if (const char* input = OptionValue(argv, &i, "--stdin")) {
      command->stdin_path = input;
    } else if (const char* output = OptionValue(argv, &i, "--stdout")) {
      command->stdout_path = output;
    } else if (const char* errors = OptionValue(argv, &i, "--stderr")) {
      command->stderr_path = errors;
    } else if (const char* directory = OptionValue(argv, &i, "--directory")) {
      command->directory = directory;
    } else if (char* setting = OptionValue(argv, &i, "--env")) {
      if (command->settings == kMaxSettings || strchr(setting, '=') == nullptr) return false;
      command->environment[command->settings++] = setting;
    } else {
      return false;
    }
  }
  return false;
}

// Makes `path` the file descriptor `fd`.
bool Redirect(const char* path, int flags, int fd) {
  const int opened = open(path, flags, kFileMode);
  return opened >= 0 && dup2(opened, fd) == fd && (opened == fd || close(opened) == 0);
}

[[noreturn]] void Execute(const Command& command, const sigset_t& original_mask) {
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, &original_mask, nullptr);
  if (Redirect(command.stdin_path, O_RDONLY, STDIN_FILENO) &&
      Redirect(command.stdout_path, kWrite, STDOUT_FILENO) &&
      Redirect(command.stderr_path, kWrite, STDERR_FILENO) &&
      (command.directory == nullptr || chdir(command.directory) == 0)) {
    execve(command.argv[0], command.argv, command.environment);
  }
  dprintf(STDERR_FILENO, "%s: %s\n", command.argv[0], strerror(errno));
  _exit(kCannotRun);
}

// Waits for the end of `child`, for the deadline, or for a signal that tells to stop; in the last
// two cases kills the child's process group. Returns whether the deadline passed.
bool WaitOrKill(pid_t child, const sigset_t& signals, long timeout_s) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t deadline = now.tv_sec + timeout_s;
  for (;;) {
    siginfo_t info = {};
    if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == child) {
      return false;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    const timespec left = {deadline > now.tv_sec ? deadline - now.tv_sec : 0, 0};
    const int received = left.tv_sec == 0 ? -1 : sigtimedwait(&signals, &info, &left);
    if (received == SIGINT || received == SIGTERM || received == SIGHUP) {
      kill(-child, SIGKILL);
      return false;
    }
    if (received < 0 && left.tv_sec == 0) {
      kill(-child, SIGKILL);
      return true;
    }
  }
}

long long Microseconds(const timeval& time) {
  return static_cast<long long>(time.tv_sec) * 1'000'000 + time.tv_usec;
}

}  // namespace

int main(int argc, char** argv) {
  Command command;
  if (!ParseCommandLine(argc, argv, &command)) {
    fprintf(stderr,
            "usage: %s [--timeout SECONDS] [--stdin FILE] [--stdout FILE] [--stderr FILE] "
            "[--directory DIRECTORY] [--env NAME=VALUE]... -- /path/to/command argument...\n",
            argv[0]);
    return kUsageError;
  }
  // SIGCHLD wakes sigtimedwait() up; the others come from a user or a runner that gives up.
  sigset_t signals;
  sigset_t original_mask;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, &original_mask);

  const pid_t child = fork();
  if (child == 0) Execute(command, original_mask);
  if (child < 0) {
    perror("fork");
    return kCannotRun;
  }
  setpgid(child, child);  // In both processes: whichever comes first.
  const bool timed_out = WaitOrKill(child, signals, command.timeout_s);
  int status = 0;
  rusage usage = {};
  if (wait4(child, &status, 0, &usage) != child) {
    perror("wait4");
    return kCannotRun;
  }
  kill(-child, SIGKILL);  // Descendants that the command left behind would disturb the next run.
  printf("user_us=%lld system_us=%lld maxrss_kib=%ld exit=%d signal=%d timed_out=%d\n",
         Microseconds(usage.ru_utime), Microseconds(usage.ru_stime), usage.ru_maxrss,
         WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
         timed_out ? 1 : 0);
  return 0;
}
