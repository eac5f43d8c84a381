// Waiting for readiness with poll and select. The kernel does it on the nodes; we
// only prepare them.
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "shim/deadline.h"
#include "shim/engine_loader.h"
#include "shim/real.h"
#include "shim/small_vector.h"

// libc declares the entries of poll() as only written to, and so not yet set.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace {

using namespace ossloop::shim;

constexpr short kDirections = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI;

// A node whose token is missing looks writable even to a reader: the kernel is asked only
// for what the side can have, and for a byte where that stands for room. In a copy: a signal
// handler may leave the wait for good, and the caller's entries are as they were.
class Prepared {
 public:
  Prepared(const pollfd* entries, nfds_t count) {
    for (nfds_t i = 0; i < count && whole_; ++i) {
      pollfd entry = entries[i];
      if (entry.fd >= 0 && is_ours(entry.fd)) {
        const auto asked = static_cast<short>(entry.events & kDirections);
        const short waited = loaded_engine()->prepare_poll(entry.fd, asked);
        entry.events = static_cast<short>((entry.events & ~kDirections) | waited);
        stands_in_ = stands_in_ || (waited & ~asked) != 0;
      }
      whole_ = asked_.add(entry);
    }
  }
  bool whole() const { return whole_; }
  // A byte stands for room.
  bool stands_in() const { return stands_in_; }
  pollfd* asked() { return asked_.begin(); }
  // How many of ours the kernel reported for what is not so: peers wake who polls a moment
  // early, and a loop may turn round.
  int give_to(pollfd* entries, bool reported) {
    int mistaken = 0;
    for (const pollfd& entry : asked_) {
      pollfd& given = *entries++;
      given.revents = entry.revents;
      if (!reported || entry.fd < 0 || (entry.revents & kDirections) == 0) continue;
      if (!is_ours(entry.fd)) continue;
      const short now = loaded_engine()->poll_now(entry.fd);
      given.revents = static_cast<short>(entry.revents & ((now & given.events) | ~kDirections));
      if ((entry.events & ~given.events) != 0)
        given.revents |= static_cast<short>(now & given.events);
      if (given.revents == 0) ++mistaken;
    }
    return mistaken;
  }

 private:
  bool whole_ = true;
  bool stands_in_ = false;
  SmallVector<pollfd, 128> asked_;
};

// The kernel refuses more than a process can have descriptors.
constexpr nfds_t kMostEntries = 1 << 30;

bool any_ours(const pollfd* entries, nfds_t count) {
  if (count == 0 || count > kMostEntries || !readable(entries, count * sizeof *entries))
    return false;
  for (nfds_t i = 0; i < count; ++i) {
    if (entries[i].fd >= 0 && is_ours(entries[i].fd)) return true;
  }
  return false;
}

// The same with no call on the way, for what programs ask most: "no" is certain.
inline bool surely_not_ours(const pollfd* entries, nfds_t count) {
  constexpr nfds_t kFew = 8;
  if (count > kFew || !known_readable(entries, count * sizeof *entries)) return false;
  for (nfds_t i = 0; i < count; ++i) {
    if (entries[i].fd >= 0 && !descriptors.foreign(entries[i].fd)) return false;
  }
  return true;
}

// `next` waits for as long as it is told.
template <typename Next>
int wait_for(pollfd* entries, nfds_t count, Deadline patience, Next next) {
  for (;;) {
    Prepared prepared(entries, count);
    if (!prepared.whole()) return to_libc(-ENOMEM);
    const Deadline now = until_next_look(patience, prepared.stands_in());
    const int result = next(prepared.asked(), now);
    const int mistaken = prepared.give_to(entries, result > 0);
    if (result == 0 && !patience.over()) continue;
    if (mistaken == 0 || result > mistaken || patience.over()) return result - mistaken;
  }
}

// The kernel writes the answer there, and so do we.
bool writable(void* data, size_t bytes) {
  constexpr uintptr_t kPage = 4096;
  auto* const begin = static_cast<char*>(data);
  for (size_t at = 0; at < bytes; at += kPage - (reinterpret_cast<uintptr_t>(begin) + at) % kPage) {
    if (!copy_to_user(begin + at, begin + at, 1)) return false;
  }
  return true;
}

// Not inlined: what it saves on the stack is no business of a poll of other descriptors.
__attribute__((noinline)) int poll_any(pollfd* entries, nfds_t count, int timeout_ms) {
  if (!any_ours(entries, count)) return OSSLOOP_REAL(poll)(entries, count, timeout_ms);
  if (!writable(entries, count * sizeof *entries))
    return OSSLOOP_REAL(poll)(entries, count, timeout_ms);
  return wait_for(entries, count, Deadline::milliseconds(timeout_ms),
                  [&](pollfd* asked, const Deadline& patience) {
                    return OSSLOOP_REAL(poll)(asked, count, patience.left_ms());
                  });
}

