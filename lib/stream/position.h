// Positions in a stream, as both halves of a flow calculate with them: frames since
// the segment was made, which wrap.
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/policy.h"

namespace ossloop::device {

// A sleep without a time of its own ends by a post; this is for lost ones. Not
// shorter: a signal that comes while a call looks around interrupts nothing.
inline constexpr std::int64_t kLookAgainNs = 1'000'000'000;
inline constexpr std::uint64_t kNobody = ~std::uint64_t{0};  // no position is worth a wake

inline std::int64_t as_signed(std::uint64_t position) {
  return static_cast<std::int64_t>(position);
}
inline std::uint64_t as_position(std::int64_t frame) { return static_cast<std::uint64_t>(frame); }

// How far `position` lies ahead of `from`. What is behind, or nonsense, is no distance.
inline std::uint64_t distance(std::uint64_t position, std::uint64_t from) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  const std::uint64_t ahead = position - from;
  return ahead >> 63 != 0 ? 0 : std::min(ahead, kFar);
}

// The nearest value that the policy `Name` may have.
template <config::KeyName Name, typename Number>
constexpr Number sane(Number number) {
  const config::Key& row = config::kRow<Name>;
  return static_cast<Number>(std::clamp<std::int64_t>(number, row.minimum, row.maximum));
}

}  // namespace ossloop::device
