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
  // the clock has run. Time before the anchor counts as the anchor.
  std::int64_t frames_at(std::int64_t now_ns) const {
    const base::Wide elapsed = std::max<std::int64_t>(now_ns - anchor_ns, 0);
    return base + static_cast<std::int64_t>(elapsed * speed() / kScale);
  }

  // The first nanosecond at which `frame` frames are due.
  std::int64_t time_of(std::int64_t frame) const {
    const base::Wide ahead = std::max<std::int64_t>(frame - base, 0);
    const base::Wide wait = (ahead * kScale + speed() - 1) / speed();
    constexpr std::int64_t kFar = std::int64_t{1} << 60;
    return wait > kFar ? anchor_ns + kFar : anchor_ns + static_cast<std::int64_t>(wait);
  }

  // The same clock with another speed from `now_ns` on; no frame is lost or
  // made by the change.
  Clock with_speed(std::int64_t now_ns, std::uint32_t factor, std::int32_t parts) const {
    return Clock{now_ns, frames_at(now_ns), rate_hz, factor, parts};
  }

 private:
  static constexpr base::Wide kScale = static_cast<base::Wide>(1'000'000'000) * 1000 * 1'000'000;
  base::Wide speed() const {
    return static_cast<base::Wide>(rate_hz) * factor_milli * (1'000'000 + ppm);
  }
};

}  // namespace ossloop::audio
