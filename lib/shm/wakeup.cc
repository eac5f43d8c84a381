#include "shm/wakeup.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include "base/futex.h"
#include "base/host.h"
#include "base/keep.h"
#include "base/scoped_block.h"

namespace ossloop::shm {
namespace {

constexpr std::uint64_t count_of(std::uint64_t waiting) { return waiting & 0xffffffff; }
constexpr std::uint64_t generation_of(std::uint64_t waiting) { return waiting >> 32; }

void advance(abi::EventCount& wake) {
  wake.value.fetch_add(1);
  base::futex(wake.value, FUTEX_WAKE, INT_MAX);
}

// Not inlined, and with nothing to clean up: pthread_cancel() and signal handlers end the
// thread within the system call. (Where lines are counted that would be something to clean up.)
[[gnu::noinline, gnu::no_profile_instrument_function]] int cancellable_wait(
    std::atomic<std::uint32_t>& value, std::uint32_t seen, const timespec* deadline) {
  const bool cancellable = !base::thread_note().holds_cancel;
  int before = 0;
  // First, since the next line may end the thread: its clean-up has the program's mask.
  const base::SleepingSignals signals = base::let_signals_in_to_sleep();
  if (cancellable) ::pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
  // Without a deadline only the kernel knows what the handler wants.
  const bool handled = deadline != nullptr && base::handled_before_sleep(signals);
  const int result = handled ? -EINTR : base::futex(value, FUTEX_WAIT_BITSET, seen, deadline);
  if (cancellable) ::pthread_setcanceltype(before, nullptr);
  base::hold_signals_after_sleep(signals);
  return result;
}

// Where a sandbox refuses to wait.
[[gnu::noinline, gnu::no_profile_instrument_function]] int wait_blindly(const timespec* deadline) {
  const int saved = errno;
  timespec pause{0, 2'000'000};
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const bool over =
      deadline != nullptr && (now.tv_sec > deadline->tv_sec ||
                              (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec));
  const bool cancellable = !base::thread_note().holds_cancel;
  const base::SleepingSignals signals = base::let_signals_in_to_sleep();
  if (cancellable) ::pthread_testcancel();
  const bool handled = base::handled_before_sleep(signals);
  const bool slept = !over && !handled && ::syscall(SYS_nanosleep, &pause, nullptr) == 0;
  const int result = over ? -ETIMEDOUT : slept ? 0 : -EINTR;
  base::hold_signals_after_sleep(signals);
  errno = saved;
  return result;
}

}  // namespace

// Who slept for the last owner looks again, and finds out; of another generation, it takes
// nobody of the new one's out of the count.
void make_wakeup(abi::Half& half) {
  const std::uint64_t waiting = half.waiting.load(std::memory_order_relaxed);
  half.waiting.store((generation_of(waiting) + 1) << 32, std::memory_order_relaxed);
  half.wake.value.fetch_add(1);
}

bool wake(abi::Half& half) {
  // Pairs with the sleeper's announcement: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::uint64_t waiting = half.waiting.load(std::memory_order_relaxed);
  if (count_of(waiting) == 0) return false;
  do {
    if (count_of(waiting) == 0) return false;
  } while (!half.waiting.compare_exchange_weak(waiting, (generation_of(waiting) + 1) << 32));
  advance(half.wake);
  return true;
}

void wake_uncounted(abi::Half& half) {
  if (!wake(half)) advance(half.wake);
}

void wake_at(abi::Half& half, std::uint64_t position) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count_of(half.waiting.load(std::memory_order_relaxed)) == 0) return;
  if (position >= half.wake_frame.load(std::memory_order_relaxed)) wake(half);
}

Sleeper::Sleeper(abi::Half& half, std::uint64_t wake_frame)
    : half_(half), seen_(half.wake.value.load()) {
  // With several sleepers the most eager one's frame must stand.
  if (count_of(half_.waiting.load(std::memory_order_relaxed)) != 0) {
    wake_frame = std::min(wake_frame, half_.wake_frame.load(std::memory_order_relaxed));
  }
  half_.wake_frame.store(wake_frame, std::memory_order_relaxed);
  generation_ = generation_of(half_.waiting.fetch_add(1, std::memory_order_seq_cst));
}

// Where a waker has counted us there is nothing to take back.
Sleeper::~Sleeper() {
  if (base::kept_has_gone()) return;
  std::uint64_t waiting = half_.waiting.load(std::memory_order_relaxed);
  while (generation_of(waiting) == generation_ && count_of(waiting) > 0) {
    if (half_.waiting.compare_exchange_weak(waiting, waiting - 1)) return;
  }
}

int Sleeper::wait(const timespec* deadline) {
  std::atomic<std::uint32_t>& value = half_.wake.value;
  while (!base::kept_has_gone() && value.load() == seen_) {
    // Until it is taken back the side may go: the kernel alone looks at its memory.
    const base::ScopedLetGo let_go;
    int result = cancellable_wait(value, seen_, deadline);
    if (result < 0 && result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT) {
      result = wait_blindly(deadline);
    }
    if (result == -EINTR || result == -ETIMEDOUT) return result;
  }
  return 0;
}

int Sleeper::sleep_until(std::int64_t deadline_ns) {
  const timespec deadline = base::as_timespec(deadline_ns);
  return wait(&deadline);
}

int Sleeper::sleep() { return wait(nullptr); }

}  // namespace ossloop::shm
