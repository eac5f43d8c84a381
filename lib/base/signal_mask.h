// Signals by the kernel's own calls: libc's leave out the signals that it uses
// itself, and may be wrapped by a library of the program. errno is left alone.
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace ossloop::base {

constexpr int kSignals = 64;
constexpr std::uint64_t signal_bit(int number) { return std::uint64_t{1} << (number - 1); }
// What a thread brings upon itself. If that is our own work it must still kill; and
// a sandbox answers system calls by SIGSYS.
constexpr std::uint64_t kFaults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) |
                                  signal_bit(SIGFPE) | signal_bit(SIGTRAP) | signal_bit(SIGSYS);
constexpr std::uint64_t kOfLibc = signal_bit(32) | signal_bit(33);
constexpr std::uint64_t kHeldSignals = ~(kFaults | kOfLibc);

template <typename... Arguments>
bool signal_call(long number, Arguments... arguments) {
  const int saved = errno;
  const bool done = ::syscall(number, arguments...) == 0;
  errno = saved;
  return done;
}

// The mask before.
inline std::uint64_t change_signal_mask(int how, std::uint64_t mask) {
  std::uint64_t before = 0;
  signal_call(SYS_rt_sigprocmask, how, &mask, &before, sizeof mask);
  return before;
}
inline std::uint64_t set_signal_mask(std::uint64_t mask) {
  return change_signal_mask(SIG_SETMASK, mask);
}
inline std::uint64_t pending_signals() {
  std::uint64_t pending = 0;
  signal_call(SYS_rt_sigpending, &pending, sizeof pending);
  return pending;
}
// Takes back those of `signals`, all blocked, that are pending.
inline void take_signals(std::uint64_t signals) {
  const int saved = errno;
  const timespec now{0, 0};
  while (::syscall(SYS_rt_sigtimedwait, &signals, nullptr, &now, sizeof signals) > 0) {
  }
  errno = saved;
}
// Beside what the program has blocked, which may be a fault that another thread
// waits for.
inline std::uint64_t hold_signals() { return change_signal_mask(SIG_BLOCK, kHeldSignals); }

}  // namespace ossloop::base
