// What levels do to sound, and how they are kept.
#pragma once

#include <cstdint>

#include "abi/layout.h"

namespace ossloop::device {

inline constexpr int kFullLevel = 100;
inline constexpr std::uint32_t kFullVolume = kFullLevel | kFullLevel << 8;

// Levels as OSS passes them, left | right << 8: each taken as at most 100.
std::uint32_t sane_volume(std::uint32_t volume);

// A level of the mixer, 0 to 100: 100 is 0 dB, each step below it half a decibel,
// 0 is silence.
std::uint32_t mixer_level(const abi::Mixer& mixer, abi::MixerChannel channel);
void set_mixer_level(abi::Mixer& mixer, abi::MixerChannel channel, std::uint32_t volume);

// All that acts on the sound of a direction, packed so that it can be compared: the
// stream's own volume in each half, and what the mixer does to the client's.
struct Levels {
  std::uint64_t producer = 0;
  std::uint64_t consumer = 0;
  bool operator==(const Levels&) const = default;
};
// Another stream's own volume in the place of the present one.
void set_volume(std::uint64_t& levels, std::uint64_t volume);
Levels levels_of(const abi::Mixer& mixer, abi::DirectionIndex direction, const abi::Half& producer,
                 const abi::Half& consumer);

// As linear factors. All levels full are exactly 1.
struct Factors {
  double left, right;
};
Factors factors_of(std::uint64_t levels);
Factors factors_of(const Levels& levels);

}  // namespace ossloop::device
