// A lock for threads of all priorities.
#pragma once

#include <pthread.h>

namespace ossloop::base {

// Who holds it runs at least as urgently as who waits for it: a real-time thread of
// the program must not wait for the timer thread while others keep that from the
// processor. Where the system has no such locks it is a plain one.
class Mutex {
 public:
  Mutex() { make(); }
  ~Mutex() { ::pthread_mutex_destroy(&mutex_); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() { ::pthread_mutex_lock(&mutex_); }
  bool try_lock() { return ::pthread_mutex_trylock(&mutex_) == 0; }
  void unlock() { ::pthread_mutex_unlock(&mutex_); }

  // After fork(), in the child, instead of unlock(): the owner is a thread that is
  // not there.
  void unlock_in_child() { make(); }

 private:
  void make() {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    if (::pthread_mutex_init(&mutex_, &attributes) != 0) ::pthread_mutex_init(&mutex_, nullptr);
    ::pthread_mutexattr_destroy(&attributes);
  }

  pthread_mutex_t mutex_;
};

}  // namespace ossloop::base
