// The half of a flow that reads, and keeps its clock.
#include <algorithm>
#include <utility>

#include "config/policy.h"
#include "stream/clock_speed.h"
#include "stream/flow.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

}  // namespace

void ConsumerFlow::set_read(std::uint64_t position) { consumer().read.store(position, kRelease); }

void ConsumerFlow::set_clock(const audio::Clock& clock, std::uint64_t stream,
                             std::uint64_t section) {
  const std::uint32_t sequence = consumer().sequence.load(kRelaxed) | 1;
  consumer().sequence.store(sequence, kRelaxed);
  std::atomic_thread_fence(kRelease);
  consumer().clock_anchor_ns.store(clock.anchor_ns, kRelaxed);
  consumer().clock_base.store(clock.base, kRelaxed);
  consumer().clock_rate_hz.store(clock.rate_hz, kRelaxed);
  consumer().clock_factor_milli.store(clock.factor_milli, kRelaxed);
  consumer().clock_ppm.store(clock.ppm, kRelaxed);
  consumer().clock_stream.store(stream, kRelaxed);
  consumer().clock_marks.store(section, kRelaxed);
  consumer().sequence.store(sequence + 1, kRelease);
}

void ConsumerFlow::start_clock(const audio::Clock& clock, std::uint64_t stream,
                               std::uint64_t section) {
  set_clock(clock, stream, section);
  consumer().clock_stats.start_ns.store(clock.anchor_ns, kRelaxed);
  consumer().clock_stats.start_frame.store(clock.base, kRelaxed);
  consumer().clock_stats.moved_frames.store(0, kRelaxed);
}

void ConsumerFlow::move_clock(std::int64_t frames) {
  consumer().clock_stats.moved_frames.fetch_add(frames, kRelaxed);
  consumer().clock_base.store(
      as_signed(as_position(consumer().clock_base.load(kRelaxed)) + as_position(frames)), kRelaxed);
}

