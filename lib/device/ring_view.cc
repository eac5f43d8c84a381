#include "device/ring_view.h"

#include <errno.h>

#include <utility>

#include "device/device_thread.h"
#include "stream/ring_size.h"

namespace ossloop::device {

bool RingView::maps(const Section& section) const {
  return mapping_.data() != nullptr && section.ring_offset == section_.ring_offset &&
         section.ring_bytes == section_.ring_bytes;
}

void RingView::use(const Section& section, std::uint32_t buffer_ms) {
  section_ = section;
  limits_ = limits_of(section, buffer_ms);
  ring_ = ring_of(section);
}

shm::Ring RingView::ring_of(const Section& section) const {
  return shm::Ring(mapping_.data(), mapping_.bytes() / 2,
                   static_cast<std::size_t>(section.format.frame_bytes()), section.frame,
                   section.byte);
}

int RingView::follow(const shm::Segment& segment, const Section& section, std::uint32_t buffer_ms) {
  if (!maps(section)) {
    if (section.ring_bytes < static_cast<std::uint64_t>(section.format.frame_bytes())) return -EIO;
    int error = 0;
    shm::Mapping mapping;
    DeviceThread::instance().run(
        [&] { mapping = segment.map_ring(section.ring_offset, section.ring_bytes, error); });
    if (mapping.data() == nullptr) return error;
    mapping_ = std::move(mapping);
  }
  use(section, buffer_ms);
  return 0;
}

int RingView::prepare(const shm::Segment& segment, const Section& last,
                      const audio::PcmFormat& format, std::uint64_t written,
                      std::uint32_t buffer_ms) {
  Section wanted = last;
  const std::size_t bytes = ring_bytes(format, buffer_ms);
  if (last.number != 0 && last.ring_bytes >= bytes) {
    discard(segment);
    if (last.format != format) {
      wanted = {0, written, format, last.ring_offset, last.ring_bytes, last.byte_of(written)};
    }
    if (follow(segment, wanted, buffer_ms) == 0) return 0;
  }
  // One that was made before, and has no mark yet, will do.
  if (unmarked_ != 0 && section_.ring_bytes < bytes) discard(segment);
  wanted = {0, written, format, section_.ring_offset, section_.ring_bytes, 0};
  int error = 0;
  if (unmarked_ == 0) {
    wanted.ring_bytes = bytes;
    DeviceThread::instance().run([&] { error = segment.add_ring(bytes, wanted.ring_offset); });
  }
  if (error == 0) error = follow(segment, wanted, buffer_ms);
  if (error == 0) unmarked_ = wanted.ring_offset;
  return error;
}

void RingView::discard(const shm::Segment& segment) {
  const std::uint64_t offset = std::exchange(unmarked_, 0);
  if (offset == 0) return;
  const std::uint64_t bytes = section_.ring_bytes;
  *this = {};
  DeviceThread::instance().run([&] { segment.drop_ring(offset, bytes); });
}

void RingView::marked(const Section& section) {
  section_ = section;
  unmarked_ = 0;
}

}  // namespace ossloop::device
