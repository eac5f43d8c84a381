// Shelter from what may happen to a thread in the middle of our work.
#pragma once

#include <pthread.h>

#include <cstdint>

namespace ossloop::base {

// No signal handler runs in this thread: one that called the device again, as
// players do that stop the sound on SIGINT, would wait for a lock that its own
// thread holds. Costs nothing while the program has no handler.
class ScopedSignalBlock {
 public:
  ScopedSignalBlock();
  // A handler may end its thread here (pthread_exit).
  ~ScopedSignalBlock() noexcept(false);
  ScopedSignalBlock(const ScopedSignalBlock&) = delete;
  ScopedSignalBlock& operator=(const ScopedSignalBlock&) = delete;

 private:
  bool held_;
  std::uint64_t before_ = 0;
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
  ScopedCancelDisable() { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  ~ScopedCancelDisable() { ::pthread_setcancelstate(before_, nullptr); }
  ScopedCancelDisable(const ScopedCancelDisable&) = delete;
  ScopedCancelDisable& operator=(const ScopedCancelDisable&) = delete;

 private:
  int before_ = 0;
};

}  // namespace ossloop::base
