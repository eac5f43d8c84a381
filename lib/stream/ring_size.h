// How much sound a ring holds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "audio/pcm_format.h"
#include "stream/position.h"
#include "stream/section.h"

namespace ossloop::device {

// An open's own choice may be longer than the policy `buffer_ms` allows.
inline constexpr std::uint32_t kLongestBufferMs = 1'000'000;

// The longest buffer one side may have, in frames of a stream of `rate_hz`. A
// quarter more than asked for: fragments are powers of two and round up.
inline std::uint64_t longest_buffer_frames(int rate_hz, std::uint32_t buffer_ms) {
  const std::uint64_t ms = buffer_ms > kLongestBufferMs
                               ? sane<"buffer_ms">(buffer_ms)
                               : std::max(buffer_ms, sane<"buffer_ms">(std::uint32_t{0}));
  return static_cast<std::uint64_t>(rate_hz) * ms / 800 + 256;
}
// The least `buffer_ms` of which so many frames are no more than the longest.
inline std::uint32_t buffer_ms_for(int rate_hz, std::uint64_t frames) {
  const std::uint64_t ms = (frames * 800 + static_cast<std::uint64_t>(rate_hz) - 1) /
                           static_cast<std::uint64_t>(rate_hz);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ms, kLongestBufferMs));
}

// What a filter is filled from again, in another process: libsoxr holds up to 0.32 s
// (768000 to 5000 Hz, very high) or 1900 frames, measured over all qualities; and as much
// before that, which the last frames are computed from too. No less than a buffer, which the
// writer may be in the midst of: whoever is as far as the reader that it waited for, and is
// waited for next, loses nothing (ConsumerFlow::is_clear_of_writer).
inline std::uint64_t history_frames(int rate_hz, std::uint32_t buffer_ms) {
  return std::max(static_cast<std::uint64_t>(rate_hz) * 3 / 4 + 8192,
                  longest_buffer_frames(rate_hz, buffer_ms));
}

// Both sides' longest buffers; once more what the producer writes at one go, so that in
// overrun=drop a reader can tell what is being overwritten; and the history.
inline std::uint64_t ring_frames(int rate_hz, std::uint32_t buffer_ms) {
  return 3 * longest_buffer_frames(rate_hz, buffer_ms) + history_frames(rate_hz, buffer_ms) + 4096;
}

// Whole pages, so that the ring can be mapped by itself.
inline std::size_t ring_bytes(const audio::PcmFormat& format, std::uint32_t buffer_ms) {
  const std::uint64_t bytes =
      ring_frames(format.rate_hz, buffer_ms) * static_cast<std::uint64_t>(format.frame_bytes());
  return static_cast<std::size_t>((bytes + 4095) / 4096 * 4096);
}

// The facts of a section's ring, mapped or not.
inline RingLimits limits_of(const Section& section, std::uint32_t buffer_ms) {
  const int rate_hz = section.format.rate_hz;
  const auto frame_bytes = static_cast<std::uint64_t>(section.format.frame_bytes());
  if (frame_bytes == 0) return {};
  return {section.ring_bytes / frame_bytes,
          longest_buffer_frames(rate_hz, buffer_ms),
          rate_hz,
          frame_bytes,
          section.ring_offset,
          history_frames(rate_hz, buffer_ms)};
}

}  // namespace ossloop::device
