// What a thread may move to or from a ring by itself, with no lock and its signals on.
//
// In the midst of a stream whose frames pass as they are, most calls do nothing but copy
// into room, or out of sound, that an earlier call has found, and move the side's position
// past it. That call lends as much to the thread that makes it; the thread's next calls take
// from that, each as a restartable sequence (base/restartable.h), so that a signal handler may
// come at any moment, use the same device, or never come back. Whoever takes the side's lock
// next takes the rest back first, and counts what was moved.
//
// Its memory stays as long as the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "abi/layout.h"
#include "base/host.h"
#include "base/restartable.h"
#include "shm/ring.h"

namespace ossloop::device {

class Allowance {
 public:
  // What is lent: the frames from the side's position on, up to `end`.
  class Terms {
   public:
    Terms(std::atomic<std::uint64_t>& position, abi::Half& peer)
        : position_(position), begin_(position.load(std::memory_order_relaxed)), peer_(peer) {
      keeps(position, begin_);
    }
    // As long as this word stays as it is now, or in its lower half as is said.
    template <typename Word>
    void keeps(const std::atomic<Word>& word) {
      keeps(word, word.load(std::memory_order_acquire));
    }
    template <typename Word>
    void keeps(const std::atomic<Word>& word, Word value) {
      checks_[count_++] = {&word, static_cast<std::uint32_t>(value)};
    }
    std::uint64_t begin() const { return begin_; }

   private:
    friend class Allowance;
    static constexpr std::size_t kMost = 10;
    std::atomic<std::uint64_t>& position_;
    const std::uint64_t begin_;
    abi::Half& peer_;
    base::Check checks_[kMost] = {};
    std::size_t count_ = 1;  // the first one is the loan's own
  };

  // To the calling thread: false if it can have none. With the side's lock held.
  bool lend(const Terms& terms, const shm::Ring& ring, std::uint64_t end);
  // With the lock held. No call takes from it any more.
  void take_back();

  // Has the calling thread the loan? Not the child of a vfork() that borrows it.
  bool is_own() const {
    const base::ThreadNote& note = base::thread_note();
    return owner_.load(std::memory_order_acquire) == &note && note.borrowed == 0;
  }
  // Moves `bytes` bytes of whole frames: all, or none (false).
  bool put(const std::byte* data, std::size_t bytes) {
    return move(const_cast<std::byte*>(data), bytes, true);
  }
  bool get(std::byte* data, std::size_t bytes) { return move(data, bytes, false); }
  // After that: has the peer to be woken, or may it have to be? As long as told() has not
  // followed, nothing more is moved: a handler that came in between may never come back, and
  // whoever takes the loan back makes up for the wake.
  bool owes_wake();
  bool is_untold() const { return untold_.load(std::memory_order_relaxed); }
  void told() { untold_.store(false, std::memory_order_relaxed); }

 private:
  bool move(std::byte* data, std::size_t bytes, bool into_ring);

  std::atomic<const void*> owner_{nullptr};  // the thread
  // Another loan has another number, and so has none.
  std::atomic<std::uint32_t> number_{0};
  // Of the loan; for its owner alone. The first check is that of the number.
  base::Check checks_[Terms::kMost] = {};
  std::size_t count_ = 0;
  std::byte* ring_ = nullptr;
  std::size_t ring_bytes_ = 0, offset_ = 0, frame_bytes_ = 1;
  std::uint64_t begin_ = 0, end_ = 0;
  std::uint64_t next_ = 0;  // the position; a handler may have moved it since
  std::atomic<std::uint64_t>* position_ = nullptr;
  const abi::Half* peer_ = nullptr;
  std::atomic<bool> untold_{false};
};

}  // namespace ossloop::device
