#include "base/signals.h"

#include <errno.h>
#include <time.h>

#include <cstdint>

#include "base/host.h"
#include "base/keep.h"
#include "base/scoped_block.h"
#include "base/signal_mask.h"

namespace ossloop::base {
namespace {

std::atomic<unsigned> changes{1};
std::atomic<unsigned> seen_changes{0};
std::atomic<Handlers> seen{Handlers::kMixed};
std::atomic<bool> seen_end{false};

// The kernel's structure.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;

  bool handles() const { return handler != SIG_DFL && handler != SIG_IGN; }
  bool restarts() const { return (flags & SA_RESTART) != 0; }
};

KernelAction action_of(int number) {
  KernelAction action{};
  signal_call(SYS_rt_sigaction, number, nullptr, &action, sizeof action.mask);
  return action;
}

constexpr bool asks_to_end(int number) {
  return number == SIGINT || number == SIGTERM || number == SIGHUP;
}

Handlers inspect() {
  bool restart = false;
  bool interrupt = false;
  bool end = false;
  for (int number = 1; number <= kSignals; ++number) {
    if (number == SIGKILL || number == SIGSTOP || (kOfLibc & signal_bit(number)) != 0) continue;
    const KernelAction action = action_of(number);
    if (!action.handles()) continue;
    (action.restarts() ? restart : interrupt) = true;
    end = end || (asks_to_end(number) && action.restarts());
  }
  seen_end.store(end, std::memory_order_relaxed);
  if (restart || interrupt) has_had_handlers.store(true, std::memory_order_relaxed);
  if (!interrupt) return restart ? Handlers::kRestart : Handlers::kNone;
  return restart ? Handlers::kMixed : Handlers::kInterrupt;
}

}  // namespace

Handlers signal_handlers() {
  const unsigned now = changes.load(std::memory_order_acquire);
  if (seen_changes.load(std::memory_order_acquire) != now) {
    seen.store(inspect(), std::memory_order_relaxed);
    seen_changes.store(now, std::memory_order_release);
  }
  return seen.load(std::memory_order_relaxed);
}

bool end_restarts() {
  signal_handlers();
  return seen_end.load(std::memory_order_relaxed);
}

void signal_handlers_changed() { changes.fetch_add(1, std::memory_order_release); }

Arrived let_arrived_in(bool open_ended) {
  if (!thread_note().holds_signals) return Arrived::kNothing;
  const std::uint64_t arrived = pending_signals() & ~thread_note().signal_mask;
  auto meaning = Arrived::kNothing;
  for (std::uint64_t rest = arrived; rest != 0; rest &= rest - 1) {
    const int number = __builtin_ctzll(rest) + 1;
    const KernelAction action = action_of(number);
    if (!action.handles()) continue;
    const bool ends = !action.restarts() || (open_ended && asks_to_end(number));
    if (ends || meaning == Arrived::kNothing) {
      meaning = ends ? Arrived::kInterrupt : Arrived::kRestart;
    }
  }
  if (arrived == 0) return meaning;
  {
    // Also what ends or stops the program.
    const ScopedLetGo let_go;
    hold_signals_after_sleep(let_signals_in_to_sleep());
  }
  return meaning == Arrived::kNothing && kept_has_gone() ? Arrived::kRestart : meaning;
}

bool interrupted_in_pause(std::int64_t nanoseconds) {
  const Arrived arrived = let_arrived_in(true);
  if (arrived != Arrived::kNothing) return arrived == Arrived::kInterrupt;
  const int saved = errno;
  const timespec pause{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const SleepingSignals signals = let_signals_in_to_sleep();
  const bool whole = !handled_before_sleep(signals) && ::nanosleep(&pause, nullptr) == 0;
  hold_signals_after_sleep(signals);
  errno = saved;
  return !whole && (signal_handlers() != Handlers::kRestart || end_restarts());
}

}  // namespace ossloop::base
