// Waiting for readiness. The kernel does it on the nodes; we only prepare them.
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "shim/real.h"
#include "shim/router.h"

namespace {

using namespace ossloop::shim;

OSSLOOP_REAL(poll);
OSSLOOP_REAL(ppoll);
OSSLOOP_REAL(select);
OSSLOOP_REAL(pselect);
OSSLOOP_REAL(epoll_ctl);
OSSLOOP_REAL_AS(__poll_chk, int(pollfd*, nfds_t, int, size_t));
OSSLOOP_REAL_AS(__ppoll_chk, int(pollfd*, nfds_t, const timespec*, const sigset_t*, size_t));

constexpr short kDirections = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI;

// A node whose token is missing looks writable even to a reader: ask the kernel
// only for what the side can have. The caller's entries are changed for the
// time of the call, and only those of ours.
class Prepared {
 public:
  Prepared(pollfd* entries, nfds_t count) : entries_(entries), count_(count) {
    for (nfds_t i = 0; i < count; ++i) {
      if (entries[i].fd < 0 || !is_ours(entries[i].fd)) continue;
      const short possible = loaded_engine()->prepare_poll(entries[i].fd, entries[i].events);
      const short impossible = static_cast<short>(entries[i].events & kDirections & ~possible);
      if (impossible == 0) continue;
      if (changed_ == kMost) continue;
      which_[changed_] = i;
      taken_[changed_++] = impossible;
      entries[i].events = static_cast<short>(entries[i].events & ~impossible);
    }
  }
  void restore() {
    for (unsigned i = 0; i < changed_; ++i) {
      entries_[which_[i]].events = static_cast<short>(entries_[which_[i]].events | taken_[i]);
    }
  }

 private:
  static constexpr unsigned kMost = 64;
  pollfd* entries_;
  [[maybe_unused]] nfds_t count_;
  unsigned changed_ = 0;
  nfds_t which_[kMost];
  short taken_[kMost];
};

bool any_ours(const pollfd* entries, nfds_t count) {
  for (nfds_t i = 0; entries != nullptr && i < count; ++i) {
    if (entries[i].fd >= 0 && is_ours(entries[i].fd)) return true;
  }
  return false;
}

template <typename Next>
int wait_for(pollfd* entries, nfds_t count, Next next) {
  if (!any_ours(entries, count)) return next();
  Prepared prepared(entries, count);
  const int result = next();
  prepared.restore();
  return result;
}

void prepare_sets(int count, fd_set* reading, fd_set* writing) {
  const int most = count < FD_SETSIZE ? count : FD_SETSIZE;
  for (int fd = 0; fd < most; ++fd) {
    const bool read = reading != nullptr && FD_ISSET(fd, reading);
    const bool write = writing != nullptr && FD_ISSET(fd, writing);
    if ((!read && !write) || !is_ours(fd)) continue;
    const short events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
    const short possible = loaded_engine()->prepare_poll(fd, events);
    // select() answers in the same sets: what cannot come is already no.
    if (read && (possible & POLLIN) == 0) FD_CLR(fd, reading);
    if (write && (possible & POLLOUT) == 0) FD_CLR(fd, writing);
  }
}

}  // namespace

OSSLOOP_EXPORT int poll(pollfd* entries, nfds_t count, int timeout_ms) {
  return wait_for(entries, count, [&] { return real_poll(entries, count, timeout_ms); });
}
OSSLOOP_EXPORT int ppoll(pollfd* entries, nfds_t count, const timespec* timeout,
                         const sigset_t* signals) {
  return wait_for(entries, count, [&] { return real_ppoll(entries, count, timeout, signals); });
}
OSSLOOP_EXPORT int __poll_chk(pollfd* entries, nfds_t count, int timeout_ms, size_t size) {
  return wait_for(entries, count, [&] { return real___poll_chk(entries, count, timeout_ms, size); });
}
OSSLOOP_EXPORT int __ppoll_chk(pollfd* entries, nfds_t count, const timespec* timeout,
                               const sigset_t* signals, size_t size) {
  return wait_for(entries, count,
                  [&] { return real___ppoll_chk(entries, count, timeout, signals, size); });
}

OSSLOOP_EXPORT int select(int count, fd_set* reading, fd_set* writing, fd_set* failing,
                          timeval* timeout) {
  prepare_sets(count, reading, writing);
  return real_select(count, reading, writing, failing, timeout);
}
OSSLOOP_EXPORT int pselect(int count, fd_set* reading, fd_set* writing, fd_set* failing,
                           const timespec* timeout, const sigset_t* signals) {
  prepare_sets(count, reading, writing);
  return real_pselect(count, reading, writing, failing, timeout, signals);
}

OSSLOOP_EXPORT int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (event == nullptr || operation == EPOLL_CTL_DEL || !is_ours(fd)) {
    return real_epoll_ctl(epoll, operation, fd, event);
  }
  // The event bits of epoll are those of poll.
  const auto events = static_cast<short>(event->events & static_cast<unsigned>(kDirections));
  const short possible = loaded_engine()->prepare_poll(fd, events);
  epoll_event narrowed = *event;
  narrowed.events &= ~static_cast<unsigned>(static_cast<unsigned short>(kDirections & ~possible));
  return real_epoll_ctl(epoll, operation, fd, &narrowed);
}