// The sets of select(): any number of bits, whatever FD_SETSIZE says.
constexpr int kWordBits = sizeof(long) * CHAR_BIT;
unsigned long* words(fd_set* set) { return reinterpret_cast<unsigned long*>(set); }
bool has(fd_set* set, int fd) {
  return set != nullptr && (words(set)[fd / kWordBits] >> (fd % kWordBits) & 1) != 0;
}
void set_bit(fd_set* set, int fd) { words(set)[fd / kWordBits] |= 1UL << (fd % kWordBits); }
void clear(fd_set* set, int fd) { words(set)[fd / kWordBits] &= ~(1UL << (fd % kWordBits)); }

// A copy of the sets, to be changed and waited with: where select() fails, or a signal handler
// leaves it for good, the caller's stay as they were.
class Sets {
 public:
  Sets(int count, fd_set* reading, fd_set* writing, fd_set* failing)
      : callers_{reading, writing, failing},
        words_(count > 0 ? (count + kWordBits - 1) / kWordBits : 0) {
    for (fd_set* set : callers_) {
      for (int i = 0; i < words_; ++i) {
        const unsigned long asked = set != nullptr ? words(set)[i] : 0;
        whole_ = whole_ && copy_.add(asked) && asked_.add(asked);
      }
    }
  }
  bool whole() const { return whole_; }
  fd_set* reading() { return set(0); }
  fd_set* writing() { return set(1); }
  fd_set* failing() { return set(2); }
  // What changed: the kernel looks at no more words than there can be descriptors, and what
  // lies behind them may be other variables of the caller.
  void give_back() const {
    const unsigned long *from = copy_.begin(), *asked = asked_.begin();
    for (fd_set* set : callers_) {
      for (int i = 0; i < words_; ++i, ++from, ++asked) {
        if (set != nullptr && *from != *asked) words(set)[i] = *from;
      }
    }
  }

 private:
  fd_set* set(int which) { return reinterpret_cast<fd_set*>(copy_.begin() + which * words_); }

  fd_set* const callers_[3];
  const int words_;
  bool whole_ = true;
  SmallVector<unsigned long, 64> copy_;  // of FD_SETSIZE descriptors at least
  SmallVector<unsigned long, 64> asked_;
};

// Calls `look` with each descriptor that is asked for, until it says true.
template <typename Look>
bool each_asked(int count, fd_set* reading, fd_set* writing, Look look) {
  for (int fd = 0; fd < count; ++fd) {
    const unsigned long asked = (reading != nullptr ? words(reading)[fd / kWordBits] : 0) |
                                (writing != nullptr ? words(writing)[fd / kWordBits] : 0);
    if (asked == 0) {
      fd |= kWordBits - 1;
    } else if ((asked >> (fd % kWordBits) & 1) != 0 && look(fd)) {
      return true;
    }
  }
  return false;
}

// What cannot come is already no.
class PreparedSets {
 public:
  PreparedSets(int count, fd_set* reading, fd_set* writing) : reading_(reading), writing_(writing) {
    each_asked(count, reading, writing, [this](int fd) {
      prepare(fd);
      return false;
    });
  }
  bool stands_in() const { return stands_in_; }
  // Takes out what the kernel reported of ours and is not so. How many bits.
  int sort_out() {
    int mistaken = 0;
    for (const Ours& ours : ours_) {
      const bool read = has(reading_, ours.fd);
      const bool write = has(writing_, ours.fd);
      if (!read && !write) continue;
      const auto now = static_cast<short>(loaded_engine()->poll_now(ours.fd) & ours.asked);
      mistaken += refuse(reading_, ours.fd, read && (now & POLLIN) == 0) +
                  refuse(writing_, ours.fd, write && (now & POLLOUT) == 0);
      // A byte stood for room.
      if (read && !write && (now & POLLOUT) != 0) {
        set_bit(writing_, ours.fd);
        --mistaken;
      }
    }
    return mistaken;
  }

 private:
  static int refuse(fd_set* set, int fd, bool refused) {
    if (refused) clear(set, fd);
    return refused ? 1 : 0;
  }
  void prepare(int fd) {
    const bool read = has(reading_, fd);
    const bool write = has(writing_, fd);
    if ((!read && !write) || !is_ours(fd)) return;
    const auto events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
    const short waited = loaded_engine()->prepare_poll(fd, events);
    if (!ours_.add({fd, events})) return;
    refuse(reading_, fd, read && (waited & POLLIN) == 0);
    refuse(writing_, fd, write && (waited & POLLOUT) == 0);
    if (!read && (waited & POLLIN) != 0) set_bit(reading_, fd);
    stands_in_ = stands_in_ || (waited & ~events) != 0;
  }

  struct Ours {
    int fd;
    short asked;
  };
  fd_set* reading_;
  fd_set* writing_;
  bool stands_in_ = false;
  SmallVector<Ours> ours_;
};

