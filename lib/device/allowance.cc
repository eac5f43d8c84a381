#include "device/allowance.h"

#include <algorithm>

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

bool Allowance::lend(const Terms& terms, const shm::Ring& ring, std::uint64_t end) {
  if (terms.begin_ >= end || base::is_borrowed() || !base::has_restartable()) return false;
  std::size_t frames = ring.capacity_frames();
  end_ = std::min<std::uint64_t>(end, terms.begin_ + frames);
  begin_ = next_ = terms.begin_;
  frame_bytes_ = ring.frame_bytes();
  ring_bytes_ = ring.bytes();
  ring_ = ring.data();
  offset_ = static_cast<std::size_t>(ring.piece(begin_, frames) - ring_);
  position_ = &terms.position_;
  peer_ = &terms.peer_;
  // The first stays one that can be read: another thread may be looking.
  std::copy(terms.checks_ + 1, terms.checks_ + terms.count_, checks_ + 1);
  count_ = terms.count_;
  checks_[0] = {&number_, number_.load(kRelaxed)};
  owner_.store(&base::thread_note(), std::memory_order_release);
  return true;
}

void Allowance::take_back() {
  const void* const owner = owner_.load(kRelaxed);
  if (owner == nullptr) return;
  owner_.store(nullptr, kRelaxed);
  number_.fetch_add(1);
  // A sequence of our own thread was taken back when the handler came that we are in.
  if (owner != &base::thread_note()) base::restart_all();
}

// A handler may lend anew between any two lines, and another thread take back and lend to itself:
// then the number is another than that which was there when the loan was ours.
bool Allowance::move(std::byte* data, std::size_t bytes, bool into_ring) {
  const std::uint32_t number = number_.load(std::memory_order_acquire);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!is_own() || is_untold()) return false;
  base::Check checks[Terms::kMost];
  const std::size_t count = count_;
  std::copy(checks_ + 1, checks_ + count, checks + 1);
  checks[0] = {&number_, number};
  const std::uint64_t from = next_;
  checks[1].value = static_cast<std::uint32_t>(from);
  const std::uint64_t frames = bytes / frame_bytes_;
  if (frames == 0 || frames * frame_bytes_ != bytes || frames > end_ - from) return false;
  std::size_t offset = offset_ + static_cast<std::size_t>(from - begin_) * frame_bytes_;
  if (offset >= ring_bytes_) offset -= ring_bytes_;
  std::byte* const at = ring_ + offset;
  untold_.store(true, kRelaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!base::copy_and_commit(checks, count, into_ring ? at : data, into_ring ? data : at, bytes,
                             position_, from + frames)) {
    told();
    return false;
  }
  next_ = from + frames;
  return true;
}

bool Allowance::owes_wake() {
  std::uint64_t now[2];
  if (!is_own() || !base::read_both(checks_, 1, &peer_->waiting, &peer_->wake_frame, now))
    return true;
  if ((now[0] & 0xffffffff) != 0 && next_ >= now[1]) return true;
  told();
  return false;
}

}  // namespace ossloop::device
