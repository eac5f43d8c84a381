#include "stream/flow.h"

#include <algorithm>

#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;

template <typename Enum>
Enum sane_enum(std::uint32_t value, Enum last) {
  return value <= static_cast<std::uint32_t>(last) ? static_cast<Enum>(value) : Enum{};
}

}  // namespace

Flow::Flow(abi::Segment& segment, abi::DirectionIndex direction)
    : segment_(segment),
      direction_(direction),
      producer_(segment.direction[direction].producer),
      consumer_(segment.direction[direction].consumer),
      meter_(segment.clock_stats[direction]),
      clipped_(segment.clips.samples[direction]),
      producer_side_(segment.side[direction == abi::kClientToServer ? abi::kClient : abi::kServer]),
      consumer_side_(
          segment.side[direction == abi::kClientToServer ? abi::kServer : abi::kClient]) {}

bool Flow::free_clock() const {
  return sane_enum(segment_.policy.clock_mode.load(kRelaxed), abi::ClockMode::kFree) ==
         abi::ClockMode::kFree;
}
abi::Eof Flow::eof() const {
  return sane_enum(segment_.policy.eof.load(kRelaxed), abi::Eof::kWait);
}
abi::Underrun Flow::underrun() const {
  return sane_enum(segment_.policy.underrun.load(kRelaxed), abi::Underrun::kStall);
}
abi::Overrun Flow::overrun() const {
  return sane_enum(segment_.policy.overrun.load(kRelaxed), abi::Overrun::kDrop);
}

std::uint64_t Flow::buffer_of(const abi::Side& side, const RingLimits& ring) const {
  // A ring that is not mapped has no room at all.
  return std::clamp<std::uint64_t>(side.buffer_frames.load(kRelaxed), 1,
                                   std::max<std::uint64_t>(ring.longest_buffer_frames, 1));
}

std::uint64_t Flow::consumer_buffer(const RingLimits& ring) const {
  const bool all = free_clock() && consumer_side_.fragment_chosen.load(kRelaxed) == 0;
  return all ? 2 * ring.longest_buffer_frames : buffer_of(consumer_side_, ring);
}

audio::Clock Flow::clock(std::uint64_t& stream) const {
  audio::Clock clock;
  // A writer that was killed half-way leaves the sequence odd: then the values
  // are taken as they are; they are checked like any others.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint32_t before = consumer_.sequence.load(kAcquire);
    stream = consumer_.clock_stream.load(kRelaxed);
    clock.anchor_ns = consumer_.clock_anchor_ns.load(kRelaxed);
    clock.base = consumer_.clock_base.load(kRelaxed);
    clock.rate_hz = consumer_.clock_rate_hz.load(kRelaxed);
    clock.factor_milli = consumer_.clock_factor_milli.load(kRelaxed);
    clock.ppm = consumer_.clock_ppm.load(kRelaxed);
    std::atomic_thread_fence(kAcquire);
    if ((before & 1) == 0 && consumer_.sequence.load(kRelaxed) == before) break;
  }
  clock.rate_hz = std::clamp<std::uint32_t>(clock.rate_hz, 1, 10'000'000);
  clock.factor_milli = sane_factor(clock.factor_milli);
  clock.ppm = sane_ppm(clock.ppm);
  return clock;
}

}  // namespace ossloop::device
