// How loud a direction is at the place it plays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/layout.h"
#include "shm/segment.h"

namespace ossloop::device {

inline constexpr std::size_t kPeakChannels = 128;
inline constexpr int kFullPeak = 32767;

// The largest sample of each channel of the producer in the tenth of a second before
// the play position, as loud as the producer's side makes it, 0 to kFullPeak; 0 where
// nothing plays or the ring has moved on. Copied from what still lies in the ring, by
// whoever asks, with or without a claim: playing costs nothing more. Returns the number
// of channels.
int find_peaks(const shm::Segment& segment, abi::DirectionIndex direction, std::int64_t now_ns,
               std::uint16_t (&peaks)[kPeakChannels]);

}  // namespace ossloop::device
