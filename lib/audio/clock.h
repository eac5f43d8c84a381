// The device's clock: frames due = base + elapsed time × rate, in integers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/wide.h"

namespace ossloop::audio {

struct Clock {
  std::int64_t anchor_ns = 0;  // CLOCK_MONOTONIC
  std::int64_t base = 0;       // frame due at the anchor
  std::uint32_t rate_hz = 48000;
  std::uint32_t factor_milli = 1000;
  std::int32_t ppm = 0;

  // Frames due at `now_ns`, rounded down: exact within one frame however long
  // the clock has run. Time before the anchor counts as the anchor. Positions
  // wrap: nonsense from another process comes out as nonsense, not as overflow.
  std::int64_t frames_at(std::int64_t now_ns) const {
    const ossloop::base::Int128 elapsed = static_cast<ossloop::base::Int128>(now_ns) - anchor_ns;
    const ossloop::base::Int128 frames = elapsed > 0 ? elapsed * speed() / kScale : 0;
    return wrapping_add(base, static_cast<std::int64_t>(frames));
  }

  // The first nanosecond at which `frame` frames are due.
  std::int64_t time_of(std::int64_t frame) const {
    constexpr std::int64_t kFar = std::int64_t{1} << 60;
    const ossloop::base::Int128 ahead = static_cast<ossloop::base::Int128>(frame) - base;
    if (ahead <= 0) return anchor_ns;
    const ossloop::base::Int128 wait = (ahead * kScale + speed() - 1) / speed();
    return wrapping_add(anchor_ns, wait > kFar ? kFar : static_cast<std::int64_t>(wait));
  }

  // The same clock with another speed from `now_ns` on. No frame is lost or made
  // by the change, and no part of one: the anchor goes back to where the frame
  // under way would have begun at the new speed, to the nanosecond.
  Clock with_speed(std::int64_t now_ns, std::uint32_t factor, std::int32_t parts) const {
    Clock next{now_ns, frames_at(now_ns), rate_hz, factor, parts};
    const ossloop::base::Int128 elapsed = static_cast<ossloop::base::Int128>(now_ns) - anchor_ns;
    if (elapsed > 0) {
      const ossloop::base::Int128 begun = elapsed * speed() % kScale / next.speed();
      next.anchor_ns = wrapping_add(now_ns, -static_cast<std::int64_t>(begun));
    }
    return next;
  }

 private:
  static std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
  static constexpr ossloop::base::Int128 kScale =
      static_cast<ossloop::base::Int128>(1'000'000'000) * 1000 * 1'000'000;
  ossloop::base::Int128 speed() const {
    return static_cast<ossloop::base::Int128>(rate_hz) * factor_milli * (1'000'000 + ppm);
  }
};

}  // namespace ossloop::audio
