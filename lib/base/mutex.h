// A lock for threads of all priorities.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/host.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace ossloop::base {

// Who holds it runs at least as urgently as who waits for it: a real-time thread of
// the program must not wait for the device thread while others keep that from the
// processor. Where the system refuses such locks, from the start or from some day on, a
// waiter looks again and again.
class Mutex {
 public:
  constexpr Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    if (!try_lock()) wait();
#ifdef __SANITIZE_THREAD__
    __tsan_acquire(&word_);  // it does not see the kernel hand the lock over
#endif
  }
  bool try_lock() {
    std::uint32_t free = 0;
    return word_.compare_exchange_strong(free, thread_id(), std::memory_order_acquire);
  }
  void unlock() {
#ifdef __SANITIZE_THREAD__
    __tsan_release(&word_);
#endif
    std::uint32_t own = thread_id();
    if (!word_.compare_exchange_strong(own, 0, std::memory_order_release)) hand_over();
  }

  // After fork(), in the child, instead of unlock(): the owner is a thread that is
  // not there.
  void unlock_in_child() { word_.store(0, std::memory_order_release); }

 private:
  void wait();
  void hand_over();

  std::atomic<std::uint32_t> word_{0};  // as the kernel's PI futex wants it
};

}  // namespace ossloop::base
