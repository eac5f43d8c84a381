// How fast the clock of a direction runs.
#pragma once

#include <algorithm>

#include "abi/layout.h"
#include "config/policy.h"

namespace ossloop::device {

// What a server may add to the policy `ppm` for its direction.
inline constexpr std::int32_t kMostTrimPpm = 1000;

// What the server has added, to keep step with a card (Half::trim_ppm).
inline std::int32_t trim_ppm(const abi::Segment& segment, abi::DirectionIndex direction) {
  return std::clamp(segment.direction[direction].server.trim_ppm.load(std::memory_order_relaxed),
                    -kMostTrimPpm, kMostTrimPpm);
}

// The policy and the trim.
inline std::int32_t clock_ppm(const abi::Segment& segment, abi::DirectionIndex direction) {
  const auto& key = config::kRow<"ppm">;
  const std::int64_t ppm = config::checked(key, segment.policy) + trim_ppm(segment, direction);
  return static_cast<std::int32_t>(std::clamp(ppm, key.minimum, key.maximum));
}

}  // namespace ossloop::device
