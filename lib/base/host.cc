#include "base/host.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace ossloop::base {
namespace {

ThreadNote& own_note() {
  thread_local constinit ThreadNote note;
  return note;
}

constinit Host host{[] { return true; }, own_note};

}  // namespace

void set_host(const Host& chosen) { host = chosen; }
bool own_process() { return host.own_process(); }
ThreadNote& thread_note() { return host.thread_note(); }

std::uint32_t thread_id() {
  ThreadNote& note = thread_note();
  if (note.id != 0 && note.borrowed == 0) return note.id;
  const auto id = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  if (note.borrowed == 0) note.id = id;
  return id;
}

void forget_thread() {
  thread_note().id = 0;
  thread_note().borrowed = 0;
}

}  // namespace ossloop::base
