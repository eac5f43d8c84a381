// Fragments: how a side's buffer is divided.
#pragma once

#include <cstdint>

#include "audio/pcm_format.h"

namespace ossloop::device {

struct Buffering {
  std::uint32_t fragment_bytes = 4096;  // a whole number of frames
  std::uint32_t fragments = 16;         // at least 2
  bool operator==(const Buffering&) const = default;
};

// About `buffer_ms` in about 16 fragments of a power of two bytes.
Buffering default_buffering(const audio::PcmFormat& format, std::uint32_t buffer_ms);

// What SNDCTL_DSP_SETFRAGMENT asks for: 0xMMMMSSSS, MMMM fragments (0x7fff: no
// limit) of 2^SSSS bytes. Clamped to at least 1 ms a fragment, 2 fragments, and
// at most `buffer_ms` in all.
Buffering requested_buffering(std::uint32_t request, const audio::PcmFormat& format,
                              std::uint32_t buffer_ms);

// SNDCTL_DSP_POLICY: 0 (least delay) to 10 (fewest wake-ups).
Buffering policy_buffering(int policy, const audio::PcmFormat& format, std::uint32_t buffer_ms);

// SNDCTL_DSP_SUBDIVIDE: the same buffer in fragments of 1/`divisor`.
Buffering subdivided(const Buffering& buffering, std::uint32_t divisor,
                     const audio::PcmFormat& format);

}  // namespace ossloop::device
