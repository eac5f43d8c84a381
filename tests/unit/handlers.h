// The signal handlers of a test.
#pragma once

#include <signal.h>

#include <map>

#include "base/signals.h"

// No handlers but the test's own while it lives: Catch's catch crashes.
class Quiet {
 public:
  Quiet() {
    for (int number = 1; number < NSIG; ++number) {
      struct sigaction action {};
      if (::sigaction(number, nullptr, &action) != 0) continue;
      if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) continue;
      install_unseen(number, {});
      before_[number] = action;
    }
    ossloop::base::signal_handlers_changed();
  }
  ~Quiet() {
    for (const auto& [number, action] : before_) ::sigaction(number, &action, nullptr);
    ossloop::base::signal_handlers_changed();
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

  // By ways that we do not see.
  void install_unseen(int number, const struct sigaction& action) {
    struct sigaction before {};
    ::sigaction(number, &action, &before);
    before_.insert({number, before});
  }
  void install(int number, const struct sigaction& action) {
    install_unseen(number, action);
    ossloop::base::signal_handlers_changed();
    ossloop::base::signal_handlers();
  }
  void install(int number, int flags, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    install(number, action);
  }

 private:
  std::map<int, struct sigaction> before_;
};
