#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace ossloop::base {
namespace {

// The kernel's own structure: libc's sigaction() may be somebody's wrapper.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

std::atomic<unsigned> changes{1};
std::atomic<unsigned> seen_changes{0};
std::atomic<Handlers> seen{Handlers::kMixed};
std::atomic<bool> seen_end{false};

Handlers look() {
  const int saved = errno;
  bool restart = false;
  bool interrupt = false;
  bool end = false;
  for (int number = 1; number <= 64; ++number) {
    // 32 and 33 are libc's own.
    if (number == 32 || number == 33 || number == SIGKILL || number == SIGSTOP) continue;
    KernelAction action{};
    if (::syscall(SYS_rt_sigaction, number, nullptr, &action, sizeof action.mask) != 0) continue;
    if (action.handler == SIG_DFL || action.handler == SIG_IGN) continue;
    const bool restarts = (action.flags & SA_RESTART) != 0;
    (restarts ? restart : interrupt) = true;
    if (number == SIGINT || number == SIGTERM || number == SIGHUP) end = end || restarts;
  }
  errno = saved;
  seen_end.store(end, std::memory_order_relaxed);
  if (!interrupt) return restart ? Handlers::kRestart : Handlers::kNone;
  return restart ? Handlers::kMixed : Handlers::kInterrupt;
}

}  // namespace

Handlers signal_handlers() {
  const unsigned now = changes.load(std::memory_order_acquire);
  if (seen_changes.load(std::memory_order_acquire) != now) {
    seen.store(look(), std::memory_order_relaxed);
    seen_changes.store(now, std::memory_order_release);
  }
  return seen.load(std::memory_order_relaxed);
}

bool end_restarts() {
  signal_handlers();
  return seen_end.load(std::memory_order_relaxed);
}

void signal_handlers_changed() { changes.fetch_add(1, std::memory_order_release); }

}  // namespace ossloop::base
