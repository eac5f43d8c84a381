// How loud a direction is at the place it plays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/layout.h"
#include "shm/segment.h"

namespace ossloop::device {

// By channels: the largest sample and the root of the mean square, of 1.
struct Loudness {
  struct Channel {
    double peak = 0;
    double rms = 0;
  };
  std::vector<Channel> channels;

  // Together with another that sounds at the same time: the larger peak, and the power of
  // both.
  void join(const Loudness& other);
};

// Of what a client plays (`slot`), or the server, in the tenth of a second before the play
// position, as loud as the producer's side makes it; 0 where nothing plays or the ring has
// moved on. Copied from what still lies in the ring, by whoever asks, with or without a
// claim: playing costs nothing more.
Loudness loudness_of(const shm::Segment& segment, abi::DirectionIndex direction, std::uint32_t slot,
                     std::int64_t now_ns);
// Of all that play in a direction.
Loudness loudness_of(const shm::Segment& segment, abi::DirectionIndex direction,
                     std::int64_t now_ns);

// As OSS tells them: 0 to kFullPeak.
inline constexpr std::size_t kPeakChannels = 128;
inline constexpr int kFullPeak = 32767;
void tell_peaks(const Loudness& loudness, std::uint16_t (&peaks)[kPeakChannels]);

}  // namespace ossloop::device
