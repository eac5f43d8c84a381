// How a call waits for its peer: awake for a moment, then asleep until the peer has come to
// a position that it announced.
//
// Where neither clock nor buffer makes the peer pause, it is mostly in the midst of more:
// then the call waits a moment for a batch of frames, which spares both a wake for every
// block. A peer that itself waits for us brings none; then this is left for a while.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "abi/layout.h"
#include "device/adaptive_spin.h"
#include "shm/wakeup.h"
#include "stream/flow.h"

namespace ossloop::device {

class BlockingWait {
 public:
  using Wait = ProducerFlow::Wait;
  // A batch is waited for so long; and where it did not come, not in so many waits.
  static constexpr std::int64_t kBatchNs = 5'000'000;
  static constexpr int kBatchesOff = 256;

  // What the waits of an open have shown so far.
  struct Experience {
    AdaptiveSpin spin;
    std::atomic<int> batches_off{0};
  };

  // Of one call that waits on `half`.
  BlockingWait(abi::Half& half, Experience& experience) : half_(half), experience_(experience) {}

  // Bytes were moved: what comes is another wait.
  void moved() { waited_for_batch_ = has_spun_ = false; }

  // Awake, once, where a batch is worth waiting for: true when a part of it is there.
  template <typename Position>
  bool spin(const Wait& wait, Position position) {
    if (sleeper_ || has_spun_ || wait.batch_frame == wait.wake_frame) return false;
    has_spun_ = true;
    // Enough that the two sides do not meet at every block, and little enough that the
    // other one goes on meanwhile.
    constexpr std::uint64_t kShare = 4;
    const std::uint64_t frame = wait.wake_frame + (wait.batch_frame - wait.wake_frame) / kShare;
    return experience_.spin.wait([&] { return reached(position(), frame); });
  }

  // Announces the sleep, so that whatever changes from here on wakes us: true when it did,
  // and the caller has to look once more. False: what is announced is what is waited for.
  bool announce(const Wait& wait);

  shm::Sleeper& sleeper() { return *sleeper_; }
  std::int64_t deadline_ns(const Wait& wait, std::int64_t now_ns) const;
  // The sleep is over, the peer at `position`.
  void woke(std::uint64_t position);

 private:
  // Positions wrap.
  static bool reached(std::uint64_t position, std::uint64_t frame) {
    return (position - frame) >> 63 == 0;
  }

  abi::Half& half_;
  Experience& experience_;
  std::optional<shm::Sleeper> sleeper_;
  bool for_batch_ = false;         // it sleeps for more than the call needs
  bool waited_for_batch_ = false;  // and has done so once since bytes were moved
  bool has_spun_ = false;          // the same of waiting awake
  std::uint64_t batch_frame_ = 0;
  std::uint64_t announced_ = 0;
};

}  // namespace ossloop::device
