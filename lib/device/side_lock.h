// The right to change a side: one holder at a time.
#pragma once

#include "base/scoped_block.h"
#include "device/endpoint.h"
#include "shm/shared_lock.h"

namespace ossloop::device {

// Threads take turns by the endpoint's mutex. Processes that share one open do
// so by a lock in the segment, which the kernel frees if its owner dies.
class Endpoint::SideLock {
 public:
  // `fd`: a descriptor of the open, or -1 once it is closed (no other process
  // holds it then).
  SideLock(Endpoint& endpoint, int fd) : endpoint_(endpoint), between_(endpoint.half().own()) {
    endpoint_.mutex_.lock();
    if (fd >= 0 && endpoint_.half().own().shared.load(std::memory_order_acquire) != 0) {
      between_.lock();
    }
    endpoint_.each_half([](OpenHalf& half) { half.refresh(); });
    endpoint_.count_lent();
  }
  ~SideLock() {
    between_.unlock();
    endpoint_.mutex_.unlock();
  }
  SideLock(const SideLock&) = delete;
  SideLock& operator=(const SideLock&) = delete;

 private:
  // The first in, the last out: a handler may not come back from where it goes. Also
  // where the first one was installed while the call slept.
  const base::ScopedSignalBlock signals_;
  Endpoint& endpoint_;
  shm::SharedLock between_;
};

}  // namespace ossloop::device
