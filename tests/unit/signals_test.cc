#include "base/signals.h"

#include <errno.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <map>

using namespace ossloop::base;

namespace {

void on_signal(int) {}

// No handlers at all while it lives: the test's own catch crashes.
class Quiet {
 public:
  Quiet() {
    for (int number = 1; number < NSIG; ++number) {
      struct sigaction action {};
      if (::sigaction(number, nullptr, &action) != 0) continue;
      if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) continue;
      before_[number] = action;
      set(number, SIG_DFL, 0);
    }
    signal_handlers_changed();
  }
  ~Quiet() {
    for (const int number : used_) set(number, SIG_DFL, 0);
    for (const auto& [number, action] : before_) ::sigaction(number, &action, nullptr);
    signal_handlers_changed();
  }

  void install(int number, int flags, void (*handler)(int) = on_signal) {
    used_.push_back(number);
    set(number, handler, flags);
    signal_handlers_changed();
  }

 private:
  static void set(int number, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(number, &action, nullptr);
  }

  std::map<int, struct sigaction> before_;
  std::vector<int> used_;
};

}  // namespace

TEST_CASE("without handlers nothing interrupts a sleep") {
  Quiet quiet;
  CHECK(signal_handlers() == Handlers::kNone);
}

TEST_CASE("signals that are ignored or have their default are no handlers") {
  Quiet quiet;
  quiet.install(SIGUSR1, 0, SIG_IGN);
  quiet.install(SIGCHLD, 0, SIG_DFL);
  CHECK(signal_handlers() == Handlers::kNone);
}

TEST_CASE("handlers that all ask for SA_RESTART restart") {
  Quiet quiet;
  quiet.install(SIGUSR1, SA_RESTART);
  quiet.install(SIGALRM, SA_RESTART);
  CHECK(signal_handlers() == Handlers::kRestart);
}

TEST_CASE("handlers of which none asks for SA_RESTART interrupt") {
  Quiet quiet;
  quiet.install(SIGINT, 0);
  CHECK(signal_handlers() == Handlers::kInterrupt);
  quiet.install(SIGTERM, 0);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("with handlers of both kinds only the kernel can tell") {
  Quiet quiet;
  quiet.install(SIGALRM, SA_RESTART);
  quiet.install(SIGINT, 0);
  CHECK(signal_handlers() == Handlers::kMixed);
  quiet.install(SIGALRM, 0, SIG_DFL);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("the first and the last signal number count") {
  Quiet quiet;
  quiet.install(SIGHUP, 0);
  CHECK(signal_handlers() == Handlers::kInterrupt);
  quiet.install(SIGHUP, 0, SIG_DFL);
  quiet.install(SIGRTMAX, 0);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("handlers are looked at again when something may have changed, not before") {
  Quiet quiet;
  quiet.install(SIGUSR1, SA_RESTART);
  REQUIRE(signal_handlers() == Handlers::kRestart);
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGUSR1, &action, nullptr);
  CHECK(signal_handlers() == Handlers::kRestart);
  signal_handlers_changed();
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("looking at handlers leaves errno alone") {
  Quiet quiet;
  errno = 77;
  signal_handlers();
  CHECK(errno == 77);
}
