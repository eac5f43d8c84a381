#include "stream/flow.h"

#include <algorithm>

#include "config/policy.h"
#include "stream/format_word.h"
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

// A server plays to all its clients from one ring.
Flow::Flow(abi::Segment& segment, abi::DirectionIndex direction, std::uint32_t slot,
           Listener* listener)
    : segment_(segment),
      direction_(direction),
      slot_(slot),
      listener_(listener),
      producer_half_(half_of(segment.direction[direction],
                             direction == abi::kClientToServer ? abi::kClient : abi::kServer,
                             slot)),
      producer_(segment.direction[direction]
                    .lane[direction == abi::kClientToServer ? slot : 0]
                    .producer) {
  look_at(slot);
}

void Flow::look_at(std::uint32_t slot) {
  slot_ = slot;
  abi::Direction& joined = segment_.direction[direction_];
  const auto side = direction_ == abi::kClientToServer ? abi::kServer : abi::kClient;
  abi::Half& half = listener_ != nullptr ? listener_->half : half_of(joined, side, slot);
  abi::Lane& lane = joined.lane[slot];
  consumer_half_.store(&half, kRelaxed);
  consumer_.store(listener_ != nullptr ? &listener_->lane[slot] : &lane.consumer, kRelaxed);
}

std::uint32_t Flow::waited_slot() const {
  return direction_ == abi::kClientToServer ? slot_ : choice() % abi::kClients;
}

bool Flow::free_clock() const {
  return config::get<"clock">(segment_.policy) == config::kFreeClock;
}
bool Flow::hears(std::uint32_t slot) const {
  const abi::Direction& joined = segment_.direction[direction_];
  return is_open(joined.client[slot].open.load(kAcquire)) &&
         joined.lane[slot].consumer.running.load(kAcquire) != 0;
}

bool Flow::has_heard(std::uint32_t slot) const {
  abi::Direction& joined = segment_.direction[direction_];
  const std::uint64_t open = joined.client[slot].open.load(kAcquire);
  return is_open(open) &&
         LaneReader(joined.lane[slot].consumer).is(LaneReader::kBegun, serial_of(open));
}

bool Flow::of_several() const {
  return (producer_half_.place.load(kRelaxed) & abi::kForSeveral) != 0 ||
         config::get<"clients", std::uint32_t>(segment_.policy) > 1;
}

bool Flow::plays_unheard() const {
  if ((producer_half_.place.load(kRelaxed) & abi::kBothWays) != 0) return true;
  return direction_ == abi::kClientToServer && client_goes_on(segment_, producer_half_);
}

EndPolicy Flow::end_policy() const {
  const bool left_by_server = direction_ == abi::kServerToClient &&
                              !is_open(producer_half_.open.load(kAcquire)) &&
                              client_goes_on(segment_, consumer_half());
  if (left_by_server) return device::end_policy(abi::Eof::kWait);
  return device::end_policy(config::get<"eof", abi::Eof>(segment_.policy));
}
abi::Underrun Flow::underrun() const {
  return config::get<"underrun", abi::Underrun>(segment_.policy);
}
abi::Overrun Flow::overrun() const {
  return is_tap() ? abi::Overrun::kDrop : config::get<"overrun", abi::Overrun>(segment_.policy);
}

std::uint64_t Flow::buffer_of(const abi::Half& half, const RingLimits& ring) const {
  const std::uint64_t frames = half.buffer_frames.load(kRelaxed);
  const auto from_hz =
      static_cast<std::uint64_t>(unpack_format(half.format.load(kRelaxed)).rate_hz);
  const auto to_hz = static_cast<std::uint64_t>(ring.rate_hz);
  const std::uint64_t scaled = from_hz == to_hz ? frames : (frames * to_hz + from_hz - 1) / from_hz;
  // A ring that is not mapped has no room at all.
  const std::uint64_t longest = std::max<std::uint64_t>(ring.longest_buffer_frames, 1);
  return std::clamp<std::uint64_t>(scaled, 1, longest);
}

std::uint64_t Flow::consumer_buffer(const RingLimits& ring) const {
  const abi::Half& half = buffering_half();
  const bool all = free_clock() && half.fragment_chosen.load(kRelaxed) == 0;
  return all ? 2 * ring.longest_buffer_frames : buffer_of(half, ring);
}

audio::Clock Flow::clock(std::uint64_t& stream) const {
  const SectionClock time = section_clock();
  stream = time.stream;
  return time.clock;
}

