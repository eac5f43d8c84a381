#include "device/flow.h"

#include <algorithm>
#include <utility>

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

// How often a factor of the policy may be asked for, as config accepts it.
std::uint32_t sane_factor(std::uint32_t milli) {
  return std::clamp<std::uint32_t>(milli, 1, 1000000);
}
std::int32_t sane_ppm(std::int32_t ppm) { return std::clamp<std::int32_t>(ppm, -200000, 200000); }

template <typename Enum>
Enum sane_enum(std::uint32_t value, Enum last) {
  return value <= static_cast<std::uint32_t>(last) ? static_cast<Enum>(value) : Enum{};
}

// A sleep without a time of its own ends by a post; this is for lost ones. Not
// shorter: a signal that comes while a call looks around interrupts nothing.
constexpr std::int64_t kLookAgainNs = 1'000'000'000;
constexpr std::uint64_t kNobody = ~std::uint64_t{0};  // no position is worth a wake

std::int64_t as_signed(std::uint64_t position) { return static_cast<std::int64_t>(position); }
std::uint64_t as_position(std::int64_t frame) { return static_cast<std::uint64_t>(frame); }

// How far `position` lies ahead of `from`; positions wrap. What is behind, or
// nonsense, is no distance.
std::uint64_t distance(std::uint64_t position, std::uint64_t from) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 40;
  const std::uint64_t ahead = position - from;
  return ahead >> 63 != 0 ? 0 : std::min(ahead, kFar);
}

}  // namespace

Flow::Flow(abi::Segment& segment, abi::DirectionIndex direction)
    : segment_(segment),
      direction_(direction),
      producer_(segment.direction[direction].producer),
      consumer_(segment.direction[direction].consumer),
      meter_(segment.meter[direction]),
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
  return std::clamp<std::uint64_t>(side.buffer_frames.load(kRelaxed), 1,
                                   ring.longest_buffer_frames);
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

// --- producer ---------------------------------------------------------------

std::uint64_t ProducerFlow::last_ended() const {
  const std::uint64_t ends = producer_.ends.load(kRelaxed);
  return ends == 0 ? 0 : producer_.end[(ends - 1) % abi::kEnds].stream.load(kRelaxed);
}

bool ProducerFlow::streaming() const { return stream() > last_ended(); }

bool ProducerFlow::consumer_open() const { return is_open(consumer_side_.open.load(kAcquire)); }

bool ProducerFlow::consumer_kept() const {
  const std::uint64_t open = consumer_side_.open.load(kAcquire);
  return is_open(open) && serial_of(open) == producer_.consumer_serial.load(kRelaxed);
}

bool ProducerFlow::consumer_running() const {
  return consumer_open() && consumer_.running.load(kAcquire) != 0;
}

bool ProducerFlow::may_begin() const {
  return producer_.ends.load(kRelaxed) - consumer_.ends_taken.load(kAcquire) < abi::kEnds;
}

void ProducerFlow::begin(std::int64_t now_ns) {
  segment_.start.begun_ns[direction_].store(now_ns, kRelaxed);
  producer_.base.store(written(), kRelaxed);
  producer_.consumer_serial.store(serial_of(consumer_side_.open.load(kAcquire)), kRelaxed);
  producer_.stream.store(stream() + 1, kRelease);
}

void ProducerFlow::end() {
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
  auto& end = producer_.end[ends % abi::kEnds];
  end.stream.store(stream(), kRelaxed);
  end.frame.store(written(), kRelaxed);
  producer_.ends.store(ends + 1, kRelease);
}

void ProducerFlow::publish(std::uint64_t frames) {
  producer_.written.store(written() + frames, kRelease);
}

void ProducerFlow::arm(bool armed, std::int64_t now_ns) {
  const bool held = producer_.hold_from.load(kRelaxed) != abi::kArmed;
  if (armed && held) segment_.start.released_ns[direction_].store(now_ns, kRelaxed);
  producer_.hold_from.store(armed ? abi::kArmed : written(), kRelease);
}

