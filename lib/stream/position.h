// Positions in a stream, as both halves of a flow calculate with them: frames since
// the segment was made, which wrap.
#pragma once

#include <algorithm>
#include <cstdint>

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

// How often a factor of the policy may be asked for, as config accepts it.
inline std::uint32_t sane_factor(std::uint32_t milli) {
  return std::clamp<std::uint32_t>(milli, 1, 1000000);
}
inline std::int32_t sane_ppm(std::int32_t ppm) {
  return std::clamp<std::int32_t>(ppm, -200000, 200000);
}

}  // namespace ossloop::device
