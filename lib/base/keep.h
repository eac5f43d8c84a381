// What a call in progress may rely on, and what it lets go of while it sleeps.
#pragma once

#include <atomic>
#include <cstdint>

namespace ossloop::base {

// Something that calls work on, and that may go when none is in it. A call that sleeps is
// not counted, since a handler that comes meanwhile may never return to it (siglongjmp):
// it asks afterwards whether what it worked on is still there. The memory of a Kept itself
// is never given back.
struct Kept {
  std::atomic<std::uint32_t> calls{0};  // in progress, and awake
  std::atomic<std::uint32_t> ends{0};

  // It is to go: calls that sleep now will find it gone. False if one is awake in it.
  bool end() {
    ends.fetch_add(1);
    return calls.load() == 0;
  }
};

// The call in progress in this thread is counted there; nullptr: nowhere any more.
void set_kept(Kept* kept);
// It has gone while the call slept: nothing of it may be touched.
bool kept_has_gone();

// Around a sleep that handlers may leave, while the thread's signals are held: the call is not
// counted, and pthread_cancel() finds the thread as the program has it. Not in the frame of
// the sleep itself, which has nothing to clean up (base/scoped_block.h).
class ScopedLetGo {
 public:
  ScopedLetGo();
  ~ScopedLetGo();
  ScopedLetGo(const ScopedLetGo&) = delete;
  ScopedLetGo& operator=(const ScopedLetGo&) = delete;

 private:
  Kept* kept_ = nullptr;
  std::uint32_t ends_ = 0;
  bool cancel_held_ = false;
  int cancel_state_ = 0;  // of the program
};

}  // namespace ossloop::base
