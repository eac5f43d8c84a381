// The right to change a side, among the processes that share its open.
#pragma once

#include <cstdint>

#include "abi/layout.h"

namespace ossloop::shm {

// A word in the segment that holds the owner's thread number. The kernel frees it when
// its owner dies within: each thread that holds one tells of it by its robust list. It
// hangs on no descriptor, so that no close of one gives it back.
//
// A stranger may write what it likes there, or stop the owner: a wait lasts no longer
// than kLongestWaitNs, then the lock is taken over.
class SharedLock {
 public:
  static constexpr std::int64_t kLongestWaitNs = 500'000'000;

  explicit SharedLock(abi::Half& half) : half_(half) {}
  ~SharedLock() { unlock(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  void lock();
  // False if somebody else has it.
  bool try_lock();
  void unlock();

 private:
  void tell_kernel();
  bool take(std::uint32_t seen, std::uint32_t with_waiters);

  abi::Half& half_;
  bool held_ = false;
  void** pending_ = nullptr;  // of the thread's robust list
  void* before_ = nullptr;
};

}  // namespace ossloop::shm