bool any_ours(int count, fd_set* reading, fd_set* writing, fd_set* failing) {
  if (count <= 0) return false;
  const auto bytes = static_cast<size_t>(count + kWordBits - 1) / kWordBits * sizeof(long);
  for (fd_set* set : {reading, writing, failing}) {
    if (set != nullptr && !readable(set, bytes)) return false;
  }
  if (!each_asked(count, reading, writing, [](int fd) { return is_ours(fd); })) return false;
  for (fd_set* set : {reading, writing, failing}) {
    if (set != nullptr && !writable(set, bytes)) return false;
  }
  return true;
}

template <typename Next>
int select_in(int count, fd_set* reading, fd_set* writing, fd_set* failing, Deadline patience,
              Next next) {
  for (;;) {
    Sets sets(count, reading, writing, failing);
    if (!sets.whole()) return to_libc(-ENOMEM);
    PreparedSets prepared(count, sets.reading(), sets.writing());
    const Deadline now = until_next_look(patience, prepared.stands_in());
    const int result = next(sets, now);
    if (result == 0 && !patience.over()) continue;
    const int mistaken = result > 0 ? prepared.sort_out() : 0;
    if (mistaken != 0 && result == mistaken && !patience.over()) continue;
    if (result >= 0) sets.give_back();
    return result - mistaken;
  }
}

}  // namespace

OSSLOOP_EXPORT int poll(pollfd* entries, nfds_t count, int timeout_ms) {
  auto* const known_poll = OSSLOOP_REAL(poll).found();
  if (known_poll != nullptr && surely_not_ours(entries, count))
    return known_poll(entries, count, timeout_ms);
  return poll_any(entries, count, timeout_ms);
}
OSSLOOP_EXPORT int __poll_chk(pollfd* entries, nfds_t count, int timeout_ms, size_t size) {
  if (size / sizeof(pollfd) < count || !any_ours(entries, count)) {
    return OSSLOOP_REAL(__poll_chk)(entries, count, timeout_ms, size);
  }
  return poll(entries, count, timeout_ms);
}
OSSLOOP_EXPORT int ppoll(pollfd* entries, nfds_t count, const timespec* timeout,
                         const sigset_t* signals) {
  if ((timeout != nullptr && !readable(timeout, sizeof *timeout)) || !Deadline::valid(timeout) ||
      !any_ours(entries, count) || !writable(entries, count * sizeof *entries)) {
    return OSSLOOP_REAL(ppoll)(entries, count, timeout, signals);
  }
  return wait_for(entries, count, Deadline::time(timeout),
                  [&](pollfd* asked, const Deadline& patience) {
                    timespec left{};
                    return OSSLOOP_REAL(ppoll)(asked, count, patience.left(left), signals);
                  });
}
OSSLOOP_EXPORT int __ppoll_chk(pollfd* entries, nfds_t count, const timespec* timeout,
                               const sigset_t* signals, size_t size) {
  if (size / sizeof(pollfd) < count || !any_ours(entries, count)) {
    return OSSLOOP_REAL(__ppoll_chk)(entries, count, timeout, signals, size);
  }
  return ppoll(entries, count, timeout, signals);
}

OSSLOOP_EXPORT int select(int count, fd_set* reading, fd_set* writing, fd_set* failing,
                          timeval* timeout) {
  const bool plain =
      timeout != nullptr && (!readable(timeout, sizeof *timeout) || timeout->tv_sec < 0 ||
                             timeout->tv_usec < 0 || timeout->tv_usec >= 1'000'000);
  if (plain || !any_ours(count, reading, writing, failing)) {
    return OSSLOOP_REAL(select)(count, reading, writing, failing, timeout);
  }
  timespec whole{};
  if (timeout != nullptr) whole = {timeout->tv_sec, timeout->tv_usec * 1000};
  const Deadline patience = Deadline::time(timeout != nullptr ? &whole : nullptr);
  return select_in(count, reading, writing, failing, patience, [&](Sets& sets, Deadline left) {
    // The kernel leaves in it what is left.
    if (timeout != nullptr) {
      timespec now = whole;
      left.left(now);
      *timeout = {now.tv_sec, (now.tv_nsec + 999) / 1000};
      if (timeout->tv_usec == 1'000'000) *timeout = {timeout->tv_sec + 1, 0};
    }
    return OSSLOOP_REAL(select)(count, sets.reading(), sets.writing(), sets.failing(), timeout);
  });
}
OSSLOOP_EXPORT int pselect(int count, fd_set* reading, fd_set* writing, fd_set* failing,
                           const timespec* timeout, const sigset_t* signals) {
  if ((timeout != nullptr && !readable(timeout, sizeof *timeout)) || !Deadline::valid(timeout) ||
      !any_ours(count, reading, writing, failing)) {
    return OSSLOOP_REAL(pselect)(count, reading, writing, failing, timeout, signals);
  }
  return select_in(count, reading, writing, failing, Deadline::time(timeout),
                   [&](Sets& sets, const Deadline& patience) {
                     timespec left{};
                     return OSSLOOP_REAL(pselect)(count, sets.reading(), sets.writing(),
                                                  sets.failing(), patience.left(left), signals);
                   });
}
