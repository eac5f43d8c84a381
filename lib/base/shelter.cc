#include "base/shelter.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signals.h"

namespace ossloop::base {
namespace {

// The kernel's own call: libc's would leave out the signals it uses itself, and
// may be somebody's wrapper.
std::uint64_t set_mask(std::uint64_t mask) {
  const int saved = errno;
  std::uint64_t before = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof mask);
  errno = saved;
  return before;
}

// Faults in our own work must still kill.
constexpr std::uint64_t bit(int number) { return std::uint64_t{1} << (number - 1); }
constexpr std::uint64_t kAll =
    ~(bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGFPE) | bit(SIGTRAP) | bit(32) | bit(33));

}  // namespace

SignalsHeld::SignalsHeld() : held_(signal_handlers() != Handlers::kNone) {
  if (held_) before_ = set_mask(kAll);
}

SignalsHeld::~SignalsHeld() {
  if (held_) set_mask(before_);
}

}  // namespace ossloop::base