ConsumerFlow::Stream ConsumerFlow::current(const RingLimits& ring) {
  // Until no end came meanwhile; but a producer that pushes them without end holds nobody.
  for (int attempt = 0;; ++attempt) {
    const std::uint64_t ends = producer_.ends.load(kAcquire);
    const std::uint64_t open = producer_half_.open.load(kAcquire);
    // `written` before `stream`: frames of a stream whose number is not yet seen
    // must not count as the old one's.
    const std::uint64_t written = producer_.written.load(kAcquire);
    const std::uint64_t stream = producer_.stream.load(kAcquire);
    const std::uint64_t told = consumer().acknowledged_stream.load(kRelaxed);
    std::uint64_t position = read();
    auto sane_limit = [&](std::uint64_t limit) {
      if (limit < position) return position;
      // More than the ring holds: overwritten on purpose in overrun=drop
      // (look() sees to it), garbage else.
      return std::min(limit, written < position ? position : written);
    };

    std::uint64_t taken = consumer().ends_taken.load(kRelaxed);
    if (ends - taken > abi::kEnds) taken = ends - abi::kEnds;
    Stream result;
    bool marked = false;
    end_ = nullptr;
    while (taken != ends) {
      const auto& end = producer_.end[taken % abi::kEnds];
      const std::uint64_t id = end.stream.load(kRelaxed);
      const std::uint64_t frame = sane_limit(end.frame.load(kRelaxed));
      if (id > told) {
        end_ = &end;
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
    if (producer_.ends.load(kAcquire) != ends && attempt < 100) continue;
    consumer().ends_taken.store(taken, kRelease);
    if (position != read()) jump_to(position);
    result.over = result.ended;
    if (const std::uint64_t number = section_read(); number != sections()) {
      const std::uint64_t mark = section(number + 1).frame;
      if (distance(result.limit, mark) > 0 || (!result.ended && mark == result.limit)) {
        result.limit = position + distance(mark, position);
        result.ended = false;
        result.section_ends = true;
      }
    }
    if (result.limit - position > ring.capacity_frames && !may_lap() && is_waited_for()) {
      result.limit = position + ring.capacity_frames;
      result.section_ends = false;
    }
    return result;
  }
}

// The producer does not wait for us.
bool ConsumerFlow::may_lap() const {
  return is_tap() || (overrun() == abi::Overrun::kDrop && !free_clock());
}

// Past what the ring holds no more.
void ConsumerFlow::catch_up(Stream& stream, const RingLimits& ring) {
  std::uint64_t lost = 0;
  for (std::uint64_t left = stream.limit - read();
       left > 0 && !is_clear_of_writer(read() + lost, ring); left /= 2) {
    lost += (left + 1) / 2;
  }
  if (lost != 0) lose(lost);
  if (stream.limit - read() <= ring.capacity_frames) return;
  stream.limit = read() + ring.capacity_frames;  // garbage
  stream.section_ends = false;
}

void ConsumerFlow::skip_dropped(Stream& stream) {
  const std::uint64_t asked = producer_.skips.load(kAcquire);
  if (asked == consumer().skips_done.load(kRelaxed)) return;
  const std::uint64_t from = producer_.skip_from.load(kRelaxed);
  const std::uint64_t asked_to = producer_.skip_to.load(kRelaxed);
  // Of a stream of which nothing is here yet.
  if (from >= stream.limit && asked_to > from) return;
  const std::uint64_t to = std::min(asked_to, stream.limit);
  if (read() < from && from < stream.limit) {
    // What was played before the halt comes first.
    stream.limit = from;
    stream.ended = stream.section_ends = false;
    return;
  }
  if (to > read()) {
    move_clock(as_signed(to - read()));
    move_filter(as_signed(to - read()));
    set_read(to);
  }
  if (stream.section_ends && asked_to > to) return;  // and more of the next section
  consumer().skips_done.store(asked, kRelease);
}

// Sound that waited for its trigger began when that came, not when we noticed, and
// that of recorders that start together when they did: so they stay together.
std::int64_t ConsumerFlow::first_frame_ns(std::int64_t now_ns) {
  constexpr std::int64_t kAtOnceNs = 50'000'000;
  const std::int64_t released_ns = producer_.released_ns.load(kRelaxed);
  const std::int64_t begun_ns = producer_.begun_ns.load(kRelaxed);
  const std::int64_t together_ns = std::exchange(together_ns_, 0);
  if (waited_ns_ != 0 && waited_ns_ < released_ns && released_ns < now_ns) return released_ns;
  const bool at_once = together_ns != 0 && begun_ns >= together_ns &&
                       begun_ns < together_ns + kAtOnceNs && begun_ns <= now_ns;
  return at_once ? together_ns : now_ns;
}

// A tap hears what its reader hears, and not before that has begun.
bool ConsumerFlow::reader_begun() const {
  if (listener() == nullptr) return true;
  const abi::Consumer& reader = waited_for();
  return reader.clock_stream.load(kRelaxed) != 0 ||
         reader.acknowledged_stream.load(kAcquire) > consumer().acknowledged_stream.load(kRelaxed);
}

void ConsumerFlow::keep_clock(const Stream& stream, const RingLimits& ring, std::int64_t now_ns) {
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  const std::uint32_t factor = config::clock_factor_milli(segment_.policy);
  const auto ppm = clock_ppm(segment_, direction_);
  const bool goes_on = clock_stream != 0 && end_policy().silence;
  if (stream.id != 0 && clock_stream != stream.id && !goes_on) {
    if (!running() || !reader_begun()) return;
    if (stream.limit == read() && !stream.ended) {
      waited_ns_ = now_ns;
      return;
    }
    start_clock({first_frame_ns(now_ns), as_signed(read()),
                 static_cast<std::uint32_t>(ring.rate_hz), factor, ppm},
                stream.id, section_read());
    starving_ = dry_ = held_ = false;
  } else if (clock_stream != 0 && was_free_ && !free_clock()) {
    // The programs went ahead of it.
    start_clock({now_ns, as_signed(read()), static_cast<std::uint32_t>(ring.rate_hz), factor, ppm},
                clock_stream, section_read());
  } else if (clock_stream != 0 && (time.factor_milli != factor || time.ppm != ppm)) {
    start_clock(time.with_speed(now_ns, factor, ppm), clock_stream, section_read());
  } else if (stream.id == 0 && running()) {
    waited_ns_ = now_ns;
  }
  was_free_ = free_clock();
}

ConsumerFlow::View ConsumerFlow::look(const RingLimits& ring, std::int64_t now_ns) {
  // Who claims nothing finds the rings given back, and others made.
  if (listener() != nullptr && distance(section_read(), sections()) > 0) attach();
  if (nobodys_ != 0) adopt_nobodys();
  Stream stream = current(ring);
  skip_dropped(stream);
  if (!stream.over) {
    // Frames written since the trigger was taken away wait for it.
    const std::uint64_t held_from = std::max(producer_.hold_from.load(kAcquire), read());
    stream.section_ends = stream.section_ends && held_from >= stream.limit;
    stream.limit = std::min(stream.limit, held_from);
  }
  // Who was a tap may have been overtaken before it is waited for: also who becomes so from
  // here on. What lies behind a mark may be in another ring, and is looked at when we are there.
  const std::uint32_t chosen = choice();
  const bool tap = is_tap();
  if (tap || !is_waited_for()) catch_up(stream, ring);
  if (tap || section_read() == sections()) waited_since_ = tap ? kTap : chosen;
  keep_clock(stream, ring, now_ns);

  View view;
  view.read = read();
  view.written = stream.limit;
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  const bool silence_goes_on = clock_stream != 0 && end_policy().silence && !free_clock();
  view.stream = stream.id;
  if (stream.id != 0) consumer().at_end.store(0, kRelaxed);
  view.streaming = stream.id != 0 || silence_goes_on;
  view.closing = stream.ended;
  view.section_ends = stream.section_ends;
  if (!view.streaming) return view;
  std::uint64_t due = 0;
  if (free_clock()) {
    if (running()) view.frames = stream.limit - view.read;
  } else if (clock_stream != 0) {
    due = bound_due(time, stream, ring, now_ns);
    view.read = read();
    view.frames = std::min(due, stream.limit - view.read);
  }
  view.end = stream.ended && stream.limit == view.read;
  if (!free_clock() && clock_stream != 0) view.silence = fill_up(due, stream, ring);
  return view;
}

// Past sound that nobody hears, of which the ring holds no more or which came too late.
void ConsumerFlow::lose(std::uint64_t frames) {
  set_read(read() + frames);
  move_filter(as_signed(frames));
  consumer().dropped_frames.fetch_add(frames, kRelaxed);
}

// The frames that are due, counted from the first one to read, and no more than the
// consumer's buffer: the clock is held, or the oldest are lost.
std::uint64_t ConsumerFlow::bound_due(const audio::Clock& time, const Stream& stream,
                                      const RingLimits& ring, std::int64_t now_ns) {
  if (stream.section_ends && lapped(ring)) lose(stream.limit - read());
  const std::uint64_t have = stream.limit - read();
  const std::uint64_t whole = buffer_of(buffering_half(), ring);
  const std::uint64_t buffer = whole - std::min(neighbours_.lead, whole - 1);
  std::uint64_t due = distance(as_position(time.frames_at(now_ns)), read());
  // What is due behind a mark passes at another rate, and is looked at when we are there.
  if (stream.section_ends) due = std::min(due, have);
  if (due <= buffer) {
    held_ = false;
    return due;
  }
  if (overrun() == abi::Overrun::kWait || due > have) {
    // Also when only silence was missed: there is nothing to drop.
    const std::uint64_t keep = overrun() == abi::Overrun::kWait ? buffer : std::max(buffer, have);
    move_clock(as_signed(keep - due));
    consumer().clock_stats.held_frames.fetch_add(due - keep, kRelaxed);
    due = keep;
  }
  if (due > buffer) lose(due - buffer);  // at most what we have
  if (!std::exchange(held_, true)) consumer().overruns.fetch_add(1, kRelaxed);
  return std::min(due, buffer);
}

// Silence for what is due and missing; or the clock waits for it.
std::uint64_t ConsumerFlow::fill_up(std::uint64_t due, const Stream& stream,
                                    const RingLimits& ring) {
  const std::uint64_t left = stream.limit - read();
  const bool more_may_come = !stream.ended || end_policy().silence;
  if (due <= left || !more_may_come) {
    starving_ = false;
    return 0;
  }
  const std::uint64_t missing = due - left;
  if (underrun() == abi::Underrun::kStall && !stream.ended && stream.id != 0) {
    move_clock(-as_signed(missing));
    consumer().clock_stats.stalled_frames.fetch_add(missing, kRelaxed);
    return 0;
  }
  return missing > slack(ring) || stream.id == 0 || stream.ended ? missing : 0;
}

std::uint64_t ConsumerFlow::slack(const RingLimits& ring) const {
  // One fragment of the producer, so that a player that paces itself and comes
  // a moment late costs no sound.
  const std::uint64_t fragments =
      std::clamp<std::uint64_t>(producer_half_.fragments.load(kRelaxed), 2, 65536);
  const std::uint64_t fragment = buffer_of(producer_half_, ring) / fragments;
  // Nobody else waits for one that does not come at all.
  const bool alone = neighbours_.patience == kPatient;
  return alone ? fragment : dry_ ? 0 : std::min(fragment, neighbours_.patience);
}

void ConsumerFlow::take(std::uint64_t frames) {
  if (frames == 0) return;
  set_read(read() + frames);
  starving_ = dry_ = false;
}

void ConsumerFlow::take_silence(std::uint64_t frames) {
  if (frames == 0) return;
  move_clock(-as_signed(frames));
  move_filter(-as_signed(frames));
  consumer().silence_frames.fetch_add(frames, kRelaxed);
  if (!starving_) consumer().underruns.fetch_add(1, kRelaxed);
  starving_ = dry_ = true;
}

bool ConsumerFlow::keeps(std::uint64_t position, const RingLimits& ring,
                         std::uint64_t spare_frames) const {
  std::atomic_thread_fence(kAcquire);
  const std::uint64_t held = held_frames(ring, position, producer_.written.load(kAcquire));
  return held + spare_frames <= ring.capacity_frames;
}

bool ConsumerFlow::keeps(std::uint64_t position, const RingLimits& ring) const {
  return keeps(position, ring, may_lap() ? ring.longest_buffer_frames : 0);
}

// A frame about to be written is lost too, so leave a buffer's distance. Also who is waited for
// only now: the writer of that frame may have been killed before it could tell.
bool ConsumerFlow::is_clear_of_writer(std::uint64_t position, const RingLimits& ring) const {
  return keeps(position, ring, ring.longest_buffer_frames);
}

bool ConsumerFlow::lapped(const RingLimits& ring) const {
  return (may_lap() || !is_waited_for()) && !is_clear_of_writer(read(), ring);
}

// The clock first: one that still ran for a stream whose end was told would be taken for
// that of the next, by who goes on for a process that was killed here.
void ConsumerFlow::acknowledge(const View& view, bool clock_goes_on) {
  if (!clock_goes_on) stop_clock();
  consumer().acknowledged_stream.store(view.stream, kRelease);
  const std::uint64_t taken = consumer().ends_taken.load(kRelaxed);
  if (taken != producer_.ends.load(kAcquire) &&
      producer_.end[taken % abi::kEnds].stream.load(kRelaxed) == view.stream) {
    consumer().ends_taken.store(taken + 1, kRelease);
  }
}

void ConsumerFlow::told_end() {
  if (end_policy().silence) return;
  if (end_policy().stops) consumer().running.store(0, kRelease);
  consumer().at_end.store(end_policy().reads_zero ? 1 : 0, kRelaxed);
}

ProducerFlow::Wait ConsumerFlow::wait_for(std::uint64_t frames, std::uint64_t fragment,
                                          const View& view, const RingLimits& ring,
                                          std::int64_t now_ns) const {
  const std::uint64_t buffer = consumer_buffer(ring);
  const std::uint64_t half = std::max<std::uint64_t>(buffer / 2, 1);
  std::uint64_t target = view.read + std::clamp<std::uint64_t>(frames, 1, half);
  const bool last = view.closing || view.section_ends;
  if (last) target = std::min(target, std::max(view.written, view.read + 1));
  std::uint64_t clock_stream = 0;
  const audio::Clock time = clock(clock_stream);
  if (free_clock()) {
    // What the producer can bring before it must wait for us, less what it may
    // write while we wake up.
    const std::uint64_t all = buffer + buffer_of(producer_half_, ring) / 4 * 3;
    const std::uint64_t batch = last ? target : std::max(target, view.read + all);
    return {now_ns + kLookAgainNs, target, view.streaming ? batch : target};
  }
  if (clock_stream == 0) return {now_ns + kLookAgainNs, target, target};
  const std::int64_t soon = now_ns + 100'000;
  const std::int64_t far = now_ns + kLookAgainNs;
  if (view.written >= target) {
    std::uint64_t whole = std::max(target, view.read + std::min(fragment, half));
    if (last) whole = std::min(whole, view.written);
    return {std::clamp(time.time_of(as_signed(whole)), soon, far), kNobody, kNobody};
  }
  if (underrun() == abi::Underrun::kStall) return {far, target, target};
  const std::int64_t silence_due = std::max(
      time.time_of(as_signed(target)), time.time_of(as_signed(view.written + slack(ring) + 1)));
  return {std::clamp(silence_due, soon, far), target, target};
}

}  // namespace ossloop::device
