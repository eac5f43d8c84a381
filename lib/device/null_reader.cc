#include "device/null_reader.h"

#include "device/device_thread.h"
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

// A writer goes to a larger ring for good.
void NullReader::next_section(const Section& before) {
  flow_.next_section();
  const Section now = flow_.section(flow_.section_read());
  if (before.ring_bytes == 0 || before.ring_offset == now.ring_offset) return;
  DeviceThread::instance().run(
      [&] { half_.segment().drop_ring(before.ring_offset, before.ring_bytes); });
}

}  // namespace ossloop::device
