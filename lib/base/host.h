// The process that we live in, as the preloaded file knows it. Without one (tests,
// ossloopctl) the defaults serve.
#pragma once

#include <cstdint>

namespace ossloop::base {

struct Kept;

// What we remember of a thread. In memory that is there before the thread runs: to ask
// for some within a signal handler might wait for malloc's lock.
struct ThreadNote {
  std::uint32_t id = 0;         // the kernel's, 0: not yet asked for
  std::uint32_t borrowed = 0;   // by the child of a vfork(), and one of its own, and so on
  void* robust_list = nullptr;  // the kernel's head of it, if `asked_robust`
  bool asked_robust = false;
  bool device_thread = false;  // ours: what it calls is not the program's call
  bool holds_signals = false;  // a call of ours does, and the program's mask is:
  std::uint64_t signal_mask = 0;
  bool holds_cancel = false;  // a call of ours lets pthread_cancel() wait, and before it was:
  int cancel_state = 0;
  Kept* kept = nullptr;  // what the call in progress works on: base/keep.h
  bool kept_has_gone = false;
};

struct Host {
  // False in the child of a vfork(), whose memory is its parent's.
  bool (*own_process)();
  ThreadNote& (*thread_note)();
};

// To be set before anything else is used.
void set_host(const Host& host);

bool own_process();
ThreadNote& thread_note();
// Does the child of a vfork() run in this thread's memory now, while the thread waits for it?
inline bool is_borrowed() { return thread_note().borrowed != 0; }
// As gettid(), without a system call but the first. A child of a vfork() has its own.
std::uint32_t thread_id();
// In the child of a fork().
void forget_thread();

}  // namespace ossloop::base
