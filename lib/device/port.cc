#include "device/port.h"

#include <algorithm>
#include <utility>

#include "config/policy.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

Port::Port(std::shared_ptr<shm::Segment> segment, abi::SideIndex index)
    : segment_(std::move(segment)),
      index_(index),
      buffer_ms_(config::get<"buffer_ms", std::uint32_t>(contract().policy)) {
  refresh();
}

audio::PcmFormat Port::shared_format() const { return unpack_format(side().format.load(kRelaxed)); }

void Port::refresh() { format_word_.store(side().format.load(kRelaxed), kRelaxed); }

void Port::set_format(const audio::PcmFormat& format) {
  side().format.store(pack(format), kRelaxed);
  refresh();
}

Buffering Port::buffering() const {
  const auto frame = static_cast<std::uint32_t>(format().frame_bytes());
  return {std::clamp<std::uint32_t>(side().fragment_bytes.load(kRelaxed), frame, 1U << 28),
          std::clamp<std::uint32_t>(side().fragments.load(kRelaxed), 2, 1U << 20)};
}

void Port::set_buffering(const Buffering& buffering) {
  ++buffer_changes_;
  side().fragment_bytes.store(buffering.fragment_bytes, kRelaxed);
  side().fragments.store(buffering.fragments, kRelaxed);
  side().buffer_frames.store(static_cast<std::uint32_t>(buffer_frames()), kRelaxed);
}

std::uint64_t Port::buffer_frames() const {
  const Buffering parts = buffering();
  const audio::PcmFormat present = format();
  return std::min(static_cast<std::uint64_t>(parts.fragment_bytes) * parts.fragments /
                      static_cast<std::uint64_t>(present.frame_bytes()),
                  longest_buffer_frames(present.rate_hz, buffer_ms_));
}

std::uint64_t Port::fragment_frames() const {
  return std::max<std::uint64_t>(
      buffering().fragment_bytes / static_cast<std::uint64_t>(format().frame_bytes()), 1);
}

std::uint64_t Port::worth_a_sleep(std::uint64_t frames) const {
  constexpr std::uint64_t kShortestMs = 10;
  const auto rate_hz = static_cast<std::uint64_t>(format().rate_hz);
  return frames * 1000 < kShortestMs * rate_hz ? 0 : frames;
}

}  // namespace ossloop::device
