#include "base/mutex.h"

#include <algorithm>

#include "base/futex.h"

namespace ossloop::base {

void Mutex::wait() {
  long pause_ns = 20'000;
  for (;;) {
    const int result = futex(word_, FUTEX_LOCK_PI_PRIVATE, 0);
    if (result == 0) return;
    if (result == -EINTR || result == -EAGAIN) continue;
    if (try_lock()) return;
    if (result == -ESRCH) {
      // Its owner has ended within.
      std::uint32_t seen = word_.load();
      if (futex(word_, FUTEX_LOCK_PI_PRIVATE, 0) == -ESRCH &&
          word_.compare_exchange_strong(seen, thread_id())) {
        return;
      }
    }
    const int saved = errno;
    const timespec pause{0, pause_ns};
    ::syscall(SYS_nanosleep, &pause, nullptr);
    errno = saved;
    pause_ns = std::min(2 * pause_ns, 1'000'000L);
  }
}

void Mutex::hand_over() {
  if (futex(word_, FUTEX_UNLOCK_PI_PRIVATE, 0) == 0) return;
  word_.store(0, std::memory_order_release);
}

}  // namespace ossloop::base
