#include "shm/wakeup.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>

#include "base/futex.h"
#include "base/scoped_block.h"

namespace ossloop::shm {
namespace {

// More sleepers than this on one side is somebody's garbage.
constexpr std::uint64_t kMostSleepers = 256;

constexpr std::uint64_t count_of(std::uint64_t waiting) { return waiting & 0xffffffff; }
constexpr std::uint64_t generation_of(std::uint64_t waiting) { return waiting >> 32; }

// A counter of posts that nobody made would keep every sleep from sleeping.
void drain_garbage(abi::Semaphore& semaphore) {
  if (semaphore.value.load(std::memory_order_relaxed) > kMostSleepers) semaphore.value.store(0);
}

void post(abi::Semaphore& semaphore) {
  semaphore.value.fetch_add(1);
  if (semaphore.waiters.load() != 0) base::futex(semaphore.value, FUTEX_WAKE, 1);
}

bool take_post(abi::Semaphore& semaphore) {
  std::uint32_t value = semaphore.value.load();
  while (value > 0) {
    if (semaphore.value.compare_exchange_weak(value, value - 1)) return true;
  }
  return false;
}

// Not inlined, and with nothing to clean up: pthread_cancel() and signal handlers end the
// thread within the system call.
[[gnu::noinline]] int cancellable_wait(abi::Semaphore& semaphore, const timespec* deadline) {
  int before = 0;
  // First, since the next line may end the thread: its clean-up has the program's mask.
  const base::SleepingSignals signals = base::let_signals_in_to_sleep();
  ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
  // Without a deadline only the kernel knows what the handler wants.
  const bool handled = deadline != nullptr && base::handled_before_sleep(signals);
  const int result =
      handled ? -EINTR : base::futex(semaphore.value, FUTEX_WAIT_BITSET, 0, deadline);
  ::pthread_setcanceltype(before, nullptr);
  base::hold_signals_after_sleep(signals);
  return result;
}

// Where a sandbox refuses to wait.
[[gnu::noinline]] int wait_blindly(const timespec* deadline) {
  const int saved = errno;
  timespec pause{0, 2'000'000};
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const bool over =
      deadline != nullptr && (now.tv_sec > deadline->tv_sec ||
                              (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec));
  const base::SleepingSignals signals = base::let_signals_in_to_sleep();
  const bool handled = base::handled_before_sleep(signals);
  const int result = over ? -ETIMEDOUT : !handled && ::nanosleep(&pause, nullptr) == 0 ? 0 : -EINTR;
  base::hold_signals_after_sleep(signals);
  errno = saved;
  return result;
}

// 0 with a post taken, -ETIMEDOUT or -EINTR.
int wait(abi::Semaphore& semaphore, const timespec* deadline) {
  // Counts itself out again also when its thread is cancelled.
  struct Waiter {
    abi::Semaphore& semaphore;
    explicit Waiter(abi::Semaphore& s) : semaphore(s) { semaphore.waiters.fetch_add(1); }
    ~Waiter() { semaphore.waiters.fetch_sub(1); }
  } const waiter(semaphore);
  for (;;) {
    if (take_post(semaphore)) return 0;
    int result = cancellable_wait(semaphore, deadline);
    if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT) {
      result = wait_blindly(deadline);
    }
    if (result == -EINTR || result == -ETIMEDOUT) return result;
  }
}

}  // namespace

void make_wakeup(abi::Half& half) {
  half.waiting.store(0, std::memory_order_relaxed);
  half.abi.store(abi::kAbi, std::memory_order_relaxed);
  half.wake.value.store(0, std::memory_order_relaxed);
  half.wake.waiters.store(0, std::memory_order_relaxed);
}

std::uint64_t wake(abi::Half& half) {
  // Pairs with the sleeper's announcement: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::uint64_t waiting = half.waiting.load(std::memory_order_relaxed);
  if (count_of(waiting) == 0) return 0;
  if (half.abi.load(std::memory_order_relaxed) != abi::kAbi) return 0;
  do {
    if (count_of(waiting) == 0) return 0;
  } while (!half.waiting.compare_exchange_weak(waiting, (generation_of(waiting) + 1) << 32));
  const std::uint64_t sleepers = std::min(count_of(waiting), kMostSleepers);
  for (std::uint64_t i = 0; i < sleepers; ++i) post(half.wake);
  return sleepers;
}

void wake_at_least(abi::Half& half, std::uint64_t sleepers) {
  sleepers = std::min(sleepers, kMostSleepers);
  for (std::uint64_t posted = wake(half); posted < sleepers; ++posted) post(half.wake);
}

void wake_at(abi::Half& half, std::uint64_t position) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count_of(half.waiting.load(std::memory_order_relaxed)) == 0) return;
  if (position >= half.wake_frame.load(std::memory_order_relaxed)) wake(half);
}

Sleeper::Sleeper(abi::Half& half, std::uint64_t wake_frame) : half_(half) {
  drain_garbage(half_.wake);
  // With several sleepers the most eager one's frame must stand.
  if (count_of(half_.waiting.load(std::memory_order_relaxed)) != 0) {
    wake_frame = std::min(wake_frame, half_.wake_frame.load(std::memory_order_relaxed));
  }
  half_.wake_frame.store(wake_frame, std::memory_order_relaxed);
  generation_ = generation_of(half_.waiting.fetch_add(1, std::memory_order_seq_cst));
}

Sleeper::~Sleeper() {
  if (posted_) return;
  std::uint64_t waiting = half_.waiting.load(std::memory_order_relaxed);
  while (generation_of(waiting) == generation_ && count_of(waiting) > 0) {
    if (half_.waiting.compare_exchange_weak(waiting, waiting - 1)) return;
  }
  // A waker has counted us and posts, or has posted, what we did not wait for.
  take_post(half_.wake);
}

int Sleeper::sleep_until(std::int64_t deadline_ns) {
  const timespec deadline = base::as_timespec(deadline_ns);
  const int result = wait(half_.wake, &deadline);
  posted_ = result == 0;
  return result;
}

int Sleeper::sleep() {
  const int result = wait(half_.wake, nullptr);
  posted_ = result == 0;
  return result;
}

}  // namespace ossloop::shm
