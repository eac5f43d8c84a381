#include "device/null_reader.h"

#include "stream/ring_size.h"

namespace ossloop::device {

// A program that records is the reader. Where we are both ends, one that has not begun to
// need not begin.
bool NullReader::run(std::int64_t now_ns) {
  bool is_new = false;
  flow_.follow_waited();
  LaneReader lane = flow_.lane_reader();
  if (!half_.goes_on_alone() || !lane.enter(flow_.consumer_half(), half_.both_ways(), is_new))
    return false;
  if (is_new) flow_.take_over();
  take(now_ns);
  lane.rest();
  return true;
}

void NullReader::take(std::int64_t now_ns) {
  for (std::uint32_t marks = 0; marks <= 2 * abi::kMarks; ++marks) {
    const Section section = flow_.section(flow_.section_read());
    const ConsumerFlow::View view = flow_.look(limits_of(section, half_.buffer_ms()), now_ns);
    flow_.take(view.frames);
    flow_.take_silence(view.silence);
    if (flow_.section_read() != section.number) continue;
    if (view.section_ends && view.read + view.frames == view.written) {
      next_section(section);
      continue;
    }
    if (!view.end) return;
    flow_.acknowledge_end(view);
    return;
  }
}

void NullReader::next_section(const Section& before) {
  flow_.next_section();
  half_.leave_ring(before, flow_.section(flow_.section_read()));
}

}  // namespace ossloop::device
