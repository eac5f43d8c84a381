#include "base/scoped_block.h"

#include <pthread.h>
#include <string.h>

#include <atomic>

#include "base/host.h"
#include "base/signal_mask.h"
#include "base/signal_witness.h"
#include "base/signals.h"

namespace ossloop::base {
namespace {

// ThreadSanitizer's library takes the program's signals itself and calls the handlers when
// the thread next enters libc: that may be by us, with a lock of ours. From here on none
// comes to it, and none is left.
void run_postponed_handlers() {
  static const char* volatile const empty = "";
  [[maybe_unused]] const volatile std::size_t length = ::strlen(empty);
}

}  // namespace

// The note tells handlers, too: it is wrong at no moment at which one may run.
bool hold_program_signals() {
  if (!has_had_handlers.load(std::memory_order_relaxed)) return false;
  ThreadNote& note = thread_note();
  if (note.holds_signals) return false;
  const std::uint64_t mask = hold_signals();
  run_postponed_handlers();
  note.signal_mask = mask;
  note.holds_signals = true;
  // What a call noted that a handler has left for good.
  note.kept = nullptr;
  note.holds_cancel = false;
  return true;
}

void let_program_signals_in() {
  ThreadNote& note = thread_note();
  note.holds_signals = false;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  set_signal_mask(note.signal_mask);
}

SleepingSignals let_signals_in_to_sleep() {
  const ThreadNote& note = thread_note();
  if (!note.holds_signals || note.device_thread) return {};
  const SleepingSignals signals{true, watch_for_handlers()};
  let_program_signals_in();
  return signals;
}

bool handled_before_sleep(const SleepingSignals& signals) {
  return signals.held && handler_has_run(signals.since);
}

void hold_signals_after_sleep(const SleepingSignals& signals) {
  if (signals.held) hold_program_signals();
}

namespace {

constexpr std::uint64_t kOfWrites = signal_bit(SIGPIPE) | signal_bit(SIGXFSZ);

}  // namespace

ScopedWriteSignalBlock::ScopedWriteSignalBlock()
    : before_(change_signal_mask(SIG_BLOCK, kOfWrites)), pending_(pending_signals()) {}

// The kernel sends them to the thread that writes, so they are ours to take.
ScopedWriteSignalBlock::~ScopedWriteSignalBlock() {
  const std::uint64_t ours = pending_signals() & kOfWrites & ~pending_;
  if (ours != 0) take_signals(ours);
  set_signal_mask(before_);
}

ScopedCancelDisable::ScopedCancelDisable() {
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  ThreadNote& note = thread_note();
  outermost_ = !note.holds_cancel;
  if (!outermost_) return;
  note.cancel_state = before_;
  note.holds_cancel = true;
}

ScopedCancelDisable::~ScopedCancelDisable() {
  if (outermost_) thread_note().holds_cancel = false;
  ::pthread_setcancelstate(before_, nullptr);
}

}  // namespace ossloop::base
