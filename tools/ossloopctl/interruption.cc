#include "ossloopctl/interruption.h"

#include <initializer_list>

namespace ossloop::ctl {
namespace {

volatile sig_atomic_t asked = 0;

sigset_t& blocked_before() {
  static sigset_t signals = [] {
    sigset_t present;
    ::sigprocmask(SIG_BLOCK, nullptr, &present);
    return present;
  }();
  return signals;
}

}  // namespace

void hold_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { asked = 1; };
  sigset_t held;
  sigemptyset(&held);
  for (const int number : {SIGINT, SIGTERM}) {
    sigaddset(&held, number);
    ::sigaction(number, &action, nullptr);
  }
  ::sigprocmask(SIG_BLOCK, &held, &blocked_before());
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

const sigset_t& while_waiting() { return blocked_before(); }

// Where there is always something to read, no wait ever sleeps and lets them through.
bool asked_to_stop() {
  sigset_t pending;
  ::sigpending(&pending);
  for (const int number : {SIGINT, SIGTERM}) {
    if (::sigismember(&pending, number) == 1 && ::sigismember(&blocked_before(), number) == 0) {
      asked = 1;
    }
  }
  return asked != 0;
}

}  // namespace ossloop::ctl
