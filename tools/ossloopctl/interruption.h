// SIGINT and SIGTERM, which end a recording and not the program.
#pragma once

#include <signal.h>

namespace ossloop::ctl {

// From here on the two are held but where the program waits with while_waiting(), and SIGPIPE
// and SIGXFSZ are errors of a write.
void hold_signals();
// The signals to block while waiting.
const sigset_t& while_waiting();
// Has one of the two come?
bool asked_to_stop();

}  // namespace ossloop::ctl
