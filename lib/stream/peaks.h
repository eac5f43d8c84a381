// How loud a direction is at the place it plays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "abi/layout.h"
#include "audio/pcm_format.h"
#include "stream/flow.h"

namespace ossloop::device {

inline constexpr std::size_t kPeakChannels = 128;
inline constexpr int kFullPeak = 32767;

// Where the frames lie, in one run from a position in the ring on: how many comes back in
// `frames`. nullptr: they cannot be had.
using RingPiece = std::function<const std::byte*(std::uint64_t position, std::size_t& frames)>;

// The largest sample of each channel in the tenth of a second before the play
// position, 0 to kFullPeak; 0 where nothing plays or the ring has moved on. Read
// from what still lies in the ring, by whoever asks: playing costs nothing more.
void find_peaks(abi::Segment& segment, abi::DirectionIndex direction, const RingPiece& piece,
                const audio::PcmFormat& loop, const RingLimits& limits, std::int64_t now_ns,
                std::uint16_t (&peaks)[kPeakChannels]);

}  // namespace ossloop::device
