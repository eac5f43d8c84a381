// The thread that stands in for the driver's timer interrupt.
//
// At most one per process, with all signals blocked. Its descriptor table is its
// own and empty: what it opens disturbs no number of the program, and no
// closefrom() of the program reaches it. So it is also the place for all work
// that needs a passing descriptor.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace ossloop::device {

// What the device thread calls: an open side of this process.
class DeviceThreadClient {
 public:
  virtual ~DeviceThreadClient() = default;
  // Does what is due at `now_ns`; returns when it wants to be called again, or kDone.
  static constexpr std::int64_t kDone = INT64_MAX;
  virtual std::int64_t tick(std::int64_t now_ns) = 0;
};

class DeviceThread {
 public:
  static DeviceThread& instance();

  void add(DeviceThreadClient* client);
  // After it returns, the thread no longer touches `client`. The last one takes the
  // thread with it. Neither allocates nor frees, so a signal handler may do it.
  void remove(DeviceThreadClient* client);

  // Runs `work` in the thread and waits for it. Without a thread (none can be
  // made, or the process is the child of a vfork) it runs in the caller, as an ordinary
  // use of descriptors. Throws std::bad_alloc if `work` did.
  void run(const std::function<void()>& work);
  // Ends the thread if nothing was added after a run().
  void stop_if_idle();

  // Is there one? Without it calls must look for themselves at what it would tell them.
  bool has_thread() const { return running_.load(std::memory_order_relaxed); }
  // False where the system refuses a table of its own: then the thread shares
  // the program's and keeps nothing open.
  bool has_own_descriptors() const { return own_descriptors_.load(); }

  // Something changed: tick soon. False if there is no thread.
  bool notify();

  // Around fork(): the child has no thread until it first needs one.
  void before_fork();
  void after_fork_in_parent();
  void after_fork_in_child();

 private:
  struct Work {
    const std::function<void()>* function;
    Work* next = nullptr;
    sem_t done;
    std::string log;  // what the thread had to say
    bool no_memory = false;
  };

  DeviceThread();
  bool start();
  bool start_locked();
  int make_thread();
  void tell_refused();
  bool may_end();
  void loop();
  void drain();
  Work* next_work();
  std::int64_t tick_all();
  static void* thread_main(void* thread);

  base::Mutex life_;   // starting and ending
  base::Mutex list_;   // clients_; held while it ticks
  base::Mutex queue_;  // first_work_ and what follows
  std::vector<DeviceThreadClient*> clients_;
  Work* first_work_ = nullptr;
  Work* last_work_ = nullptr;
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};     // to end if nobody needs it
  std::atomic<std::int64_t> stop_ns_{0};  // from then on
  std::atomic<bool> notified_{false};
  std::atomic<bool> own_descriptors_{false};
  std::atomic<std::int64_t> refused_ns_{0};  // when no thread could be made
  std::atomic<bool> told_{false};            // of that
  sem_t wake_;
};

}  // namespace ossloop::device
