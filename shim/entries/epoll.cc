// Waiting with epoll. What is registered stays so for long: each wait looks again
// whether a device records, and which way its loop goes.
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include "shim/deadline.h"
#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

constexpr unsigned kDirections = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLPRI;

// A registration of one of our descriptors.
struct Watch {
  std::atomic<int> epoll{-1};  // -1: free
  int fd = -1;
  unsigned events = 0;    // as the program asked
  unsigned narrowed = 0;  // as the kernel was asked
  epoll_data_t data{};
  bool armed = true;  // EPOLLONESHOT: has not yet fired
};

// More than these are registered as they are when they come, and not looked at again.
constexpr int kMost = 128;
Watch watches[kMost];
std::atomic<int> watches_used{0};  // none beyond
pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

// No handler of the program's runs while we hold the lock.
void lock_changing(sigset_t& before) {
  sigset_t all, own;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &own);
  pthread_mutex_lock(&changing);
  before = own;
}
// `before` is the next one's from the unlocking on.
void unlock_changing(const sigset_t before) {
  pthread_mutex_unlock(&changing);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

class Changing {
 public:
  Changing() { lock_changing(before_); }
  ~Changing() { unlock_changing(before_); }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

 private:
  sigset_t before_;
};

bool watching(int epoll) {
  const int used = watches_used.load(std::memory_order_acquire);
  for (int i = 0; i < used; ++i) {
    if (watches[i].epoll.load(std::memory_order_relaxed) == epoll) return true;
  }
  return false;
}

Watch* find(int epoll, int fd) {
  for (int i = 0; i < watches_used.load(std::memory_order_relaxed); ++i) {
    if (watches[i].epoll.load(std::memory_order_relaxed) == epoll && watches[i].fd == fd) {
      return &watches[i];
    }
  }
  return nullptr;
}

// The lock is nobody's in a forked child.
void keep_lock_over_fork() {
  static bool kept = false;
  static sigset_t before;
  if (kept) return;
  kept = true;
  pthread_atfork([] { lock_changing(before); }, [] { unlock_changing(before); },
                 [] { unlock_changing(before); });
}

void remember(int epoll, int fd, const epoll_event& event, unsigned narrowed) {
  keep_lock_over_fork();
  Watch* watch = find(epoll, fd);
  for (int i = 0; watch == nullptr && i < kMost; ++i) {
    if (watches[i].epoll.load(std::memory_order_relaxed) < 0) watch = &watches[i];
  }
  if (watch == nullptr) return;
  watch->fd = fd;
  watch->events = event.events;
  watch->narrowed = narrowed;
  watch->data = event.data;
  watch->armed = true;
  watch->epoll.store(epoll, std::memory_order_relaxed);
  const int used = static_cast<int>(watch - watches) + 1;
  if (watches_used.load(std::memory_order_relaxed) < used) {
    watches_used.store(used, std::memory_order_release);
  }
}

// What the kernel is to be asked for in place of `events`. The event bits of epoll are poll's.
unsigned narrow(int fd, unsigned events) {
  const short waited = loaded_engine()->prepare_poll(fd, static_cast<short>(events & kDirections));
  if ((events & EPOLLET) != 0) loaded_engine()->want_edges(fd);
  return (events & ~kDirections) | static_cast<unsigned short>(waited);
}

// Before a wait: records what is polled for, and registers anew where the loop has
// turned round. Does a byte stand for room?
bool look_again(int epoll) {
  bool stands_in = false;
  for (int i = 0; i < watches_used.load(std::memory_order_acquire); ++i) {
    Watch& watch = watches[i];
    if (watch.epoll.load(std::memory_order_relaxed) != epoll || !watch.armed) continue;
    if (!descriptors.ours(watch.fd)) {
      watch.epoll.store(-1, std::memory_order_relaxed);  // closed meanwhile
      continue;
    }
    epoll_event event{narrow(watch.fd, watch.events), watch.data};
    stands_in = stands_in || (event.events & ~watch.events & kDirections) != 0;
    if (event.events == watch.narrowed) continue;
    watch.narrowed = event.events;
    if (OSSLOOP_REAL(epoll_ctl)(epoll, EPOLL_CTL_MOD, watch.fd, &event) != 0) {
      watch.epoll.store(-1, std::memory_order_relaxed);
    }
  }
  return stands_in;
}

// After a wait: leaves out what is not so, as in poll(). The count that is left.
int sort_out(int epoll, epoll_event* events, int count) {
  int kept = 0;
  for (int i = 0; i < count; ++i) {
    unsigned wrong = 0;
    for (int w = 0; w < watches_used.load(std::memory_order_relaxed); ++w) {
      Watch& watch = watches[w];
      if (watch.epoll.load(std::memory_order_relaxed) != epoll ||
          watch.data.u64 != events[i].data.u64 || !descriptors.ours(watch.fd)) {
        continue;
      }
      const auto now = static_cast<unsigned short>(loaded_engine()->poll_now(watch.fd));
      wrong = events[i].events & kDirections & ~(watch.events & now);
      if ((watch.events & EPOLLONESHOT) == 0) continue;
      // One that fired for nothing is registered again, one that fired is not.
      watch.armed = (events[i].events & ~wrong) == 0;
      if (watch.armed) watch.narrowed = 0;
    }
    events[i].events &= ~wrong;
    if (events[i].events != 0) events[kept++] = events[i];
  }
  return kept;
}

template <typename Next>
int wait_in(int epoll, epoll_event* events, Deadline patience, Next next) {
  const int saved = errno;
  for (;;) {
    bool stands_in = false;
    {
      const Changing lock;
      stands_in = look_again(epoll);
    }
    errno = saved;
    const Deadline now = until_next_look(patience, stands_in);
    const int count = next(now);
    if (count == 0 && !patience.over()) continue;
    if (count <= 0) return count;
    const Changing lock;
    const int kept = sort_out(epoll, events, count);
    if (kept > 0 || patience.over()) return kept;
  }
}

}  // namespace