Flow::SectionClock Flow::section_clock() const {
  SectionClock result;
  audio::Clock& clock = result.clock;
  // A writer that was killed half-way leaves the sequence odd: then the values
  // are taken as they are; they are checked like any others.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::uint32_t before = consumer().sequence.load(kAcquire);
    result.stream = consumer().clock_stream.load(kRelaxed);
    result.section = consumer().clock_marks.load(kRelaxed);
    clock.anchor_ns = consumer().clock_anchor_ns.load(kRelaxed);
    clock.base = consumer().clock_base.load(kRelaxed);
    clock.rate_hz = consumer().clock_rate_hz.load(kRelaxed);
    clock.factor_milli = consumer().clock_factor_milli.load(kRelaxed);
    clock.ppm = consumer().clock_ppm.load(kRelaxed);
    std::atomic_thread_fence(kAcquire);
    if ((before & 1) == 0 && consumer().sequence.load(kRelaxed) == before) break;
  }
  clock.rate_hz = std::clamp<std::uint32_t>(clock.rate_hz, 1, 10'000'000);
  clock.factor_milli = sane<"clock">(clock.factor_milli);
  clock.ppm = sane<"ppm">(clock.ppm);
  return result;
}

bool Flow::underway() const {
  return consumer().clock_stream.load(kRelaxed) > consumer().acknowledged_stream.load(kRelaxed);
}

Section Flow::section(std::uint64_t number) const {
  if (number == 0) return {};
  const abi::Mark& mark = producer_.mark[(number - 1) % abi::kMarks];
  return {number,
          mark.frame.load(kRelaxed),
          unpack_format(mark.format.load(kRelaxed)),
          mark.ring_offset.load(kRelaxed),
          mark.ring_bytes.load(kRelaxed),
          mark.byte.load(kRelaxed)};
}

// From mark to mark as long as the clock, or what is asked of it, is `past` the frame.
template <typename Past>
audio::Clock Flow::follow_marks(const SectionClock& from, Past past) const {
  audio::Clock time = from.clock;
  const std::uint64_t last = sections();
  if (last - from.section > abi::kMarks) return time;
  for (std::uint64_t number = from.section; number != last; ++number) {
    const abi::Mark& mark = producer_.mark[number % abi::kMarks];
    const std::uint64_t frame = mark.frame.load(kRelaxed);
    if (!past(time, frame)) break;
    time.anchor_ns = time.time_of(as_signed(frame));
    time.base = as_signed(frame);
    time.rate_hz = static_cast<std::uint32_t>(unpack_format(mark.format.load(kRelaxed)).rate_hz);
  }
  return time;
}

std::uint64_t Flow::due(const SectionClock& time, std::int64_t now_ns) const {
  const auto past = [now_ns](const audio::Clock& clock, std::uint64_t frame) {
    return distance(as_position(clock.frames_at(now_ns)), frame) > 0;
  };
  return as_position(follow_marks(time, past).frames_at(now_ns));
}

std::int64_t Flow::due_ns(const SectionClock& time, std::uint64_t frame) const {
  const auto past = [frame](const audio::Clock&, std::uint64_t mark) {
    return distance(frame, mark) > 0;
  };
  return follow_marks(time, past).time_of(as_signed(frame));
}

std::uint64_t Flow::buffered_until(std::uint64_t first, const RingLimits& ring) const {
  std::uint64_t left = consumer_buffer(ring);
  const std::uint64_t last = sections();
  std::uint64_t number = section_read();
  if (number == last || last - number > abi::kMarks) return first + left;
  const auto ring_hz = static_cast<std::uint64_t>(ring.rate_hz);
  auto rate_of = [&](std::uint64_t which) {
    return which == 0 ? ring_hz : static_cast<std::uint64_t>(section(which).format.rate_hz);
  };
  std::uint64_t rate_hz = rate_of(number);
  for (; number != last; ++number) {
    const std::uint64_t here = distance(section(number + 1).frame, first);
    const std::uint64_t fits = left * rate_hz / ring_hz;
    if (fits <= here) return first + fits;
    left -= here * ring_hz / rate_hz;
    first += here;
    rate_hz = rate_of(number + 1);
  }
  return first + left * rate_hz / ring_hz;
}

std::uint64_t Flow::held_frames(const RingLimits& ring, std::uint64_t from,
                                std::uint64_t to) const {
  const std::uint64_t last = sections();
  if (last == 0) return to - from;
  std::uint64_t bytes = 0;
  std::uint64_t end = to;
  for (std::uint64_t number = last; number != 0 && last - number < abi::kMarks; --number) {
    const Section piece = section(number);
    const std::uint64_t begin = from + distance(piece.frame, from);
    if (piece.ring_offset == ring.ring_offset) {
      bytes += distance(end, begin) * static_cast<std::uint64_t>(piece.format.frame_bytes());
    }
    end = std::min(end, begin);
    if (begin == from) break;
  }
  return (bytes + ring.frame_bytes - 1) / ring.frame_bytes;
}

}  // namespace ossloop::device
