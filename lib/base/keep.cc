#include "base/keep.h"

#include <pthread.h>

#include "base/host.h"

namespace ossloop::base {

void set_kept(Kept* kept) {
  ThreadNote& note = thread_note();
  note.kept = kept;
  note.kept_has_gone = false;
}

bool kept_has_gone() { return thread_note().kept_has_gone; }

ScopedLetGo::ScopedLetGo() {
  const ThreadNote& note = thread_note();
  if (!note.holds_signals || note.device_thread) return;
  if (note.kept != nullptr) {
    kept_ = note.kept;
    ends_ = kept_->ends.load();
    kept_->calls.fetch_sub(1);
  }
  cancel_held_ = note.holds_cancel;
  cancel_state_ = note.cancel_state;
  if (cancel_held_) ::pthread_setcancelstate(cancel_state_, nullptr);
}

// A handler has had calls of its own: the note is made anew.
ScopedLetGo::~ScopedLetGo() {
  ThreadNote& note = thread_note();
  if (cancel_held_) {
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
    note.cancel_state = cancel_state_;
    note.holds_cancel = true;
  }
  if (kept_ == nullptr) return;
  kept_->calls.fetch_add(1);
  note.kept = kept_;
  note.kept_has_gone = kept_->ends.load() != ends_;
}

}  // namespace ossloop::base
