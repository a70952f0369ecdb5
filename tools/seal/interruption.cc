// What a signal leaves to the program.

#include "tools/seal/interruption.h"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace strata::seal {
namespace {

volatile sig_atomic_t caught = 0;

// One that comes between a look at `caught` and a waiting call would interrupt nothing: so an alarm
// follows each second, until the program has noticed.
void Note(int signal) {
  if (signal != SIGALRM) caught = signal;
  alarm(1);
}

}  // namespace

void CatchInterruptions() {
  struct sigaction note = {};
  note.sa_handler = Note;
  for (const int signal : {SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGTERM}) {
    struct sigaction before;
    sigaction(signal, nullptr, &before);
    // As nohup(1) wants it.
    if (before.sa_handler != SIG_IGN) sigaction(signal, &note, nullptr);
  }
}

bool IsInterrupted() { return caught != 0; }

void EndByInterruption() {
  signal(caught, SIG_DFL);
  raise(caught);
}

}  // namespace strata::seal
