#include "device/device_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/single_threaded.h>
#include <time.h>

#include <algorithm>
#include <mutex>
#include <new>

#include "base/host.h"
#include "base/log.h"
#include "base/restartable.h"
#include "base/scoped_block.h"
#include "base/sys.h"

namespace ossloop::device {
namespace {

// The thread needs little, but libc takes the program's static thread-local data
// out of it: where that is large, more is asked for.
constexpr std::size_t kStackBytes[] = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};

// Where none can be had, it is tried again after so long.
constexpr std::int64_t kTryAgainNs = 1'000'000'000;

// The thread waits so long whether a device is opened again: in a signal handler, which
// can make none, and by programs that open and close a few times before they play.
constexpr std::int64_t kRestNs = 100'000'000;

bool in_device_thread() { return base::thread_note().device_thread; }

}  // namespace

DeviceThread::DeviceThread() { sem_init(&wake_, 0, 0); }

DeviceThread& DeviceThread::instance() {
  // Never destroyed: other threads may still close descriptors while the
  // program ends.
  alignas(DeviceThread) static unsigned char place[sizeof(DeviceThread)];
  static DeviceThread* thread = new (place) DeviceThread;
  return *thread;
}

// Detached: nobody waits for its end, which frees what only its own thread may wait for.
int DeviceThread::make_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int result = EINVAL;
  for (const std::size_t bytes : kStackBytes) {
    if (result != EINVAL) break;
    pthread_attr_setstacksize(&attributes, bytes);
    pthread_t thread{};
    result = pthread_create(&thread, &attributes, thread_main, this);
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

// Once, as soon as the log is open.
void DeviceThread::tell_refused() {
  if (!base::log_enabled(base::LogLevel::kWarning) || told_.exchange(true)) return;
  base::log(base::LogLevel::kWarning,
            "no thread to be had: devices are looked at by the program's calls alone");
}

bool DeviceThread::start() {
  std::lock_guard life(life_);
  return start_locked();
}

bool DeviceThread::start_locked() {
  // A thread made by the child of a vfork() would be the child's, and gone with it.
  if (!base::own_process()) return false;
  stopping_.store(false);
  if (running_.load()) return true;
  const std::int64_t now_ns = base::sys().now_ns();
  const std::int64_t refused_ns = refused_ns_.load();
  if (refused_ns != 0 && now_ns - refused_ns < kTryAgainNs) {
    tell_refused();
    return false;
  }
  if (__libc_single_threaded) base::prepare_restartable();
  const int result = make_thread();
  running_.store(result == 0);
  if (result != 0) tell_refused();
  refused_ns_.store(result == 0 ? 0 : now_ns);
  return result == 0;
}

void DeviceThread::add(DeviceThreadClient* client) {
  {
    std::lock_guard list(list_);
    clients_.push_back(client);
  }
  start();
  notify();
}

void DeviceThread::remove(DeviceThreadClient* client) {
  {
    std::lock_guard list(list_);
    std::erase(clients_, client);
  }
  stop_if_idle();
}

void DeviceThread::stop_if_idle() {
  if (!running_.load() || !base::own_process()) return;
  {
    std::lock_guard list(list_);
    if (!clients_.empty()) return;
  }
  stop_ns_.store(base::sys().now_ns() + kRestNs);
  stopping_.store(true);
  sem_post(&wake_);
}

// In the thread: from here on it is not there any more.
bool DeviceThread::may_end() {
  std::lock_guard life(life_);
  if (!stopping_.load()) return false;
  std::lock_guard list(list_);
  std::lock_guard queue(queue_);
  if (!clients_.empty() || first_work_ != nullptr) {
    stopping_.store(false);
    return false;
  }
  running_.store(false);
  return true;
}

void DeviceThread::run(const std::function<void()>& function) {
  const base::ScopedCancelDisable whole;
  if (in_device_thread()) return function();
  Work work{&function, nullptr, {}, {}};
  {
    std::unique_lock life(life_);
    if (!start_locked()) {
      life.unlock();
      return function();
    }
    sem_init(&work.done, 0, 0);
    std::lock_guard queue(queue_);
    (last_work_ != nullptr ? last_work_->next : first_work_) = &work;
    last_work_ = &work;
  }
  sem_post(&wake_);
  const int saved = errno;
  while (sem_wait(&work.done) != 0) {
  }
  errno = saved;
  sem_destroy(&work.done);
  base::log_kept(work.log);
  if (work.no_memory) throw std::bad_alloc();
}

bool DeviceThread::notify() {
  if (!running_.load(std::memory_order_relaxed)) {
    // After a fork: the child's sides wait for their first use.
    bool needed;
    {
      std::lock_guard list(list_);
      needed = !clients_.empty();
    }
    if (needed) start();
  }
  if (!notified_.exchange(true)) sem_post(&wake_);
  return running_.load(std::memory_order_relaxed);
}

DeviceThread::Work* DeviceThread::next_work() {
  std::lock_guard queue(queue_);
  Work* const work = first_work_;
  if (work == nullptr) return nullptr;
  first_work_ = work->next;
  if (first_work_ == nullptr) last_work_ = nullptr;
  return work;
}

void DeviceThread::drain() {
  while (Work* const work = next_work()) {
    try {
      const base::LogKept lines(work->log);
      (*work->function)();
    } catch (const std::bad_alloc&) {
      work->no_memory = true;
    }
    sem_post(&work->done);
  }
}

std::int64_t DeviceThread::tick_all() {
  constexpr std::int64_t kIdleNs = 1'000'000'000;
  constexpr std::int64_t kNoMemoryNs = 20'000'000;
  const std::int64_t now_ns = base::sys().now_ns();
  std::int64_t next_ns = now_ns + kIdleNs;
  bool any_done = false;
  {
    std::lock_guard list(list_);
    const auto is_done = [&](DeviceThreadClient* client) {
      std::int64_t again_ns;
      try {
        again_ns = client->tick(now_ns);
      } catch (const std::bad_alloc&) {
        again_ns = now_ns + kNoMemoryNs;
      }
      next_ns = std::min(next_ns, again_ns);
      return again_ns == DeviceThreadClient::kDone;
    };
    any_done = std::erase_if(clients_, is_done) != 0;
  }
  if (any_done) stop_if_idle();
  return next_ns;
}

void DeviceThread::loop() {
  base::thread_note().device_thread = true;
  base::thread_note().holds_signals = true;  // it was begun so
  own_descriptors_.store(base::sys().own_descriptor_table() == 0);
  for (;;) {
    drain();
    if (base::restartable_is_wanted()) base::prepare_restartable();
    const std::int64_t now_ns = base::sys().now_ns();
    if (stopping_.load() && now_ns >= stop_ns_.load() && may_end()) return;
    notified_.store(false);
    std::int64_t next_ns = tick_all();
    if (stopping_.load()) next_ns = std::min(next_ns, stop_ns_.load());
    timespec deadline{};
    deadline.tv_sec = static_cast<time_t>(next_ns / 1'000'000'000);
    deadline.tv_nsec = static_cast<long>(next_ns % 1'000'000'000);
    sem_clockwait(&wake_, CLOCK_MONOTONIC, &deadline);
  }
}

void* DeviceThread::thread_main(void* thread) {
  static_cast<DeviceThread*>(thread)->loop();
  return nullptr;
}

void DeviceThread::before_fork() {
  life_.lock();
  list_.lock();
  queue_.lock();
}

void DeviceThread::after_fork_in_parent() {
  queue_.unlock();
  list_.unlock();
  life_.unlock();
}

void DeviceThread::after_fork_in_child() {
  running_.store(false);
  stopping_.store(false);
  notified_.store(false);
  first_work_ = last_work_ = nullptr;
  sem_init(&wake_, 0, 0);
  queue_.unlock_in_child();
  list_.unlock_in_child();
  life_.unlock_in_child();
}

}  // namespace ossloop::device
