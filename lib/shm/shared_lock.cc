#include "shm/shared_lock.h"

#include "base/futex.h"
#include "base/host.h"
#include "base/sys.h"

namespace ossloop::shm {
namespace {

constexpr std::uint32_t kOwner = FUTEX_TID_MASK;
constexpr std::uint32_t kWaiters = FUTEX_WAITERS;

// The calling thread's list, which libc gave the kernel. nullptr: there is none, or a
// sandbox does not tell.
robust_list_head* robust_list() {
  base::ThreadNote& note = base::thread_note();
  if (!note.asked_robust) {
    note.asked_robust = true;
    const int saved = errno;
    robust_list_head* head = nullptr;
    std::size_t bytes = 0;
    if (::syscall(SYS_get_robust_list, 0, &head, &bytes) != 0 || bytes != sizeof *head) {
      head = nullptr;
    }
    errno = saved;
    note.robust_list = head;
  }
  return static_cast<robust_list_head*>(note.robust_list);
}

}  // namespace

// The kernel looks at what the list calls pending when the thread ends, and finds the
// word at a fixed distance from it. libc uses the place for a moment in its own robust
// locks, of which none is taken meanwhile.
void SharedLock::tell_kernel() {
  robust_list_head* const list = robust_list();
  if (list == nullptr) return;
  pending_ = reinterpret_cast<void**>(&list->list_op_pending);
  before_ = *pending_;
  auto* const word = reinterpret_cast<unsigned char*>(&half_.lock);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  *const_cast<void* volatile*>(pending_) = word - list->futex_offset;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

bool SharedLock::take(std::uint32_t seen, std::uint32_t with_waiters) {
  const std::uint32_t mine = (base::thread_id() & kOwner) | (seen & kWaiters) | with_waiters;
  held_ = half_.lock.compare_exchange_strong(seen, mine, std::memory_order_acquire);
  return held_;
}

bool SharedLock::try_lock() {
  tell_kernel();
  const std::uint32_t seen = half_.lock.load(std::memory_order_relaxed);
  if ((seen & kOwner) == 0 && take(seen, 0)) return true;
  unlock();
  return false;
}

void SharedLock::lock() {
  tell_kernel();
  std::uint32_t seen = half_.lock.load(std::memory_order_relaxed);
  if ((seen & kOwner) == 0 && take(seen, 0)) return;
  const std::int64_t end_ns = base::sys().now_ns() + kLongestWaitNs;
  const timespec deadline = base::as_timespec(end_ns);
  for (;;) {
    seen = half_.lock.load(std::memory_order_relaxed);
    // There may be more who wait, so who waited says so.
    if ((seen & kOwner) == 0) {
      if (take(seen, kWaiters)) return;
      continue;
    }
    if (base::sys().now_ns() >= end_ns) {
      take(seen, kWaiters);
      return;
    }
    if ((seen & kWaiters) == 0 &&
        !half_.lock.compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) {
      continue;
    }
    const int result = base::futex(half_.lock, FUTEX_WAIT_BITSET, seen | kWaiters, &deadline);
    if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT) {
      take(seen | kWaiters, kWaiters);  // a sandbox refuses to wait
      return;
    }
  }
}

void SharedLock::unlock() {
  if (held_) {
    held_ = false;
    // Unless it was taken over: then it is another's by now.
    const std::uint32_t mine = base::thread_id() & kOwner;
    std::uint32_t seen = half_.lock.load(std::memory_order_relaxed);
    while ((seen & kOwner) == mine &&
           !half_.lock.compare_exchange_weak(seen, 0, std::memory_order_release)) {
    }
    if ((seen & kWaiters) != 0) base::futex(half_.lock, FUTEX_WAKE, 1);
  }
  if (pending_ != nullptr) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    *const_cast<void* volatile*>(pending_) = before_;
    pending_ = nullptr;
  }
}

}  // namespace ossloop::shm
