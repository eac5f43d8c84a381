// Policies in shared memory.
#include <algorithm>

#include "config/config.h"

namespace ossloop::config {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

template <typename Enum>
Enum enumerator(const abi::Atomic<std::uint32_t>& field, Enum last, Enum fallback) {
  const std::uint32_t value = field.load(kRelaxed);
  return value <= static_cast<std::uint32_t>(last) ? static_cast<Enum>(value) : fallback;
}

template <typename Number>
Number number(const abi::Atomic<Number>& field, Number low, Number high, Number fallback) {
  const Number value = field.load(kRelaxed);
  return value >= low && value <= high ? value : fallback;
}

}  // namespace

void store_policy(const InstancePolicy& policy, abi::Policy& segment) {
  segment.eof.store(static_cast<std::uint32_t>(policy.eof), kRelaxed);
  segment.underrun.store(static_cast<std::uint32_t>(policy.underrun), kRelaxed);
  segment.overrun.store(static_cast<std::uint32_t>(policy.overrun), kRelaxed);
  segment.clock_mode.store(static_cast<std::uint32_t>(policy.clock_mode), kRelaxed);
  segment.clock_factor_milli.store(policy.clock_factor_milli, kRelaxed);
  segment.ppm.store(policy.ppm, kRelaxed);
  segment.quality.store(policy.quality, kRelaxed);
  segment.dither.store(policy.dither ? 1 : 0, kRelaxed);
  segment.tick_ms.store(policy.tick_ms, kRelaxed);
  segment.buffer_ms.store(policy.buffer_ms, kRelaxed);
  segment.volume.store(static_cast<std::uint32_t>(policy.volume), kRelaxed);
}

InstancePolicy load_policy(const abi::Policy& segment) {
  const InstancePolicy defaults;
  InstancePolicy policy;
  policy.eof = enumerator(segment.eof, Eof::kWait, defaults.eof);
  policy.underrun = enumerator(segment.underrun, Underrun::kStall, defaults.underrun);
  policy.overrun = enumerator(segment.overrun, Overrun::kDrop, defaults.overrun);
  policy.clock_mode = enumerator(segment.clock_mode, ClockMode::kFree, defaults.clock_mode);
  policy.clock_factor_milli = number(segment.clock_factor_milli, 1U, 1000000U, 1000U);
  policy.ppm = number(segment.ppm, -200000, 200000, 0);
  policy.quality = number(segment.quality, 0U, 4U, defaults.quality);
  policy.dither = segment.dither.load(kRelaxed) == 1;
  policy.tick_ms = number(segment.tick_ms, 1U, 100U, defaults.tick_ms);
  policy.volume = enumerator(segment.volume, Volume::kLock, defaults.volume);
  policy.buffer_ms = number(segment.buffer_ms, 20U, 5000U, defaults.buffer_ms);
  return policy;
}

}  // namespace ossloop::config
