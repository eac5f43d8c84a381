// The half of a flow that writes.
#include <algorithm>

#include "config/policy.h"
#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
// The reader that nobody hears looks when its writer does.
constexpr std::int64_t kSoonUnheardNs = 5'000'000;

}  // namespace

std::uint64_t ProducerFlow::last_ended() const {
  const std::uint64_t ends = producer_.ends.load(kRelaxed);
  return ends == 0 ? 0 : producer_.end[(ends - 1) % abi::kEnds].stream.load(kRelaxed);
}

bool ProducerFlow::streaming() const { return stream() > last_ended(); }

bool ProducerFlow::consumer_open() const { return is_open(consumer_half().open.load(kAcquire)); }

bool ProducerFlow::consumer_kept() const {
  const std::uint64_t open = consumer_half().open.load(kAcquire);
  const std::uint64_t serial = serial_of(open);
  if (is_open(open) && serial == producer_.consumer_serial.load(kRelaxed)) return true;
  if (!plays_unheard()) return false;
  const LaneReader reader = lane_reader();
  if (reader.is_null() || reader.is_ahead_of(consumer_half())) return true;
  const bool took_over =
      reader.is(LaneReader::kOpened, serial) || reader.is(LaneReader::kBegun, serial);
  return is_open(open) && took_over && stream() > consumer().acknowledged_stream.load(kAcquire);
}

// The one that came first of those that hear. One that was told of the end of an earlier stream,
// and is about to record again, is waited for where nobody does, as one is that is alone.
std::uint32_t ProducerFlow::best_reader(std::uint32_t otherwise) const {
  std::uint32_t best = otherwise;
  bool best_hears = false;
  std::int64_t since_ns = INT64_MAX;
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) {
    const abi::Half& half = segment_.direction[direction_].client[slot];
    const std::int64_t opened_ns = half.opened_ns.load(kRelaxed);
    const bool hears = this->hears(slot);
    if (!hears && (best_hears || !has_heard(slot))) continue;
    if (hears == best_hears && opened_ns >= since_ns) continue;
    best_hears = hears;
    since_ns = opened_ns;
    best = slot;
  }
  return best;
}

bool ProducerFlow::follow_reader() {
  if (direction_ == abi::kClientToServer || !(of_several() || slot() != waited_slot()))
    return false;
  std::uint32_t slot = waited_slot();  // another process of the open may have chosen it
  const std::uint64_t open = segment_.direction[direction_].client[slot].open.load(kAcquire);
  // Who has taken the place of the one that was waited for comes after those who heard it.
  const bool is_another =
      streaming() && serial_of(open) != producer_.consumer_serial.load(kRelaxed);
  // Between two streams, once all is heard, one that came earlier may record again.
  const bool has_all = !streaming() && waited_for().read.load(kAcquire) == written();
  if (!hears(slot) || is_another || has_all) slot = best_reader(slot);
  // A new server's own begins as 0, whatever the one before has left there.
  const bool is_same = slot == this->slot() && slot == waited_slot();
  if (is_same && !(is_another && of_several() && (hears(slot) || has_heard(slot)))) return false;
  // Another number, also for one that was waited for before: it may have slept meanwhile, and
  // been overtaken.
  const std::uint32_t next = choice() / abi::kClients + 1;
  producer_half_.waits_for.store(next * abi::kClients + slot, kRelease);
  look_at(slot);
  producer_.consumer_serial.store(serial_of(consumer_half().open.load(kAcquire)), kRelaxed);
  return true;
}

bool ProducerFlow::consumer_running() const {
  return consumer_open() && consumer().running.load(kAcquire) != 0;
}

bool ProducerFlow::may_begin() const {
  return producer_.ends.load(kRelaxed) - consumer().ends_taken.load(kAcquire) < abi::kEnds;
}

bool ProducerFlow::may_mark() const { return sections() - section_read() < abi::kMarks - 1; }