void ProducerFlow::drop(const RingLimits& ring, std::int64_t now_ns) {
  const std::uint64_t to = written();
  std::uint64_t from = played(ring, now_ns);
  if (from >= to) return;
  // A request that the consumer has not yet seen goes on with this one.
  if (producer_.skips.load(kRelaxed) != consumer_.skips_done.load(kAcquire)) {
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
  const std::uint64_t position = consumer_.read.load(kAcquire);
  const std::uint64_t end = written();
  if (position > end) return end;
  return end - position > ring.capacity_frames ? end - ring.capacity_frames : position;
}

std::uint64_t ProducerFlow::played(const RingLimits& ring, std::int64_t now_ns) const {
  // All counted from the consumer's first frame.
  const std::uint64_t first = read(ring);
  const std::uint64_t end = written() - first;
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  std::uint64_t high = end;
  // While an earlier stream's tail is being played, ours is not.
  if (!free_clock() && clock_stream < stream() && eof() != abi::Eof::kSilence) {
    high = std::min(distance(producer_.base.load(kRelaxed), first), end);
  }
  const bool bounded = free_clock() || overrun() == abi::Overrun::kWait;
  if (bounded) high = std::min(high, consumer_buffer(ring));
  std::uint64_t position = 0;
  if (free_clock()) {
    if (consumer_.running.load(kRelaxed) != 0) position = high;
  } else if (clock_stream != 0) {
    position = std::min(distance(as_position(time.frames_at(now_ns)), first), high);
  }
  if (producer_.skips.load(kRelaxed) != consumer_.skips_done.load(kAcquire)) {
    position = std::max(position, std::min(distance(producer_.skip_to.load(kRelaxed), first), end));
  }
  return first + position;
}

std::uint64_t ProducerFlow::room(const RingLimits& ring, std::int64_t now_ns) const {
  const bool may_lap = !free_clock() && overrun() == abi::Overrun::kDrop;
  const std::uint64_t kept = may_lap ? played(ring, now_ns) : read(ring);
  const std::uint64_t used = written() - kept;
  return used < ring.capacity_frames ? ring.capacity_frames - used : 0;
}

ProducerFlow::Wait ProducerFlow::wait_for(std::uint64_t frame, const RingLimits& ring,
                                          std::int64_t now_ns, std::uint64_t plenty,
                                          std::uint64_t late) const {
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  const std::uint64_t reach = read(ring) + consumer_buffer(ring);
  const bool held = free_clock() || (overrun() == abi::Overrun::kWait && frame > reach);
  if (clock_stream != 0 && !held) {
    const std::int64_t due = time.time_of(as_signed(frame + late));
    // A clock that says "now" and did not let us pass is about to be moved.
    const std::int64_t soon = now_ns + 1'000'000;
    const std::uint64_t wake = late > 0 ? frame : kNobody;
    return {std::clamp(due, soon, now_ns + kLookAgainNs), wake, wake};
  }
  // A consumer that starts wakes everybody.
  if (consumer_.running.load(kRelaxed) == 0) return {now_ns + kLookAgainNs, kNobody, kNobody};
  const std::uint64_t buffer = consumer_buffer(ring);
  const std::uint64_t wake = frame > buffer ? frame - buffer : read(ring) + 1;
  return {now_ns + kLookAgainNs, wake, free_clock() ? wake + plenty : wake};
}

// --- consumer ---------------------------------------------------------------

void ConsumerFlow::set_read(std::uint64_t position) { consumer_.read.store(position, kRelease); }

void ConsumerFlow::set_clock(const audio::Clock& clock, std::uint64_t stream) {
  const std::uint32_t sequence = consumer_.sequence.load(kRelaxed) | 1;
  consumer_.sequence.store(sequence, kRelaxed);
  std::atomic_thread_fence(kRelease);
  consumer_.clock_anchor_ns.store(clock.anchor_ns, kRelaxed);
  consumer_.clock_base.store(clock.base, kRelaxed);
  consumer_.clock_rate_hz.store(clock.rate_hz, kRelaxed);
  consumer_.clock_factor_milli.store(clock.factor_milli, kRelaxed);
  consumer_.clock_ppm.store(clock.ppm, kRelaxed);
  consumer_.clock_stream.store(stream, kRelaxed);
  consumer_.sequence.store(sequence + 1, kRelease);
}

void ConsumerFlow::start_clock(const audio::Clock& clock, std::uint64_t stream) {
  set_clock(clock, stream);
  meter_.start_ns.store(clock.anchor_ns, kRelaxed);
  meter_.start_frame.store(clock.base, kRelaxed);
  meter_.moved_frames.store(0, kRelaxed);
}

void ConsumerFlow::move_clock(std::int64_t frames) {
  meter_.moved_frames.fetch_add(frames, kRelaxed);
  consumer_.clock_base.store(
      as_signed(as_position(consumer_.clock_base.load(kRelaxed)) + as_position(frames)), kRelaxed);
}

void ConsumerFlow::attach() {
  consumer_.running.store(0, kRelaxed);
  consumer_.at_end.store(0, kRelaxed);
  set_clock({}, 0);
  for (auto* counter :
       {&consumer_.silence_frames, &consumer_.underruns, &consumer_.overruns,
        &consumer_.dropped_frames, &meter_.held_frames, &meter_.stalled_frames, &clipped_}) {
    counter->store(0, kRelaxed);
  }
  consumer_.skips_done.store(producer_.skips.load(kAcquire), kRelaxed);
  consumer_.told_stream.store(producer_.stream.load(kAcquire), kRelaxed);
  consumer_.ends_taken.store(producer_.ends.load(kAcquire), kRelaxed);
  set_read(producer_.written.load(kAcquire));
}

void ConsumerFlow::start_together(std::int64_t now_ns) {
  start();
  together_ns_ = now_ns;
}

void ConsumerFlow::start() {
  waited_ns_ = together_ns_ = 0;
  consumer_.running.store(1, std::memory_order_seq_cst);
}

void ConsumerFlow::stop(const RingLimits& ring, std::int64_t now_ns) {
  consumer_.at_end.store(0, kRelaxed);
  if (!running()) return;
  const View view = look(ring, now_ns);
  set_read(view.read + view.frames);
  consumer_.running.store(0, kRelease);
  std::uint64_t stream = 0;
  const audio::Clock stopped = clock(stream);
  set_clock(stopped, 0);
}

ConsumerFlow::Stream ConsumerFlow::current(const RingLimits& ring) {
  for (;;) {
    const std::uint64_t ends = producer_.ends.load(kAcquire);
    const std::uint64_t open = producer_side_.open.load(kAcquire);
    // `written` before `stream`: frames of a stream whose number is not yet seen
    // must not count as the old one's.
    const std::uint64_t written = producer_.written.load(kAcquire);
    const std::uint64_t stream = producer_.stream.load(kAcquire);
    const std::uint64_t told = consumer_.told_stream.load(kRelaxed);
    std::uint64_t position = read();
    auto sane_limit = [&](std::uint64_t limit) {
      if (limit < position) return position;
      // More than the ring holds: overwritten on purpose in overrun=drop
      // (look() sees to it), garbage else.
      return std::min(limit, written < position ? position : written);
    };

    std::uint64_t taken = consumer_.ends_taken.load(kRelaxed);
    if (ends - taken > abi::kEnds) taken = ends - abi::kEnds;
    Stream result;
    bool marked = false;
    while (taken != ends) {
      const auto& end = producer_.end[taken % abi::kEnds];
      const std::uint64_t id = end.stream.load(kRelaxed);
      const std::uint64_t frame = sane_limit(end.frame.load(kRelaxed));
      if (id > told) {
        result = {id, frame, true};
        marked = true;
        break;
      }
      position = frame;
      ++taken;
    }
    if (!marked) {
      if (stream > told) {
        result = {stream, sane_limit(written), !is_open(open)};
      } else {
        position = std::max(position, written);  // left over from a stream already ended
        result = {0, position, false};
      }
    }
    if (producer_.ends.load(kAcquire) != ends) continue;
    consumer_.ends_taken.store(taken, kRelease);
    if (position != read()) set_read(position);
    const bool may_lap = overrun() == abi::Overrun::kDrop && !free_clock();
    if (result.limit - position > ring.capacity_frames && !may_lap) {
      result.limit = position + ring.capacity_frames;
    }
    return result;
  }
}

void ConsumerFlow::skip_dropped(Stream& stream) {
  const std::uint64_t asked = producer_.skips.load(kAcquire);
  if (asked == consumer_.skips_done.load(kRelaxed)) return;
  const std::uint64_t from = producer_.skip_from.load(kRelaxed);
  const std::uint64_t asked_to = producer_.skip_to.load(kRelaxed);
  // Of a stream of which nothing is here yet.
  if (from >= stream.limit && asked_to > from) return;
  const std::uint64_t to = std::min(asked_to, stream.limit);
  if (read() < from && from < stream.limit) {
    // What was played before the halt comes first.
    stream.limit = from;
    stream.ended = false;
    return;
  }
  if (to > read()) {
    move_clock(as_signed(to - read()));
    set_read(to);
  }
  consumer_.skips_done.store(asked, kRelease);
}

// Sound that waited for its trigger began when that came, not when we noticed, and
// that of recorders that start together when they did: so they stay together.
std::int64_t ConsumerFlow::first_frame_ns(std::int64_t now_ns) {
  constexpr std::int64_t kAtOnceNs = 50'000'000;
  const std::int64_t released_ns = segment_.start.released_ns[direction_].load(kRelaxed);
  const std::int64_t begun_ns = segment_.start.begun_ns[direction_].load(kRelaxed);
  const std::int64_t together_ns = std::exchange(together_ns_, 0);
  if (waited_ns_ != 0 && waited_ns_ < released_ns && released_ns < now_ns) return released_ns;
  const bool at_once = together_ns != 0 && begun_ns >= together_ns &&
                       begun_ns < together_ns + kAtOnceNs && begun_ns <= now_ns;
  return at_once ? together_ns : now_ns;
}

void ConsumerFlow::keep_clock(const Stream& stream, const RingLimits& ring, std::int64_t now_ns) {
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  const std::uint32_t factor = sane_factor(segment_.policy.clock_factor_milli.load(kRelaxed));
  const std::int32_t ppm = sane_ppm(segment_.policy.ppm.load(kRelaxed));
  const bool goes_on = clock_stream != 0 && eof() == abi::Eof::kSilence;
  if (stream.id != 0 && clock_stream != stream.id && !goes_on) {
    if (!running()) return;
    if (stream.limit == read() && !stream.ended) {
      waited_ns_ = now_ns;
      return;
    }
    start_clock({first_frame_ns(now_ns), as_signed(read()),
                 static_cast<std::uint32_t>(ring.rate_hz), factor, ppm},
                stream.id);
    starving_ = held_ = false;
  } else if (clock_stream != 0 && was_free_ && !free_clock()) {
    // The programs went ahead of it.
    start_clock({now_ns, as_signed(read()), static_cast<std::uint32_t>(ring.rate_hz), factor, ppm},
                clock_stream);
  } else if (clock_stream != 0 && (time.factor_milli != factor || time.ppm != ppm)) {
    start_clock(time.with_speed(now_ns, factor, ppm), clock_stream);
  } else if (stream.id == 0 && running()) {
    waited_ns_ = now_ns;
  }
  was_free_ = free_clock();
}

ConsumerFlow::View ConsumerFlow::look(const RingLimits& ring, std::int64_t now_ns) {
  Stream stream = current(ring);
  skip_dropped(stream);
  if (!stream.ended) {
    // Frames written since the trigger was taken away wait for it.
    stream.limit = std::min(stream.limit, std::max(producer_.hold_from.load(kAcquire), read()));
  }
  keep_clock(stream, ring, now_ns);

  View view;
  view.read = read();
  view.written = stream.limit;
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  const bool silence_goes_on = clock_stream != 0 && eof() == abi::Eof::kSilence && !free_clock();
  view.stream = stream.id;
  if (stream.id != 0) consumer_.at_end.store(0, kRelaxed);
  view.streaming = stream.id != 0 || silence_goes_on;
  view.closing = stream.ended;
  if (stream.id == 0 && !silence_goes_on) return view;
  if (free_clock()) {
    if (running()) view.frames = stream.limit - view.read;
    view.end = stream.ended && stream.limit == view.read;
    return view;
  }
  if (clock_stream == 0) {
    view.end = stream.ended && stream.limit == view.read;
    return view;
  }

  // All counted from the first frame to read.
  const std::uint64_t have = stream.limit - view.read;
  const std::uint64_t buffer = buffer_of(consumer_side_, ring);
  std::uint64_t due = distance(as_position(time.frames_at(now_ns)), view.read);
  auto count_overrun = [&] {
    if (!held_) consumer_.overruns.fetch_add(1, kRelaxed);
    held_ = true;
  };
  if (due <= buffer) {
    held_ = false;
  } else if (overrun() == abi::Overrun::kWait || due > have) {
    // Also when only silence was missed: there is nothing to drop.
    const std::uint64_t keep = overrun() == abi::Overrun::kWait ? buffer : std::max(buffer, have);
    move_clock(as_signed(keep - due));
    meter_.held_frames.fetch_add(due - keep, kRelaxed);
    due = keep;
    count_overrun();
  }
  if (overrun() == abi::Overrun::kDrop && due > buffer) {
    const std::uint64_t lost = due - buffer;  // at most what we have
    set_read(view.read += lost);
    consumer_.dropped_frames.fetch_add(lost, kRelaxed);
    due = buffer;
    count_overrun();
  }
  const std::uint64_t left = stream.limit - view.read;
  view.frames = std::min(due, left);
  view.end = stream.ended && left == 0;
  const bool more_may_come = !stream.ended || eof() == abi::Eof::kSilence;
  if (due <= left || !more_may_come) {
    starving_ = false;
    return view;
  }
  const std::uint64_t missing = due - left;
  if (underrun() == abi::Underrun::kStall && !stream.ended && stream.id != 0) {
    move_clock(-as_signed(missing));
    meter_.stalled_frames.fetch_add(missing, kRelaxed);
  } else if (missing > slack(ring) || stream.id == 0 || stream.ended) {
    view.silence = missing;
  }
  return view;
}

std::uint64_t ConsumerFlow::slack(const RingLimits& ring) const {
  // One fragment of the producer, so that a player that paces itself and comes
  // a moment late costs no sound.
  const std::uint64_t fragments =
      std::clamp<std::uint64_t>(producer_side_.fragments.load(kRelaxed), 2, 65536);
  return buffer_of(producer_side_, ring) / fragments;
}

void ConsumerFlow::take(std::uint64_t frames) {
  if (frames == 0) return;
  set_read(read() + frames);
  starving_ = false;
}

void ConsumerFlow::take_silence(std::uint64_t frames) {
  if (frames == 0) return;
  move_clock(-as_signed(frames));
  consumer_.silence_frames.fetch_add(frames, kRelaxed);
  if (!starving_) consumer_.underruns.fetch_add(1, kRelaxed);
  starving_ = true;
}

bool ConsumerFlow::lapped(const RingLimits& ring) const {
  if (overrun() != abi::Overrun::kDrop || free_clock()) return false;
  std::atomic_thread_fence(kAcquire);
  const std::uint64_t written = producer_.written.load(kAcquire);
  // A frame about to be written is lost too, so leave a buffer's distance.
  return written - read() + ring.longest_buffer_frames > ring.capacity_frames;
}

void ConsumerFlow::tell_end(const View& view) {
  consumer_.told_stream.store(view.stream, kRelease);
  const std::uint64_t taken = consumer_.ends_taken.load(kRelaxed);
  if (taken != producer_.ends.load(kAcquire) &&
      producer_.end[taken % abi::kEnds].stream.load(kRelaxed) == view.stream) {
    consumer_.ends_taken.store(taken + 1, kRelease);
  }
  if (eof() == abi::Eof::kSilence) return;
  if (eof() != abi::Eof::kWait) consumer_.running.store(0, kRelease);
  consumer_.at_end.store(eof() == abi::Eof::kEof ? 1 : 0, kRelaxed);
  std::uint64_t stream = 0;
  const audio::Clock stopped = clock(stream);
  set_clock(stopped, 0);
}

ProducerFlow::Wait ConsumerFlow::wait_for(std::uint64_t frames, std::uint64_t fragment,
                                          const View& view, const RingLimits& ring,
                                          std::int64_t now_ns) const {
  const std::uint64_t buffer = consumer_buffer(ring);
  const std::uint64_t half = std::max<std::uint64_t>(buffer / 2, 1);
  std::uint64_t target = view.read + std::clamp<std::uint64_t>(frames, 1, half);
  if (view.closing) target = std::min(target, std::max(view.written, view.read + 1));
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  if (free_clock()) {
    // What the producer can bring before it must wait for us, less what it may
    // write while we wake up.
    const std::uint64_t all = buffer + buffer_of(producer_side_, ring) / 4 * 3;
    const std::uint64_t plenty = view.closing ? target : std::max(target, view.read + all);
    return {now_ns + kLookAgainNs, target, view.streaming ? plenty : target};
  }
  if (clock_stream == 0) return {now_ns + kLookAgainNs, target, target};
  const std::int64_t soon = now_ns + 100'000;
  const std::int64_t far = now_ns + kLookAgainNs;
  if (view.written >= target) {
    std::uint64_t whole = std::max(target, view.read + std::min(fragment, half));
    if (view.closing) whole = std::min(whole, view.written);
    return {std::clamp(time.time_of(as_signed(whole)), soon, far), kNobody, kNobody};
  }
  if (underrun() == abi::Underrun::kStall) return {far, target, target};
  const std::int64_t silence_due = std::max(
      time.time_of(as_signed(target)), time.time_of(as_signed(view.written + slack(ring) + 1)));
  return {std::clamp(silence_due, soon, far), target, target};
}

}  // namespace ossloop::device
