#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace ossloop::base {
namespace {

// The kernel's own structure: libc's sigaction() may be somebody's wrapper.
struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

}  // namespace

bool interrupted_calls_restart() {
  const int saved = errno;
  bool restart = true;
  for (int number = 1; number <= 64 && restart; ++number) {
    // 32 and 33 are libc's own.
    if (number == 32 || number == 33 || number == SIGKILL || number == SIGSTOP) continue;
    KernelAction action{};
    if (::syscall(SYS_rt_sigaction, number, nullptr, &action, sizeof action.mask) != 0) continue;
    if (action.handler == SIG_DFL || action.handler == SIG_IGN) continue;
    restart = (action.flags & SA_RESTART) != 0;
  }
  errno = saved;
  return restart;
}

}  // namespace ossloop::base
