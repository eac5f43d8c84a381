// What a signal means for a call that it interrupted.
#pragma once

namespace ossloop::base {

// A sleep with a deadline ends with EINTR whatever the handler's flags say, and
// the kernel does not tell which handler ran; only a sleep without a deadline is
// restarted as SA_RESTART asks. So we look at the handlers that are installed.
enum class Handlers {
  kNone,
  kRestart,    // all ask for SA_RESTART
  kInterrupt,  // none does
  kMixed,      // some do: only the kernel can tell
};

// Looks at all handlers when something may have changed, else answers from
// memory. Those that can wait for our locks (base/deferral.h) do from then on.
Handlers signal_handlers();
// All of them do.
bool handlers_wait();
// Whether one for SIGINT, SIGTERM or SIGHUP, which ask the program to end, wants
// the call to be restarted.
bool end_restarts();
// A handler may have been installed.
void signal_handlers_changed();

// Before and after the handler of `number` is changed.
void signal_handler_changing();
void signal_handler_changed(int number);

}  // namespace ossloop::base
