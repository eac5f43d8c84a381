// Whether a signal handler has run in this thread since a moment ago.
#pragma once

namespace ossloop::base {

// A futex has no signal mask of its own: between the call that lets signals in and the
// sleep a handler may run that nobody tells of. The kernel does, on the way: what a thread
// says to be its restartable sequence (rseq(2)) is taken back when a signal comes, or when
// the thread loses its processor, which is counted. Where both happen at once, or libc has
// registered no such memory, the answer is no.
//
// From the one call, whose result is for the other, to the other.
long watch_for_handlers();
bool handler_has_run(long since);

}  // namespace ossloop::base
