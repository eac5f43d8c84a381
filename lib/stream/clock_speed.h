// How fast the clock of a direction runs.
#pragma once

#include <algorithm>

#include "abi/layout.h"
#include "config/policy.h"

namespace ossloop::device {

// What a server may add to the policy `ppm` for its direction.
inline constexpr std::int32_t kMostTrimPpm = 1000;

// The policy, and what the server has added to keep step with a card (Half::trim_ppm).
inline std::int32_t clock_ppm(const abi::Segment& segment, abi::DirectionIndex direction) {
  const auto& key = config::kRow<"ppm">;
  const std::int32_t trim =
      segment.direction[direction].server.trim_ppm.load(std::memory_order_relaxed);
  const std::int64_t ppm =
      config::checked(key, segment.policy) + std::clamp(trim, -kMostTrimPpm, kMostTrimPpm);
  return static_cast<std::int32_t>(std::clamp(ppm, key.minimum, key.maximum));
}

}  // namespace ossloop::device
