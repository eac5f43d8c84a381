// What a program polls of a PCM: a timer that has run out while it is to look.
#pragma once

#include <cstdint>

namespace ossloop::alsa {

class WakeTimer {
 public:
  WakeTimer() = default;
  WakeTimer(const WakeTimer&) = delete;
  WakeTimer& operator=(const WakeTimer&) = delete;
  ~WakeTimer();

  int open();  // 0 or -errno
  int fd() const { return fd_; }
  // Readable from then on (CLOCK_MONOTONIC), until it is set again. In the past: at once.
  void set(std::int64_t at_ns);
  void stop();
  static std::int64_t now_ns();

 private:
  int fd_ = -1;
};

}  // namespace ossloop::alsa
