#include "stream/levels.h"

#include <algorithm>
#include <cmath>

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint64_t kMuted = std::uint64_t{1} << 63;

std::uint32_t part(std::uint64_t levels, int shift) {
  return std::min<std::uint32_t>(static_cast<std::uint32_t>(levels >> shift) & 0xff, kFullLevel);
}

// Of attenuations, which a hostile process may have written.
std::uint64_t attenuation(const abi::Mixer& mixer, abi::MixerChannel channel) {
  return sane_volume(mixer.attenuation[channel].load(kRelaxed));
}

double factor(std::uint64_t levels, int side) {
  const std::uint32_t volume = part(levels, side);
  const std::uint32_t master = part(levels, 16 + side);
  const std::uint32_t channel = part(levels, 32 + side);
  if ((levels & kMuted) != 0 || master == kFullLevel || channel == kFullLevel) return 0;
  return volume / double{kFullLevel} * std::pow(10.0, -0.5 * (master + channel) / 20);
}

std::uint64_t mixed_levels(std::uint32_t volume, const abi::Mixer& mixer, bool playing) {
  const bool muted = mixer.muted.load(kRelaxed) != 0;
  return sane_volume(volume) | attenuation(mixer, abi::kMixVolume) << 16 |
         attenuation(mixer, playing ? abi::kMixPcm : abi::kMixInput) << 32 | (muted ? kMuted : 0);
}

}  // namespace

std::uint32_t sane_volume(std::uint32_t volume) { return part(volume, 0) | part(volume, 8) << 8; }

std::uint32_t mixer_level(const abi::Mixer& mixer, abi::MixerChannel channel) {
  const std::uint64_t lowered = attenuation(mixer, channel);
  return (kFullLevel - part(lowered, 0)) | (kFullLevel - part(lowered, 8)) << 8;
}

void set_mixer_level(abi::Mixer& mixer, abi::MixerChannel channel, std::uint32_t volume) {
  const std::uint32_t sane = sane_volume(volume);
  const std::uint32_t lowered = (kFullLevel - part(sane, 0)) | (kFullLevel - part(sane, 8)) << 8;
  if (mixer.attenuation[channel].exchange(lowered, kRelaxed) == lowered) return;
  mixer.changes.fetch_add(1, kRelaxed);
}

void set_volume(std::uint64_t& levels, std::uint64_t volume) {
  levels = (levels & ~std::uint64_t{0xffff}) | sane_volume(static_cast<std::uint32_t>(volume));
}

Levels levels_of(const abi::Mixer& mixer, abi::DirectionIndex direction, const abi::Half& producer,
                 const abi::Half& consumer) {
  const std::uint32_t played = producer.volume.load(kRelaxed);
  const std::uint32_t recorded = consumer.volume.load(kRelaxed);
  if (direction == abi::kClientToServer) {
    return {mixed_levels(played, mixer, true), sane_volume(recorded)};
  }
  return {sane_volume(played), mixed_levels(recorded, mixer, false)};
}

Factors factors_of(std::uint64_t levels) { return {factor(levels, 0), factor(levels, 8)}; }

Factors factors_of(const Levels& levels) {
  const Factors producer = factors_of(levels.producer);
  const Factors consumer = factors_of(levels.consumer);
  return {producer.left * consumer.left, producer.right * consumer.right};
}

}  // namespace ossloop::device
