// How the consumer's half goes from section to section; and what it knows for the conversion
// and the mix: levels, and what is told of both for another process of the open.
#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kRelease = std::memory_order_release;

}  // namespace

// Past frames that nobody hears, and past the marks among them.
void ConsumerFlow::jump_to(std::uint64_t position) {
  move_filter(as_signed(position - read()));
  set_read(position);
  for (std::uint32_t marks = 0; marks < abi::kMarks && section_read() != sections(); ++marks) {
    if (distance(section(section_read() + 1).frame, position) > 0) break;
    next_section();
  }
}

void ConsumerFlow::next_section() {
  const std::uint64_t last = sections();
  std::uint64_t number = section_read() + 1;
  if (last - number >= abi::kMarks) number = last;  // garbage, or an open that knows of none
  SectionClock time = section_clock();
  const Section next = section(number);
  if (time.stream != 0) {
    // At the mark, or where the clock is already: it is not set back. First, so that who goes
    // on for a process that was killed here finds a clock that is right, and passes the mark.
    const std::uint64_t frame =
        as_position(time.clock.base) + distance(next.frame, as_position(time.clock.base));
    time.clock.anchor_ns = time.clock.time_of(as_signed(frame));
    time.clock.base = as_signed(frame);
    time.clock.rate_hz = static_cast<std::uint32_t>(next.format.rate_hz);
    start_clock(time.clock, time.stream, number);
  }
  consumer().marks_taken.store(number, kRelease);
}

Levels ConsumerFlow::levels() const {
  Levels levels = Flow::levels();
  if (end_ != nullptr) set_volume(levels.producer, end_->volume.load(kRelaxed));
  return levels;
}

ConsumerFlow::Filter ConsumerFlow::filter() const {
  return {consumer().filter_section.load(kRelaxed), consumer().filter_begin.load(kRelaxed),
          consumer().filter_format.load(kRelaxed), consumer().filter_given.load(kRelaxed)};
}

// There is none in between: a process that is killed here leaves no half of it.
void ConsumerFlow::begin_filter(const audio::PcmFormat& to) {
  no_filter();
  std::atomic_thread_fence(kRelease);
  consumer().filter_begin.store(read(), kRelaxed);
  consumer().filter_given.store(0, kRelaxed);
  consumer().filter_format.store(pack(to), kRelaxed);
  consumer().filter_section.store(section_read(), kRelease);
}

void ConsumerFlow::filter_gave(std::uint64_t frames) {
  consumer().filter_given.store(consumer().filter_given.load(kRelaxed) + frames, kRelaxed);
}

// As for a filter: there is none in between.
void ConsumerFlow::join(std::uint64_t stream, std::uint64_t mix_frame) {
  consumer().joined_stream.store(0, kRelaxed);
  std::atomic_thread_fence(kRelease);
  consumer().joined_frame.store(mix_frame, kRelaxed);
  consumer().mix_frame.store(mix_frame, kRelaxed);
  consumer().joined_stream.store(stream, kRelease);
}

void ConsumerFlow::move_filter(std::int64_t frames) {
  consumer().filter_begin.store(consumer().filter_begin.load(kRelaxed) + as_position(frames),
                                kRelaxed);
}

}  // namespace ossloop::device
