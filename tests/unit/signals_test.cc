#include "base/signals.h"

#include <errno.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "handlers.h"

using namespace ossloop::base;

namespace {

void on_signal(int) {}

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
  quiet.install(SIGUSR1, SA_RESTART, on_signal);
  quiet.install(SIGALRM, SA_RESTART, on_signal);
  CHECK(signal_handlers() == Handlers::kRestart);
}

TEST_CASE("handlers of which none asks for SA_RESTART interrupt") {
  Quiet quiet;
  quiet.install(SIGINT, 0, on_signal);
  CHECK(signal_handlers() == Handlers::kInterrupt);
  quiet.install(SIGTERM, 0, on_signal);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("with handlers of both kinds only the kernel can tell") {
  Quiet quiet;
  quiet.install(SIGALRM, SA_RESTART, on_signal);
  quiet.install(SIGINT, 0, on_signal);
  CHECK(signal_handlers() == Handlers::kMixed);
  quiet.install(SIGALRM, 0, SIG_DFL);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("the first and the last signal number count") {
  Quiet quiet;
  quiet.install(SIGHUP, 0, on_signal);
  CHECK(signal_handlers() == Handlers::kInterrupt);
  quiet.install(SIGHUP, 0, SIG_DFL);
  quiet.install(SIGRTMAX, 0, on_signal);
  CHECK(signal_handlers() == Handlers::kInterrupt);
}

TEST_CASE("handlers are looked at again when something may have changed, not before") {
  Quiet quiet;
  quiet.install(SIGUSR1, SA_RESTART, on_signal);
  REQUIRE(signal_handlers() == Handlers::kRestart);
  struct sigaction action {};
  action.sa_handler = on_signal;
  quiet.install_unseen(SIGUSR1, action);
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
