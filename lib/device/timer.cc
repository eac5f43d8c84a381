#include "device/timer.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <mutex>
#include <new>

#include "base/log.h"
#include "base/shelter.h"
#include "base/sys.h"

namespace ossloop::device {
namespace {

// The thread needs little, but libc takes the program's static thread-local data
// out of it: where that is large, more is asked for.
constexpr std::size_t kStackBytes[] = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};

thread_local bool in_timer_thread = false;

}  // namespace

Timer::Timer() { sem_init(&wake_, 0, 0); }

Timer& Timer::instance() {
  // Never destroyed: other threads may still close descriptors while the
  // program ends.
  alignas(Timer) static unsigned char place[sizeof(Timer)];
  static Timer* timer = new (place) Timer;
  return *timer;
}

bool Timer::start() {
  std::lock_guard life(life_);
  if (running_.load()) return true;
  quit_.store(false);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int result = EINVAL;
  for (const std::size_t bytes : kStackBytes) {
    if (result != EINVAL) break;
    pthread_attr_setstacksize(&attributes, bytes);
    result = pthread_create(&thread_, &attributes, thread_main, this);
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  running_.store(result == 0);
  if (result != 0) {
    base::log(base::LogLevel::kWarning, "no timer thread: error %d", result);
  }
  return result == 0;
}

void Timer::stop() {
  std::lock_guard life(life_);
  if (!running_.load()) return;
  {
    std::lock_guard list(list_);
    std::lock_guard queue(queue_);
    if (!ticking_.empty() || !work_.empty()) return;
    quit_.store(true);
  }
  sem_post(&wake_);
  pthread_join(thread_, nullptr);
  running_.store(false);
}

void Timer::add(Ticking* ticking) {
  const base::SignalsHeld signals;
  {
    std::lock_guard list(list_);
    ticking_.push_back(ticking);
  }
  start();
  poke();
}

void Timer::remove(Ticking* ticking) {
  const base::SignalsHeld signals;
  {
    std::lock_guard list(list_);
    std::erase(ticking_, ticking);
  }
  rest();
}

void Timer::rest() {
  const base::SignalsHeld signals;
  const base::NotCancelled whole;
  {
    std::lock_guard list(list_);
    if (!ticking_.empty()) return;
  }
  stop();
}

void Timer::run(const std::function<void()>& function) {
  const base::SignalsHeld signals;
  const base::NotCancelled whole;
  if (in_timer_thread || !start()) {
    function();
    return;
  }
  Work work{&function, {}, {}};
  sem_init(&work.done, 0, 0);
  {
    std::lock_guard queue(queue_);
    work_.push_back(&work);
  }
  // A thread told to quit a moment ago does not come back for us.
  if (quit_.load() && !start()) work_off();
  sem_post(&wake_);
  const int saved = errno;
  while (sem_wait(&work.done) != 0) {
  }
  errno = saved;
  sem_destroy(&work.done);
  base::log_kept(work.log);
}

bool Timer::poke() {
  if (!running_.load(std::memory_order_relaxed)) {
    // After a fork: the child's sides wait for their first use.
    const base::SignalsHeld signals;
    bool needed;
    {
      std::lock_guard list(list_);
      needed = !ticking_.empty();
    }
    if (needed) start();
  }
  if (!poked_.exchange(true)) sem_post(&wake_);
  return running_.load(std::memory_order_relaxed);
}

void Timer::work_off() {
  for (;;) {
    Work* work = nullptr;
    {
      std::lock_guard queue(queue_);
      if (work_.empty()) return;
      work = work_.front();
      work_.pop_front();
    }
    {
      const base::LogKept lines(work->log);
      (*work->function)();
    }
    sem_post(&work->done);
  }
}

std::int64_t Timer::tick_all() {
  constexpr std::int64_t kIdleNs = 1'000'000'000;
  const std::int64_t now_ns = base::sys().now_ns();
  std::int64_t next_ns = now_ns + kIdleNs;
  std::lock_guard list(list_);
  for (Ticking* ticking : ticking_) next_ns = std::min(next_ns, ticking->tick(now_ns));
  return next_ns;
}

void Timer::loop() {
  in_timer_thread = true;
  own_descriptors_.store(base::sys().own_descriptor_table() == 0);
  while (!quit_.load()) {
    work_off();
    poked_.store(false);
    const std::int64_t next_ns = tick_all();
    timespec deadline{};
    deadline.tv_sec = static_cast<time_t>(next_ns / 1'000'000'000);
    deadline.tv_nsec = static_cast<long>(next_ns % 1'000'000'000);
    sem_clockwait(&wake_, CLOCK_MONOTONIC, &deadline);
  }
  work_off();
}

void* Timer::thread_main(void* timer) {
  static_cast<Timer*>(timer)->loop();
  return nullptr;
}

void Timer::before_fork() {
  life_.lock();
  list_.lock();
  queue_.lock();
}

void Timer::after_fork_in_parent() {
  queue_.unlock();
  list_.unlock();
  life_.unlock();
}

void Timer::after_fork_in_child() {
  running_.store(false);
  poked_.store(false);
  work_.clear();
  sem_init(&wake_, 0, 0);
  queue_.unlock_in_child();
  list_.unlock_in_child();
  life_.unlock_in_child();
}

}  // namespace ossloop::device