void ProducerFlow::mark(Section& next) {
  next.frame = written();
  next.number = sections() + 1;
  abi::Mark& mark = producer_.mark[(next.number - 1) % abi::kMarks];
  mark.frame.store(next.frame, kRelaxed);
  mark.format.store(pack(next.format), kRelaxed);
  mark.ring_offset.store(next.ring_offset, kRelaxed);
  mark.ring_bytes.store(next.ring_bytes, kRelaxed);
  mark.byte.store(next.byte, kRelaxed);
  producer_.marks.store(next.number, kRelease);
}

void ProducerFlow::begin(std::int64_t now_ns) {
  producer_.begun_ns.store(now_ns, kRelaxed);
  producer_.base.store(written(), kRelaxed);
  producer_.consumer_serial.store(serial_of(consumer_half().open.load(kAcquire)), kRelaxed);
  const std::uint64_t next = stream() + 1;
  const bool goes_on = producer_.lingers.load(kRelaxed) == stream() && stream() != 0;
  if (goes_on && producer_.continued_to.load(kRelaxed) != stream())
    producer_.continued_from.store(stream(), kRelease);
  if (goes_on) producer_.continued_to.store(next, kRelease);
  producer_.stream.store(next, kRelease);
  if (goes_on) producer_.lingers.store(0, kRelease);
}

bool ProducerFlow::lingers(std::uint64_t lingerer) const {
  return stream() != 0 && producer_.lingers.load(kAcquire) == stream() &&
         producer_.lingerer.load(kRelaxed) == lingerer;
}

bool ProducerFlow::end_lingering() {
  return producer_.lingers.load(kRelaxed) != 0 && producer_.lingers.exchange(0) != 0;
}

void ProducerFlow::end(std::uint64_t lingerer) {
  const std::uint64_t ends = producer_.ends.load(kRelaxed);
  // Counters about to wrap, and ends of streams that never were, are somebody's
  // garbage; between streams they can be put right.
  constexpr std::uint64_t kAboutToWrap = ~std::uint64_t{0} << 40;
  if (stream() >= kAboutToWrap) producer_.stream.store(0, kRelaxed);
  if (!streaming()) {
    if (written() >= kAboutToWrap) producer_.written.store(0, kRelease);
    if (last_ended() > stream()) {
      producer_.end[(ends - 1) % abi::kEnds].stream.store(stream(), kRelaxed);
    }
    return;
  }
  producer_.lingerer.store(lingerer, kRelaxed);
  producer_.lingers.store(lingerer != 0 ? stream() : 0, kRelease);
  auto& end = producer_.end[ends % abi::kEnds];
  end.stream.store(stream(), kRelaxed);
  end.frame.store(written(), kRelaxed);
  end.volume.store(producer_half_.volume.load(kRelaxed), kRelaxed);
  producer_.ends.store(ends + 1, kRelease);
}

void ProducerFlow::publish(std::uint64_t frames) {
  producer_.written.store(written() + frames, kRelease);
}

void ProducerFlow::arm(bool armed, std::int64_t now_ns) {
  const bool held = producer_.hold_from.load(kRelaxed) != abi::kArmed;
  if (armed && held) producer_.released_ns.store(now_ns, kRelaxed);
  producer_.hold_from.store(armed ? abi::kArmed : written(), kRelease);
}

void ProducerFlow::hold(const RingLimits& ring, std::int64_t now_ns) {
  producer_.hold_from.store(played(ring, now_ns), kRelease);
}

void ProducerFlow::drop(const RingLimits& ring, std::int64_t now_ns) {
  const std::uint64_t to = written();
  std::uint64_t from = played(ring, now_ns);
  if (from >= to) return;
  // A request that the consumer has not yet seen goes on with this one.
  if (producer_.skips.load(kRelaxed) != consumer().skips_done.load(kAcquire)) {
    from = std::min(from, producer_.skip_from.load(kRelaxed));
  }
  // What an earlier stream left is not ours to drop.
  if (streaming()) from = std::max(from, std::min(producer_.base.load(kRelaxed), to));
  if (from >= to) return;
  producer_.skip_from.store(from, kRelaxed);
  producer_.skip_to.store(to, kRelaxed);
  producer_.skips.store(producer_.skips.load(kRelaxed) + 1, kRelease);
}

