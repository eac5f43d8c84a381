// The handlers of a player or recorder, and the signals that it gets all the time.
#pragma once

#include <signal.h>
#include <sys/time.h>

#include "../bench/stream.h"

namespace soak {

// SIGTERM came: the program comes to its end after the call that it interrupts.
inline volatile sig_atomic_t stopped = 0;

// --signals none (no handler at all) | restart | plain | mixed | quiet, every --every
// microseconds; quiet: mixed, but those that interrupt do not come. SIGUSR1 only
// interrupts what is not to be restarted.
class Signals {
 public:
  explicit Signals(const bench::Arguments& arguments)
      : every_us_(arguments.number("--every", 2000)) {
    const char* const kind = arguments.text("--signals", "none");
    if (std::strcmp(kind, "none") == 0) return;
    const bool quiet = std::strcmp(kind, "quiet") == 0;
    const bool mixed = quiet || std::strcmp(kind, "mixed") == 0;
    const bool restart = std::strcmp(kind, "restart") == 0;
    install(
        SIGTERM, [](int) { stopped = 1; }, restart);
    install(
        SIGALRM, [](int) {}, restart || mixed);
    if (!restart)
      install(
          SIGUSR1, [](int) {}, false);
    if (mixed)
      install(
          SIGUSR2, [](int) {}, false);
    any_ = true;
    interrupts_ = mixed && !quiet;
    arm();
  }

  // Timers are not inherited: a forked child asks for its own.
  void arm() const {
    if (!any_) return;
    const itimerval often{{0, every_us_}, {0, every_us_}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
    if (!interrupts_) return;
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR2;
    timer_t timer;
    const itimerspec at{{0, every_us_ * 1300}, {0, every_us_ * 1300}};
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) bench::fail("timer_create");
    ::timer_settime(timer, 0, &at, nullptr);
  }

  static void install(int number, void (*handler)(int), bool restart) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = restart ? SA_RESTART : 0;
    if (::sigaction(number, &action, nullptr) != 0) bench::fail("sigaction");
  }

 private:
  long every_us_;
  bool any_ = false;
  bool interrupts_ = false;
};

}  // namespace soak
