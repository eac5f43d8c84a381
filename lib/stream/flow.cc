#include "stream/flow.h"

#include <algorithm>

#include "config/policy.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;

template <config::KeyName Name>
constexpr bool ends_with(auto last) {
  return config::kRow<Name>.maximum == static_cast<std::int64_t>(last);
}
static_assert(ends_with<"eof">(abi::Eof::kWait) && ends_with<"overrun">(abi::Overrun::kDrop));
static_assert(ends_with<"underrun">(abi::Underrun::kStall));

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
  return config::get<"clock">(segment_.policy) == config::kFreeClock;
}
abi::Eof Flow::eof() const { return config::get<"eof", abi::Eof>(segment_.policy); }
abi::Underrun Flow::underrun() const {
  return config::get<"underrun", abi::Underrun>(segment_.policy);
}
abi::Overrun Flow::overrun() const { return config::get<"overrun", abi::Overrun>(segment_.policy); }

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
  clock.factor_milli = sane<"clock">(clock.factor_milli);
  clock.ppm = sane<"ppm">(clock.ppm);
  return clock;
}

}  // namespace ossloop::device