std::uint64_t ProducerFlow::read(const RingLimits& ring) const {
  const std::uint64_t position = consumer().read.load(kAcquire);
  const std::uint64_t end = written();
  if (position > end) return end;
  // The smallest frame is a byte.
  const std::uint64_t most = ring.capacity_frames * ring.frame_bytes;
  return end - position > most ? end - most : position;
}

std::uint64_t ProducerFlow::filter_frames() const {
  constexpr std::uint64_t kLongestFilter = std::uint64_t{1} << 20;
  return std::min(consumer().filter_frames.load(kRelaxed), kLongestFilter);
}

std::uint64_t ProducerFlow::played(const RingLimits& ring, std::int64_t now_ns) const {
  // All counted from the consumer's first frame.
  const std::uint64_t first = read(ring);
  const std::uint64_t end = written() - first;
  const SectionClock time = section_clock();
  std::uint64_t high = end;
  // While an earlier stream's tail is being played, ours is not.
  if (!free_clock() && time.stream < stream() && !end_policy().silence) {
    high = std::min(distance(producer_.base.load(kRelaxed), first), end);
  }
  const bool bounded = free_clock() || overrun() == abi::Overrun::kWait;
  if (bounded) high = std::min(high, buffered_until(first, ring) - first);
  if (const std::uint64_t held_from = producer_.hold_from.load(kRelaxed); held_from != abi::kArmed)
    high = std::min(high, distance(held_from, first));
  std::uint64_t position = 0;
  if (free_clock()) {
    if (consumer().running.load(kRelaxed) != 0) position = high;
  } else if (time.stream != 0) {
    position = std::min(distance(due(time, now_ns), first), high);
  }
  if (producer_.skips.load(kRelaxed) != consumer().skips_done.load(kAcquire)) {
    position = std::max(position, std::min(distance(producer_.skip_to.load(kRelaxed), first), end));
  }
  return first + position;
}

std::uint64_t ProducerFlow::room(const RingLimits& ring, std::int64_t now_ns) const {
  const bool may_lap = !free_clock() && overrun() == abi::Overrun::kDrop;
  const std::uint64_t kept = may_lap ? played(ring, now_ns) : read(ring);
  const std::uint64_t used = held_frames(ring, kept, written()) + ring.history_frames;
  return used < ring.capacity_frames ? ring.capacity_frames - used : 0;
}

ProducerFlow::Wait ProducerFlow::wait_for(std::uint64_t frame, const RingLimits& ring,
                                          std::int64_t now_ns, std::uint64_t batch,
                                          std::uint64_t late) const {
  const SectionClock time = section_clock();
  const std::uint64_t reach = buffered_until(read(ring), ring);
  const bool held = free_clock() || (overrun() == abi::Overrun::kWait && frame > reach);
  if (time.stream != 0 && !held) {
    const std::int64_t reached_ns = due_ns(time, frame + late);
    // A clock that says "now" and did not let us pass is about to be moved.
    const std::int64_t soon = now_ns + 1'000'000;
    const std::uint64_t wake = late > 0 ? frame : kNobody;
    return {std::clamp(reached_ns, soon, now_ns + kLookAgainNs), wake, wake};
  }
  // A consumer that starts wakes everybody.
  if (consumer().running.load(kRelaxed) == 0) {
    const bool unheard = lane_reader().is_null();
    return {now_ns + (unheard ? kSoonUnheardNs : kLookAgainNs), kNobody, kNobody};
  }
  const std::uint64_t buffer = consumer_buffer(ring);
  const std::uint64_t wake = frame > buffer ? frame - buffer : read(ring) + 1;
  // Without a clock half of what the consumer has may go first: each pause costs both sides.
  const bool for_batch = free_clock() && batch != 0;
  return {now_ns + kLookAgainNs, wake, for_batch ? wake + batch + buffer / 2 : wake};
}

}  // namespace ossloop::device
