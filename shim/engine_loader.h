// Where a call goes: to the engine, or on to libc.
#pragma once

#include <errno.h>

#include "shim/deadline.h"
#include "shim/descriptor_table.h"
#include "shim/engine_api.h"
#include "shim/user_memory.h"

namespace ossloop::shim {

extern DescriptorTable descriptors;

// The engine, loaded at the first call. nullptr if it cannot be: then no path is
// a device, and the reason was written to standard error once.
const EngineApi* load_engine();
// Only if it is there already.
const EngineApi* loaded_engine();

// How long to wait for readiness at a time: where no thread of ours keeps it true, a wait
// has to look for itself; and where a byte `stands_in` for room, another thread that polls
// the descriptor may take it away.
inline Deadline until_next_look(const Deadline& patience, bool stands_in) {
  return loaded_engine()->has_thread() && !stands_in ? patience : patience.at_most_ms(10);
}

// Registers what keeps fork() off our locks, and finds where the preloaded file lies,
// once. To be called before the program can change its folder.
void begin_process();

// A descriptor seen for the first time: looks whether it is one of our nodes,
// inherited over exec.
bool classify(int fd);

// Is the caller the device thread? A library under us (an allocator, a profiler, a
// sanitizer) may open files there, whose numbers are of that thread's own table.
bool in_device_thread();

// Around fork(), which runs them by itself, and _Fork(), which does not.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();
// False in the child of a vfork(), whose memory is its parent's.
bool own_process();
base::ThreadNote& own_note();

// Also as another thread leaves it, once that is done.
inline bool is_ours(int fd) {
  if (descriptors.foreign(fd)) return false;
  return descriptors.ours(fd) ? !in_device_thread() : classify(fd);
}

// A call of libc returned `fd` and it is not ours, whatever stood there before.
int drop_stale(int fd);
inline int register_foreign(int fd) {
  // Another thread put one of ours there before or after: the kernel is asked again.
  if (descriptors.in_change(fd)) descriptors.await_change(fd);
  return descriptors.ours(fd) || descriptors.folder(fd) != 0 ? drop_stale(fd) : fd;
}
// It came from elsewhere and may be anything.
int reclassify(int fd);

// The name of what is open, as the original's drivers call it. `text` has room for
// PATH_MAX.
void canonical_text(const config::DeviceName& name, char* text);

// -errno to -1 and errno; success leaves errno as it was.
template <typename Value>
Value to_libc(Value result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace ossloop::shim
