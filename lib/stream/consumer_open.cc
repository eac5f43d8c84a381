// How the consumer's half begins, stops, and follows another reader; and streams whose end
// waits to be told.
#include <algorithm>

#include "stream/flow.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

}  // namespace

void ConsumerFlow::take_over() {
  consumer().running.store(0, kRelaxed);
  consumer().at_end.store(0, kRelaxed);
  std::uint64_t ran_for = 0;
  const audio::Clock stopped = clock(ran_for);
  set_clock(stopped, 0, section_read());
  join(0, 0);
  no_filter();
  consumer().filter_frames.store(0, kRelaxed);
  const std::uint64_t stream = producer_.stream.load(kAcquire);
  if (stream > consumer().acknowledged_stream.load(kRelaxed) + 1)
    consumer().acknowledged_stream.store(stream - 1, kRelaxed);
}

void ConsumerFlow::attach() {
  const std::uint64_t open = consumer_half().open.load(kAcquire);
  const bool takes_over =
      !is_tap() && plays_unheard() && is_open(producer_half_.open.load(kAcquire));
  lane_reader().take(LaneReader::kOpened, serial_of(open) + (is_open(open) ? 0 : 1), takes_over);
  for (auto* counter : {&consumer().silence_frames, &consumer().underruns, &consumer().overruns,
                        &consumer().dropped_frames, &consumer().clock_stats.held_frames,
                        &consumer().clock_stats.stalled_frames, &consumer().clipped_samples}) {
    counter->store(0, kRelaxed);
  }
  consumer().passed_end.store(0, kRelaxed);
  if (takes_over) return take_over();
  consumer().running.store(0, kRelaxed);
  consumer().at_end.store(0, kRelaxed);
  set_clock({}, 0, sections());
  consumer().skips_done.store(producer_.skips.load(kAcquire), kRelaxed);
  consumer().acknowledged_stream.store(producer_.stream.load(kAcquire), kRelaxed);
  consumer().ends_taken.store(producer_.ends.load(kAcquire), kRelaxed);
  consumer().filter_frames.store(0, kRelaxed);
  join(0, 0);
  no_filter();
  consumer().marks_taken.store(sections(), kRelease);
  set_read(producer_.written.load(kAcquire));
  // The server goes on for the others also where this place was that of the one it waits for.
  if (is_tap() || others_hear()) listen_in();
  if (direction_ == abi::kServerToClient) nobodys_ = consumer().acknowledged_stream.load(kRelaxed);
}

// What is not heard from where others are is heard from here: once the server can have chosen us,
// we do not go back.
void ConsumerFlow::adopt_nobodys() {
  const std::uint64_t open = producer_half_.open.load(kAcquire);
  const std::uint64_t ends = producer_.ends.load(kAcquire);
  const bool ended =
      ends != 0 && producer_.end[(ends - 1) % abi::kEnds].stream.load(kRelaxed) >= nobodys_;
  if (ended || producer_.stream.load(kAcquire) != nobodys_ ||
      consumer().acknowledged_stream.load(kRelaxed) != nobodys_) {
    nobodys_ = 0;
    return;
  }
  const bool is_ours =
      producer_.consumer_serial.load(kRelaxed) == serial_of(consumer_half().open.load(kAcquire));
  if (!is_open(open) || !(is_ours || is_tap() || others_hear())) return;
  consumer().acknowledged_stream.store(nobodys_ - 1, kRelaxed);
  nobodys_ = 0;
}

bool ConsumerFlow::others_hear() const {
  if (direction_ == abi::kClientToServer) return false;
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot) {
    if (slot != this->slot() && hears(slot)) return true;
  }
  return false;
}

// To the stream that runs, if one does, from where it is heard now: as far behind its writer
// as the reader is that it waits for.
void ConsumerFlow::listen_in() {
  // Who opens has ended the stream of one that was killed; and what is written by then is of the
  // stream that we find, or of one before.
  if (!is_open(producer_half_.open.load(kAcquire))) return;
  const std::uint64_t written = producer_.written.load(kAcquire);
  const std::uint64_t ends = producer_.ends.load(kAcquire);
  const std::uint64_t stream = producer_.stream.load(kAcquire);
  const std::uint64_t last =
      ends == 0 ? 0 : producer_.end[(ends - 1) % abi::kEnds].stream.load(kRelaxed);
  if (stream <= last) return;
  const abi::Consumer& waited = waited_for();
  consumer().acknowledged_stream.store(stream - 1, kRelaxed);
  consumer().marks_taken.store(waited.marks_taken.load(kAcquire), kRelease);
  const std::uint64_t position = waited.read.load(kAcquire);
  set_read(std::max(std::min(position, written), producer_.base.load(kRelaxed)));
}

void ConsumerFlow::start_together(std::int64_t now_ns) {
  start();
  together_ns_ = now_ns;
}

void ConsumerFlow::start() {
  const std::uint64_t serial = serial_of(consumer_half().open.load(kAcquire));
  const bool may_take_over = !is_tap() && plays_unheard();
  if (lane_reader().take(LaneReader::kBegun, serial, may_take_over) && may_take_over) take_over();
  waited_ns_ = together_ns_ = 0;
  consumer().running.store(1, std::memory_order_seq_cst);
}

void ConsumerFlow::stop(const RingLimits& ring, std::int64_t now_ns) {
  consumer().at_end.store(0, kRelaxed);
  consumer().passed_end.store(0, kRelaxed);
  if (!running()) return;
  const View view = look(ring, now_ns);
  set_read(view.read + view.frames);
  consumer().running.store(0, kRelease);
  consumer().joined_stream.store(0, kRelaxed);
  stop_clock();
}

void ConsumerFlow::stop_clock() {
  std::uint64_t stream = 0;
  const audio::Clock stopped = clock(stream);
  set_clock(stopped, 0, section_read());
}

bool ConsumerFlow::may_go_on(std::uint64_t stream) const {
  return stream != 0 && end_policy().is_told() &&
         (producer_.lingers.load(kAcquire) == stream || went_on(stream));
}

// Has its process gone on with it? Looked at after `lingers`; the words in the order against
// that of who writes them.
bool ConsumerFlow::went_on(std::uint64_t stream) const {
  const std::uint64_t to = producer_.continued_to.load(kAcquire);
  return producer_.continued_from.load(kAcquire) <= stream && stream < to;
}

// What is owed first: nobody goes on for a killed process as if nothing had ended.
void ConsumerFlow::pass_end(const View& view) {
  consumer().passed_end.store(view.stream, kRelaxed);
  acknowledge(view, false);
}

bool ConsumerFlow::passed_end_is_due() {
  const std::uint64_t passed = consumer().passed_end.load(kRelaxed);
  if (passed == 0 || producer_.lingers.load(kAcquire) == passed) return false;
  if (!went_on(passed)) return true;
  consumer().passed_end.store(0, kRelaxed);
  return false;
}

}  // namespace ossloop::device
