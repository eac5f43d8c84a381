#include "base/signals.h"

#include <atomic>

#include "base/deferral.h"
#include "base/kernel_signals.h"

namespace ossloop::base {
namespace {

std::atomic<unsigned> changes{1};
std::atomic<unsigned> seen_changes{0};
std::atomic<Handlers> seen{Handlers::kMixed};
std::atomic<bool> seen_end{false};
std::atomic<bool> seen_wait{false};

Handlers look() {
  const std::uint64_t mask = hold_signals();
  bool restart = false;
  bool interrupt = false;
  bool end = false;
  bool wait = true;
  for (int number = 1; number <= kSignals; ++number) {
    if (number == SIGKILL || number == SIGSTOP || (kOfLibc & signal_bit(number)) != 0) continue;
    KernelAction action{};
    if (!kernel_action(number, nullptr, &action) || !action.handles()) continue;
    const bool restarts = (action.flags & SA_RESTART) != 0;
    (restarts ? restart : interrupt) = true;
    if (number == SIGINT || number == SIGTERM || number == SIGHUP) end = end || restarts;
    wait = (!is_held(number) || defer_handler(number, action, false)) && wait;
  }
  set_signal_mask(mask);
  seen_end.store(end, std::memory_order_relaxed);
  seen_wait.store(wait, std::memory_order_relaxed);
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

bool handlers_wait() {
  signal_handlers();
  return seen_wait.load(std::memory_order_relaxed);
}

void signal_handlers_changed() { changes.fetch_add(1, std::memory_order_release); }

// Calls on a device hold all signals until the new handler waits.
void signal_handler_changing() { seen_wait.store(false, std::memory_order_relaxed); }

void signal_handler_changed(int number) {
  const std::uint64_t mask = hold_signals();
  KernelAction action{};
  if (number >= 1 && number <= kSignals && kernel_action(number, nullptr, &action) &&
      action.handles()) {
    defer_handler(number, action, true);
  }
  signal_handlers_changed();
  set_signal_mask(mask);
}

}  // namespace ossloop::base
