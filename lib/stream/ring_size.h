// How much sound the ring of an instance holds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "audio/pcm_format.h"
#include "stream/position.h"

namespace ossloop::device {

// The longest buffer one side may have, in frames of a stream of `rate_hz`. A
// quarter more than asked for: fragments are powers of two and round up.
inline std::uint64_t longest_buffer_frames(int rate_hz, std::uint32_t buffer_ms) {
  const std::uint64_t ms = sane<"buffer_ms">(buffer_ms);
  return static_cast<std::uint64_t>(rate_hz) * ms / 800 + 256;
}

// Both sides' longest buffers; once more what the producer writes at one go, so
// that in overrun=drop a reader can tell what is being overwritten; and 250 ms for
// what a rate converter gives at once: its tail must find room even when the
// consumer does not read.
inline std::uint64_t ring_frames(int rate_hz, std::uint32_t buffer_ms) {
  return 3 * longest_buffer_frames(rate_hz, buffer_ms) + static_cast<std::uint64_t>(rate_hz) / 4 +
         4096;
}

// Whole pages, so that the ring can be mapped by itself.
inline std::size_t ring_bytes(const audio::PcmFormat& format, std::uint32_t buffer_ms) {
  const std::uint64_t bytes =
      ring_frames(format.rate_hz, buffer_ms) * static_cast<std::uint64_t>(format.frame_bytes());
  return static_cast<std::size_t>((bytes + 4095) / 4096 * 4096);
}

}  // namespace ossloop::device
