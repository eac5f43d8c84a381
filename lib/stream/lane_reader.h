// Who reads a lane: a program, or in the writer's process one that nobody hears
// (device/null_reader.h). A program that opens takes the lane, and takes it again when it
// begins to record; between two looks of the null reader, whose process may be killed.
#pragma once

#include <time.h>

#include <cstdint>

#include "abi/layout.h"
#include "stream/halves.h"

namespace ossloop::device {

class LaneReader {
 public:
  enum State : std::uint64_t { kNobody, kNullResting, kNullInside, kOpened, kBegun };

  explicit LaneReader(abi::Consumer& consumer) : word_(consumer.reader) {}

  // By the program with this open, as kOpened or kBegun; `patient`: the null reader is let
  // finish its look. Was the lane read for nobody?
  bool take(State state, std::uint64_t serial, bool patient) {
    const int moments = patient ? 500 : 0;
    std::uint64_t seen = word_.load(std::memory_order_acquire);
    if (seen == word(state, serial)) return false;
    for (int moment = 0;; ++moment) {
      if (state_of(seen) == kNullInside && moment < moments) {
        const timespec pause{0, 100'000};
        ::nanosleep(&pause, nullptr);
        seen = word_.load(std::memory_order_acquire);
      } else if (word_.compare_exchange_strong(seen, word(state, serial))) {
        return state_of(seen) == kNullResting || state_of(seen) == kNullInside;
      }
    }
  }

  // By the writer's process, beside a listener that has not begun if it is both ends. False:
  // a program has the lane. `is_new`: it had it, or nobody had.
  bool enter(const abi::Half& listener, bool beside_open, bool& is_new) {
    std::uint64_t seen = word_.load(std::memory_order_acquire);
    const std::uint64_t open = listener.open.load(std::memory_order_acquire);
    const State state = state_of(seen);
    is_new = state != kNullResting && state != kNullInside;
    // A program that opens has taken it with a number that is not yet to be seen.
    if ((state == kOpened || state == kBegun) && seen >> kStateBits != serial_of(open))
      return false;
    if (is_open(open) && (!beside_open || state == kBegun)) return false;
    return word_.compare_exchange_strong(seen, word(kNullInside, serial_of(open)));
  }
  void rest() {
    std::uint64_t seen = word_.load(std::memory_order_relaxed);
    if (state_of(seen) != kNullInside) return;
    word_.compare_exchange_strong(seen, seen - kNullInside + kNullResting);
  }

  bool is_null() const {
    const State state = state_of(word_.load(std::memory_order_acquire));
    return state == kNullResting || state == kNullInside;
  }
  bool is(State state, std::uint64_t serial) const {
    return word_.load(std::memory_order_acquire) == word(state, serial);
  }
  // Has a program taken it that is about to open, or was killed there?
  bool is_ahead_of(const abi::Half& listener) const {
    return is_ahead(word_.load(std::memory_order_acquire), listener);
  }
  // By who knows that it was killed: nobody has the lane.
  bool release(const abi::Half& listener) {
    std::uint64_t seen = word_.load(std::memory_order_acquire);
    return is_ahead(seen, listener) && word_.compare_exchange_strong(seen, word(kNobody, 0));
  }

 private:
  static bool is_ahead(std::uint64_t seen, const abi::Half& listener) {
    const State state = state_of(seen);
    return (state == kOpened || state == kBegun) &&
           seen >> kStateBits > serial_of(listener.open.load(std::memory_order_acquire));
  }
  static constexpr int kStateBits = 3;
  static std::uint64_t word(State state, std::uint64_t serial) {
    return serial << kStateBits | state;
  }
  static State state_of(std::uint64_t word) {
    return static_cast<State>(word & ((1 << kStateBits) - 1));
  }

  abi::Atomic<std::uint64_t>& word_;
};

}  // namespace ossloop::device
