// The packed word of abi::LoopFormat.
#pragma once

#include <cstdint>

#include "audio/pcm_format.h"

namespace ossloop::device {

inline constexpr int kMinRateHz = 5000;
inline constexpr int kMaxRateHz = 768000;
inline constexpr int kMaxChannels = 64;

// What a server starts with at each open.
inline constexpr audio::PcmFormat kServerDefault{0x10 /* AFMT_S16_LE */, 2, 48000};

std::uint64_t pack(const audio::PcmFormat& format, std::uint16_t frozen_by, std::uint16_t serial);

// Unpacks what another process wrote: every value comes back in range, garbage
// as the nearest thing that can be played.
audio::PcmFormat unpack_format(std::uint64_t word);

inline std::uint16_t frozen_by(std::uint64_t word) { return static_cast<std::uint16_t>(word >> 32); }
inline std::uint16_t server_serial(std::uint64_t word) {
  return static_cast<std::uint16_t>(word >> 48);
}

// A stream's mark in the word: never 0, which means "not frozen", and never that
// of the stream before.
inline constexpr std::uint16_t freeze_mark(std::uint64_t stream) {
  return static_cast<std::uint16_t>(1 + stream % 0xffff);
}

}  // namespace ossloop::device
