// A wait of some microseconds, awake: going to sleep and being woken takes longer where the
// peer is at work on another processor.
#pragma once

#include <algorithm>
#include <atomic>

namespace ossloop::device {

class AdaptiveSpin {
 public:
  // About 70 microseconds: more than it takes to wake a program on another processor.
  static constexpr int kSpins = 400;
  // After a spin in vain it is not tried for so many waits, and for twice as many after
  // another one.
  static constexpr int kFewestOff = 32, kMostOff = 1024;

  // True as soon as `reached` says so; false if it does not in time, or is not asked.
  template <typename Reached>
  bool wait(Reached reached) {
    if (off_ > 0) {
      --off_;
      return false;
    }
    for (int i = 0; i < kSpins; ++i) {
      if (reached()) {
        last_off_ = 0;
        return true;
      }
      for (int pause = 0; pause < 4; ++pause) pause_processor();
    }
    last_off_ = std::clamp(2 * last_off_, kFewestOff, kMostOff);
    off_ = last_off_.load();
    return false;
  }

 private:
  static void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

  std::atomic<int> off_{0};       // waits in which it is still not tried
  std::atomic<int> last_off_{0};  // how many there were the last time
};

}  // namespace ossloop::device