OSSLOOP_EXPORT int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (!is_ours(fd)) return OSSLOOP_REAL(epoll_ctl)(epoll, operation, fd, event);
  const Changing lock;
  if (operation == EPOLL_CTL_DEL || !readable(event, sizeof *event)) {
    const int result = OSSLOOP_REAL(epoll_ctl)(epoll, operation, fd, event);
    Watch* watch = result == 0 ? find(epoll, fd) : nullptr;
    if (watch != nullptr) watch->epoll.store(-1, std::memory_order_relaxed);
    return result;
  }
  epoll_event asked;
  if (!copy_from_user(&asked, event, sizeof asked)) return to_libc(-EFAULT);
  epoll_event narrowed = asked;
  narrowed.events = narrow(fd, asked.events);
  const int result = OSSLOOP_REAL(epoll_ctl)(epoll, operation, fd, &narrowed);
  if (result == 0) remember(epoll, fd, asked, narrowed.events);
  return result;
}

OSSLOOP_EXPORT int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
  if (!watching(epoll)) return OSSLOOP_REAL(epoll_wait)(epoll, events, most, timeout_ms);
  return wait_in(epoll, events, Deadline::milliseconds(timeout_ms), [&](const Deadline& patience) {
    return OSSLOOP_REAL(epoll_wait)(epoll, events, most, patience.left_ms());
  });
}
OSSLOOP_EXPORT int epoll_pwait(int epoll, epoll_event* events, int most, int timeout_ms,
                               const sigset_t* signals) {
  if (!watching(epoll)) return OSSLOOP_REAL(epoll_pwait)(epoll, events, most, timeout_ms, signals);
  return wait_in(epoll, events, Deadline::milliseconds(timeout_ms), [&](const Deadline& patience) {
    return OSSLOOP_REAL(epoll_pwait)(epoll, events, most, patience.left_ms(), signals);
  });
}
OSSLOOP_EXPORT int epoll_pwait2(int epoll, epoll_event* events, int most, const timespec* timeout,
                                const sigset_t* signals) {
  if (!watching(epoll) || !Deadline::valid(timeout)) {
    return OSSLOOP_REAL(epoll_pwait2)(epoll, events, most, timeout, signals);
  }
  return wait_in(epoll, events, Deadline::time(timeout), [&](const Deadline& patience) {
    timespec left{};
    return OSSLOOP_REAL(epoll_pwait2)(epoll, events, most, patience.left(left), signals);
  });
}
