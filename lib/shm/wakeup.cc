#include "shm/wakeup.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include <algorithm>
#include <cstring>

namespace ossloop::shm {
namespace {

// More sleepers than this on one side is somebody's garbage.
constexpr std::uint64_t kMostSleepers = 256;

constexpr std::uint64_t count_of(std::uint64_t waiting) { return waiting & 0xffffffff; }
constexpr std::uint64_t generation_of(std::uint64_t waiting) { return waiting >> 32; }

// glibc keeps behind the counter whether the semaphore is shared, believes what
// stands there, and aborts the program when the kernel does not take it. A peer may
// have written anything.
constexpr std::size_t kKindAt = sizeof(void*) == 8 ? 8 : 4;
constexpr std::size_t kKindBytes = 4;

sem_t* semaphore(abi::Side& side) {
  static const sem_t good = [] {
    sem_t made{};
    sem_init(&made, 1, 0);
    return made;
  }();
  const auto* kind = reinterpret_cast<const unsigned char*>(&good) + kKindAt;
  if (std::memcmp(side.wake + kKindAt, kind, kKindBytes) != 0) {
    std::memcpy(side.wake + kKindAt, kind, kKindBytes);
  }
  return reinterpret_cast<sem_t*>(side.wake);
}

// A counter of posts that nobody made would keep every sleep from sleeping.
void drain_garbage(abi::Side& side) {
  int posts = 0;
  if (sem_getvalue(semaphore(side), &posts) == 0 && static_cast<std::uint64_t>(posts) > kMostSleepers) {
    sem_init(semaphore(side), 1, 0);
  }
}

}  // namespace

void make_wakeup(abi::Side& side) {
  side.waiting.store(0, std::memory_order_relaxed);
  side.abi.store(abi::kAbi, std::memory_order_relaxed);
  sem_init(semaphore(side), 1, 0);
}

void wake(abi::Side& side) {
  // Pairs with the sleeper's announcement: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::uint64_t waiting = side.waiting.load(std::memory_order_relaxed);
  if (count_of(waiting) == 0) return;
  if (side.abi.load(std::memory_order_relaxed) != abi::kAbi) return;
  do {
    if (count_of(waiting) == 0) return;
  } while (!side.waiting.compare_exchange_weak(waiting, (generation_of(waiting) + 1) << 32));
  const std::uint64_t sleepers = std::min(count_of(waiting), kMostSleepers);
  const int saved = errno;
  for (std::uint64_t i = 0; i < sleepers; ++i) sem_post(semaphore(side));
  errno = saved;
}

void wake_at(abi::Side& side, std::uint64_t position) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count_of(side.waiting.load(std::memory_order_relaxed)) == 0) return;
  if (position >= side.wake_frame.load(std::memory_order_relaxed)) wake(side);
}

Sleeper::Sleeper(abi::Side& side, std::uint64_t wake_frame) : side_(side) {
  drain_garbage(side_);
  // With several sleepers the most eager one's frame must stand.
  if (count_of(side_.waiting.load(std::memory_order_relaxed)) != 0) {
    wake_frame = std::min(wake_frame, side_.wake_frame.load(std::memory_order_relaxed));
  }
  side_.wake_frame.store(wake_frame, std::memory_order_relaxed);
  generation_ = generation_of(side_.waiting.fetch_add(1, std::memory_order_seq_cst));
}

Sleeper::~Sleeper() {
  if (posted_) return;
  std::uint64_t waiting = side_.waiting.load(std::memory_order_relaxed);
  while (generation_of(waiting) == generation_ && count_of(waiting) > 0) {
    if (side_.waiting.compare_exchange_weak(waiting, waiting - 1)) return;
  }
  // A waker has counted us and posts, or has posted, what we did not wait for.
  const int saved = errno;
  sem_trywait(semaphore(side_));
  errno = saved;
}

int Sleeper::sleep_until(std::int64_t deadline_ns) {
  const int saved = errno;
  timespec deadline{};
  deadline.tv_sec = static_cast<time_t>(deadline_ns / 1'000'000'000);
  deadline.tv_nsec = static_cast<long>(deadline_ns % 1'000'000'000);
  const int result = sem_clockwait(semaphore(side_), CLOCK_MONOTONIC, &deadline) == 0 ? 0 : -errno;
  errno = saved;
  posted_ = result == 0;
  return result;
}

int Sleeper::sleep() {
  const int saved = errno;
  const int result = sem_wait(semaphore(side_)) == 0 ? 0 : -errno;
  errno = saved;
  posted_ = result == 0;
  return result;
}

}  // namespace ossloop::shm
