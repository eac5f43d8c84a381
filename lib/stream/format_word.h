// The packed word of abi::LoopFormat.
#pragma once

#include <algorithm>
#include <cstdint>

#include "audio/pcm_format.h"

namespace ossloop::device {

// What a server starts with at each open.
inline constexpr audio::PcmFormat kServerDefault{0x10 /* AFMT_S16_LE */, 2, 48000};

inline std::uint64_t pack(const audio::PcmFormat& format, std::uint16_t frozen_by_stream,
                          std::uint16_t serial) {
  return static_cast<std::uint64_t>(format.rate_hz) |
         static_cast<std::uint64_t>(format.channels) << 20 |
         static_cast<std::uint64_t>(audio::format_index(format.afmt)) << 27 |
         static_cast<std::uint64_t>(frozen_by_stream) << 32 |
         static_cast<std::uint64_t>(serial) << 48;
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

inline std::uint16_t frozen_by(std::uint64_t word) {
  return static_cast<std::uint16_t>(word >> 32);
}
inline std::uint16_t server_serial(std::uint64_t word) {
  return static_cast<std::uint16_t>(word >> 48);
}

// A stream's mark in the word: never 0, which means "not frozen", and never that
// of the stream before.
inline constexpr std::uint16_t freeze_mark(std::uint64_t stream) {
  return static_cast<std::uint16_t>(1 + stream % 0xffff);
}

}  // namespace ossloop::device
