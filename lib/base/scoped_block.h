// Shelter from what may happen to a thread in the middle of our work.
#pragma once

#include <cstdint>

namespace ossloop::base {

// No signal handler runs in this thread: one that called the device again, as
// players do that stop the sound on SIGINT, would wait for a lock that its own
// thread holds; and one that jumps away would leave half-done what we do. Around each
// call of the program; what is within asks no more. Costs nothing while the program has
// no handler.
//
// A handler that comes before or after may end its thread (pthread_exit): the frame that
// holds the signals must have nothing to clean up, or the unwinder ends the program.
// True if they were not held before: then let_program_signals_in() is due.
bool hold_program_signals();
void let_program_signals_in();

// Within such a call, around a system call that sleeps: handlers run, and may leave. The
// same of the frame.
struct SleepingSignals {
  bool held;   // before
  long since;  // for the witness
};
[[gnu::noinline]] SleepingSignals let_signals_in_to_sleep();
// Has a handler run that the sleep, still to come, would not be told of?
bool handled_before_sleep(const SleepingSignals& signals);
void hold_signals_after_sleep(const SleepingSignals& signals);

// The same for a lock that is taken within a call: the call may have begun before the
// program had a handler.
class ScopedSignalBlock {
 public:
  ScopedSignalBlock() : holds_(hold_program_signals()) {}
  ~ScopedSignalBlock() noexcept(false) {
    if (holds_) let_program_signals_in();
  }
  ScopedSignalBlock(const ScopedSignalBlock&) = delete;
  ScopedSignalBlock& operator=(const ScopedSignalBlock&) = delete;

 private:
  const bool holds_;
};

// A write of ours brings no signal to the program: that its standard error is a pipe
// which nobody reads (SIGPIPE), or that a file is larger than it may make (SIGXFSZ), is
// told to us by errno.
class ScopedWriteSignalBlock {
 public:
  ScopedWriteSignalBlock();
  ~ScopedWriteSignalBlock();
  ScopedWriteSignalBlock(const ScopedWriteSignalBlock&) = delete;
  ScopedWriteSignalBlock& operator=(const ScopedWriteSignalBlock&) = delete;

 private:
  std::uint64_t before_;   // the mask
  std::uint64_t pending_;  // what had come already
};

// pthread_cancel() waits. For calls that POSIX does not name as cancellation
// points, and for work that must not stop half-way.
class ScopedCancelDisable {
 public:
  ScopedCancelDisable();
  ~ScopedCancelDisable();
  ScopedCancelDisable(const ScopedCancelDisable&) = delete;
  ScopedCancelDisable& operator=(const ScopedCancelDisable&) = delete;

 private:
  int before_ = 0;
  bool outermost_ = false;
};

}  // namespace ossloop::base
