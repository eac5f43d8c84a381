// A format in one word of the contract, so that it changes as a whole.
#pragma once

#include <algorithm>
#include <cstdint>

#include "audio/pcm_format.h"

namespace ossloop::device {

// What a server starts with at each open.
inline constexpr audio::PcmFormat kServerDefault{0x10 /* AFMT_S16_LE */, 2, 48000};

// bits 0-19 rate_hz, 20-26 channels, 27-31 index in audio::kSampleFormats
inline std::uint64_t pack(const audio::PcmFormat& format) {
  return static_cast<std::uint64_t>(format.rate_hz) |
         static_cast<std::uint64_t>(format.channels) << 20 |
         static_cast<std::uint64_t>(audio::format_index(format.afmt)) << 27;
}

// Unpacks what another process wrote: every value comes back in range, garbage
// as the nearest thing that can be played.
inline audio::PcmFormat unpack_format(std::uint64_t word) {
  constexpr std::size_t kLast = std::size(audio::kSampleFormats) - 1;
  audio::PcmFormat format{};
  format.afmt = audio::kSampleFormats[std::min<std::size_t>((word >> 27) & 0x1f, kLast)].afmt;
  format.channels = std::clamp(static_cast<int>((word >> 20) & 0x7f), 1, audio::kMaxChannels);
  format.rate_hz =
      std::clamp(static_cast<int>(word & 0xfffff), audio::kMinRateHz, audio::kMaxRateHz);
  return format;
}

}  // namespace ossloop::device
