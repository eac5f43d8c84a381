// What a signal means for a call that it interrupted.
#pragma once

namespace ossloop::base {

// True if every handler that this process has installed asks for SA_RESTART.
// The kernel does not tell which handler ran; where they differ the answer is
// no, and the call reports EINTR.
bool interrupted_calls_restart();

}  // namespace ossloop::base
