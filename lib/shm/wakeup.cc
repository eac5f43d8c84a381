#include "shm/wakeup.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include <algorithm>

namespace ossloop::shm {
namespace {

// More sleepers than this on one side is somebody's garbage.
constexpr std::uint32_t kMostSleepers = 256;

sem_t* semaphore(abi::Side& side) { return reinterpret_cast<sem_t*>(side.wake); }

}  // namespace

void make_wakeup(abi::Side& side) {
  side.waiting.store(0, std::memory_order_relaxed);
  side.abi.store(abi::kAbi, std::memory_order_relaxed);
  sem_init(semaphore(side), 1, 0);
}

void wake(abi::Side& side) {
  // Pairs with the sleeper's announcement: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (side.waiting.load(std::memory_order_relaxed) == 0) return;
  if (side.abi.load(std::memory_order_relaxed) != abi::kAbi) return;
  const std::uint32_t sleepers =
      std::min(side.waiting.exchange(0, std::memory_order_acq_rel), kMostSleepers);
  const int saved = errno;
  for (std::uint32_t i = 0; i < sleepers; ++i) sem_post(semaphore(side));
  errno = saved;
}

void wake_at(abi::Side& side, std::uint64_t position) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (side.waiting.load(std::memory_order_relaxed) == 0) return;
  if (position >= side.wake_frame.load(std::memory_order_relaxed)) wake(side);
}

Sleeper::Sleeper(abi::Side& side, std::uint64_t wake_frame) : side_(side) {
  // With several sleepers the most eager one's frame must stand.
  if (side_.waiting.load(std::memory_order_relaxed) != 0) {
    wake_frame = std::min(wake_frame, side_.wake_frame.load(std::memory_order_relaxed));
  }
  side_.wake_frame.store(wake_frame, std::memory_order_relaxed);
  side_.waiting.fetch_add(1, std::memory_order_seq_cst);
}

Sleeper::~Sleeper() {
  std::uint32_t waiting = side_.waiting.load(std::memory_order_relaxed);
  while (waiting > 0 && !side_.waiting.compare_exchange_weak(waiting, waiting - 1)) {
  }
}

int Sleeper::sleep_until(std::int64_t deadline_ns) {
  const int saved = errno;
  timespec deadline{};
  deadline.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000);
  deadline.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000);
  const int result = sem_clockwait(semaphore(side_), CLOCK_MONOTONIC, &deadline) == 0 ? 0 : -errno;
  errno = saved;
  return result;
}

int Sleeper::sleep() {
  const int saved = errno;
  const int result = sem_wait(semaphore(side_)) == 0 ? 0 : -errno;
  errno = saved;
  return result;
}

}  // namespace ossloop::shm
