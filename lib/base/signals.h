// The program's signal handlers, and what a signal means for a call that it interrupts.
//
// What the program installs is what the kernel has. A handler may use the device that
// its thread is just using: so while a call of ours is at work the thread's signals are
// held (base/scoped_block.h), which a program without handlers does not pay for. Who
// sleeps lets them in.
#pragma once

#include <atomic>
#include <cstdint>

namespace ossloop::base {

// Which handlers there are. A sleep with a deadline ends with EINTR whatever the
// handler's flags say, and the kernel does not tell which handler ran; only a sleep
// without a deadline is restarted as SA_RESTART asks.
enum class Handlers {
  kNone,
  kRestart,    // all ask for SA_RESTART
  kInterrupt,  // none does
  kMixed,      // some do: only the kernel can tell
};

// Looks at all handlers when something may have changed, else answers from memory.
Handlers signal_handlers();
// Whether one for SIGINT, SIGTERM or SIGHUP, which ask the program to end, wants
// the call to be restarted.
bool end_restarts();

// A handler may have been installed, or its flags changed.
void signal_handlers_changed();
// The program has had handlers, or is about to have one: false before the first. From
// then on, for ever, signals are held: a handler that is gone (SA_RESETHAND) comes again.
inline constinit std::atomic<bool> has_had_handlers{false};

// What handlers of signals that came while they were held mean for a call that would
// sleep now; they run before this returns. Whoever calls looks at kept_has_gone() then.
enum class Arrived {
  kNothing,
  kRestart,    // the call goes on
  kInterrupt,  // it ends by EINTR
};
// `open_ended`: a wait that may last for ever ends by what asks the program to end, too.
Arrived let_arrived_in(bool open_ended);

// Sleeps. True if a handler ran meanwhile that wants the call to end.
bool interrupted_in_pause(std::int64_t nanoseconds);

}  // namespace ossloop::base
