// ossloopctl monitor on a terminal: what the instances do, on its whole screen.
#include "viewer/monitor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <memory>

#include "base/sys.h"
#include "ossloopctl/command.h"
#include "viewer/monitor_session.h"
#include "viewer/screen.h"

namespace ossloop::view {
namespace {

constexpr double kUsualIntervalSeconds = 0.25;

volatile sig_atomic_t asked_by = 0;

// They are let through only where we wait; one more of the same has its usual effect, for
// a terminal that takes nothing.
sigset_t hold_signals() {
  struct sigaction action {};
  action.sa_handler = [](int number) { asked_by = number; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigset_t held, before;
  sigemptyset(&held);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present {};
    ::sigaction(number, nullptr, &present);
    if (present.sa_handler == SIG_IGN) continue;
    sigaddset(&held, number);
    ::sigaction(number, &action, nullptr);
  }
  ::sigprocmask(SIG_BLOCK, &held, &before);
  return before;
}

std::string local_time() {
  const time_t now = ::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  char text[16];
  ::strftime(text, sizeof text, "%H:%M:%S", &local);
  return text;
}

enum class Outcome { kQuit, kTerminalGone, kInstanceGone };

// Until a key or a signal, or `deadline_ns`. False: the terminal is gone.
bool wait(const sigset_t& blocked, std::int64_t deadline_ns) {
  const std::int64_t left_ns = std::max<std::int64_t>(deadline_ns - base::sys().now_ns(), 0);
  const timespec time{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
  pollfd entry{STDIN_FILENO, POLLIN, 0};
  ::ppoll(&entry, 1, &time, &blocked);
  return (entry.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

void show(Screen& screen, const MonitorSession& session) {
  Grid grid(screen.rows(), screen.columns());
  session.draw(grid, screen.bars(), local_time());
  screen.show(grid);
}

Outcome run(Screen& screen, MonitorSession& session, double interval_seconds) {
  const sigset_t blocked = hold_signals();
  const auto interval_ns = static_cast<std::int64_t>(interval_seconds * 1e9);
  for (;;) {
    const std::int64_t now_ns = base::sys().now_ns();
    if (!session.look(now_ns)) return Outcome::kInstanceGone;
    show(screen, session);
    for (bool due = false; !due;) {
      if (!wait(blocked, now_ns + interval_ns)) return Outcome::kTerminalGone;
      if (asked_by == SIGHUP) return Outcome::kTerminalGone;
      if (asked_by != 0) return Outcome::kQuit;
      bool pressed = false;
      for (KeyPress key = screen.key(); key != KeyPress{}; key = screen.key()) {
        session.press(key);
        pressed = true;
        if (session.ended()) return Outcome::kQuit;
      }
      // What a key did is seen at once.
      if (pressed) session.look(base::sys().now_ns());
      if (pressed) show(screen, session);
      due = base::sys().now_ns() >= now_ns + interval_ns;
    }
  }
}

int show_monitor(const ctl::MonitorWords& words, const config::Runtime& runtime,
                 std::optional<int> instance) {
  std::string why;
  if (control::check_folder(runtime, false, why) < 0) return ctl::failed(why);
  MonitorSession session(runtime, instance);
  const std::string gone = "there is no instance " + std::to_string(instance.value_or(0));
  if (!session.look(base::sys().now_ns())) return ctl::failed(gone);
  std::unique_ptr<Screen> screen = Screen::open();
  if (screen == nullptr) return ctl::monitor_in_lines(words);
  const Outcome outcome =
      run(*screen, session, words.interval_seconds.value_or(kUsualIntervalSeconds));
  screen.reset();
  switch (outcome) {
    case Outcome::kTerminalGone:
      return ctl::failed("the terminal is gone");
    case Outcome::kInstanceGone:
      return ctl::failed(gone);
    case Outcome::kQuit:
      break;
  }
  if (asked_by == SIGTERM) {
    ::signal(SIGTERM, SIG_DFL);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::sigprocmask(SIG_UNBLOCK, &term, nullptr);
    ::raise(SIGTERM);
  }
  return ctl::kDone;
}

}  // namespace

int monitor(const ctl::MonitorWords& words) {
  int number = 0;
  std::string why;
  if (words.instance && !ctl::parse_instance(*words.instance, number, why)) {
    return ctl::wrong_usage(why);
  }
  return ctl::with_configuration([&](const config::Runtime& runtime) {
    return show_monitor(words, runtime, words.instance ? std::optional(number) : std::nullopt);
  });
}

}  // namespace ossloop::view
