#include "device/tap.h"

#include <utility>

#include "device/dead_opens.h"
#include "stream/fragments.h"

namespace ossloop::device {

Tap::Tap(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder, int instance,
         abi::SideIndex side, const audio::PcmFormat& format)
    : folder_(folder),
      instance_(instance),
      rings_(segment->hold_rings()),
      half_(std::move(segment), side, kRead, 0, listener_.get()),
      capture_(half_) {
  half_.claim(kRead);
  half_.own().open.store(half_.serial() << 1 | 1, std::memory_order_relaxed);
  half_.set_format(format);
  half_.set_buffering(default_buffering(format, half_.buffer_ms()));
  capture_.attach();
}

Tap::~Tap() {
  rings_.reset();
  half_.segment().give_back();
}

TransferResult Tap::read(std::byte* data, std::size_t bytes, std::int64_t now_ns) {
  return capture_.read(data, bytes, false, now_ns);
}

bool Tap::ready(std::int64_t now_ns) {
  capture_.start();
  // Also an end of which a program hears nothing: nobody else passes it.
  return capture_.ready(1, now_ns) || capture_.ended(now_ns);
}

bool Tap::in_use() {
  abi::Segment& segment = half_.contract();
  std::uint32_t ways = 0;
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    forget_dead(folder_, instance_, segment, side);
    for (std::uint32_t slot = 0; slot < shm::slots_of(side); ++slot)
      ways |= open_ways(segment, side, slot);
  }
  // What no reader has begun to hear nobody will.
  const bool hears = capture_.underway() || capture_.flow().free_clock();
  return ways != 0 || (hears && capture_.owes_end());
}

std::uint64_t Tap::lost_frames() const {
  std::uint64_t lost = 0;
  for (const abi::Consumer& lane : listener_->lane) lost += lane.dropped_frames.load();
  return lost;
}

}  // namespace ossloop::device
