// The timer thread: the stand-in for the driver's timer interrupt.
//
// At most one per process, with all signals blocked. Its descriptor table is its
// own and empty: what it opens disturbs no number of the program, and no
// closefrom() of the program reaches it. So it is also the place for all work
// that needs a passing descriptor.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace ossloop::device {

// What the timer calls: an open side of this process.
class Ticking {
 public:
  virtual ~Ticking() = default;
  // Does what is due at `now_ns`; returns when it wants to be called again.
  virtual std::int64_t tick(std::int64_t now_ns) = 0;
};

class Timer {
 public:
  static Timer& instance();

  void add(Ticking* ticking);
  // After it returns, the thread no longer touches `ticking`. The last one takes
  // the thread with it.
  void remove(Ticking* ticking);

  // Runs `work` in the thread and waits for it. Without a thread (none can be
  // made) it runs in the caller, as an ordinary use of descriptors.
  void run(const std::function<void()>& work);
  // Ends the thread if nothing was added after a run().
  void rest();

  // False where the system refuses a table of its own: then the thread shares
  // the program's and keeps nothing open.
  bool has_own_descriptors() const { return own_descriptors_.load(); }

  // Something changed: tick soon. False if there is no thread.
  bool poke();

  // Around fork(): the child has no thread until it first needs one.
  void before_fork();
  void after_fork_in_parent();
  void after_fork_in_child();

 private:
  struct Work {
    const std::function<void()>* function;
    sem_t done;
    std::string log;  // what the thread had to say
  };

  Timer();
  bool start();
  void stop();
  void loop();
  void work_off();
  std::int64_t tick_all();
  static void* thread_main(void* timer);

  base::Mutex life_;   // starting and stopping
  base::Mutex list_;   // ticking_; held while it ticks
  base::Mutex queue_;  // queue_work_
  std::vector<Ticking*> ticking_;
  std::deque<Work*> work_;
  std::atomic<bool> running_{false};
  std::atomic<bool> quit_{false};
  std::atomic<bool> poked_{false};
  std::atomic<bool> own_descriptors_{false};
  pthread_t thread_{};
  sem_t wake_;
};

}  // namespace ossloop::device
