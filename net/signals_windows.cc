// Signals of Windows: the console's Ctrl-C is SIGINT, Ctrl-Break and the closing of the console are
// SIGTERM. The system tells of them on a thread of its own, which posts to the loop.

#include <windows.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "strata/net/loop.h"
#include "strata/net/signals_internal.h"

namespace strata::net {
namespace {

class WindowsSignals;

// Both leak, for the system's thread may come after the end of main().
std::mutex& Guard() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
WindowsSignals* current = nullptr;

class WindowsSignals final : public SignalSource {
 public:
  explicit WindowsSignals(Loop& loop) : loop_(loop) {}
  ~WindowsSignals() override { Stop(); }

  absl::Status Add(int number, absl::AnyInvocable<void()> callback) override {
    if (number != SIGINT && number != SIGTERM) {
      return absl::UnimplementedError(absl::StrCat("Windows has no signal ", number));
    }
    std::lock_guard<std::mutex> lock(Guard());
    callbacks_[number] = std::move(callback);
    return absl::OkStatus();
  }

  void Stop() override {
    std::lock_guard<std::mutex> lock(Guard());
    if (current != this) return;
    ::SetConsoleCtrlHandler(OnConsole, FALSE);
    current = nullptr;
  }

  static BOOL WINAPI OnConsole(DWORD event) {
    const int number = event == CTRL_C_EVENT ? SIGINT : SIGTERM;
    std::lock_guard<std::mutex> lock(Guard());
    if (!current || !current->callbacks_.contains(number)) return FALSE;
    // The source lives as long as its loop, which destroys it after its tasks have run.
    current->loop_.mailbox()->PostAlways([source = current, number] {
      source->loop_.counting().signals.Add(1);
      source->loop_.Call("signal", source->callbacks_[number]);
    });
    return TRUE;
  }

 private:
  Loop& loop_;
  std::map<int, absl::AnyInvocable<void()>> callbacks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> SignalSource::Create(Loop& loop) {
  auto signals = std::make_unique<WindowsSignals>(loop);
  std::lock_guard<std::mutex> lock(Guard());
  if (current) {
    return absl::FailedPreconditionError("signals: another loop of this process has them");
  }
  current = signals.get();
  ::SetConsoleCtrlHandler(WindowsSignals::OnConsole, TRUE);
  return signals;
}

}  // namespace strata::net
