#include "device/blocking_wait.h"

#include <algorithm>

namespace ossloop::device {

bool BlockingWait::announce(const Wait& wait) {
  // A later look may find another position worth a wake: the first may be none at all.
  if (sleeper_ && (for_batch_ || wait.wake_frame >= announced_)) return false;
  if (!sleeper_) for_batch_ = wait.batch_frame != wait.wake_frame && !waited_for_batch_;
  if (for_batch_ && experience_.batches_off > 0) {
    --experience_.batches_off;
    for_batch_ = false;
  }
  batch_frame_ = wait.batch_frame;
  announced_ = for_batch_ ? batch_frame_ : wait.wake_frame;
  sleeper_.emplace(half_, announced_);
  return true;
}

std::int64_t BlockingWait::deadline_ns(const Wait& wait, std::int64_t now_ns) const {
  return for_batch_ ? std::min(wait.deadline_ns, now_ns + kBatchNs) : wait.deadline_ns;
}

void BlockingWait::woke(std::uint64_t position) {
  waited_for_batch_ = waited_for_batch_ || for_batch_;
  if (for_batch_ && !reached(position, batch_frame_)) experience_.batches_off = kBatchesOff;
  sleeper_.reset();
}

}  // namespace ossloop::device
