// See engine_heap.cc: what `new` gives in the engine.
#pragma once

namespace ossloop::shim {

// Around fork(), the last of our locks.
void heap_before_fork();
void heap_after_fork(bool child);

}  // namespace ossloop::shim
