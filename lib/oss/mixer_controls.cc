#include "oss/mixer_controls.h"

#include <errno.h>

#include <algorithm>
#include <cmath>

#include "base/sys.h"
#include "config/policy.h"
#include "device/loudness.h"
#include "stream/levels.h"

namespace ossloop::oss {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Levels in tenths of a decibel above the lowest, by fives.
constexpr std::int32_t kStep = 5;
constexpr std::int32_t kMaxLevel = device::kFullLevel * kStep;
constexpr std::int32_t kMaxPeak = 96;  // decibels above the step of 16 bits

template <abi::MixerChannel Channel>
std::int32_t get_level(const shm::Segment& segment) {
  const std::uint32_t level = device::mixer_level(segment.contract().mixer, Channel);
  return static_cast<std::int32_t>((level & 0xff) * kStep | (level >> 8) * kStep << 16);
}

template <abi::MixerChannel Channel>
int set_level(abi::Segment& segment, std::int32_t value) {
  const auto part = [&](int shift) {
    const auto tenths =
        static_cast<std::int32_t>((static_cast<std::uint32_t>(value) >> shift) & 0xffff);
    return static_cast<std::uint32_t>((std::min(tenths, kMaxLevel) + kStep / 2) / kStep);
  };
  device::set_mixer_level(segment.mixer, Channel, part(0) | part(16) << 8);
  return 0;
}

std::int32_t get_mute(const shm::Segment& segment) {
  return segment.contract().mixer.muted.load(kRelaxed) != 0 ? 1 : 0;
}
int set_mute(abi::Segment& segment, std::int32_t value) {
  if (segment.mixer.muted.exchange(value != 0 ? 1 : 0, kRelaxed) != (value != 0 ? 1U : 0U)) {
    segment.mixer.changes.fetch_add(1, kRelaxed);
  }
  return 0;
}

std::int32_t decibels(std::uint16_t peak) {
  if (peak == 0) return 0;
  const double level = kMaxPeak + 20 * std::log10(peak / double{device::kFullPeak});
  return std::clamp(static_cast<std::int32_t>(std::lround(level)), 1, kMaxPeak);
}

template <abi::DirectionIndex Direction>
std::int32_t get_peak(const shm::Segment& segment) {
  const device::Loudness loudness = device::loudness_of(segment, Direction, base::sys().now_ns());
  std::uint16_t peaks[device::kPeakChannels];
  device::tell_peaks(loudness, peaks);
  const std::int32_t left = decibels(peaks[0]);
  return left | (loudness.channels.size() > 1 ? decibels(peaks[1]) : left) << 8;
}

template <config::KeyName Name>
std::int32_t get_policy(const shm::Segment& segment) {
  return config::get<Name>(segment.contract().policy);
}
template <config::KeyName Name>
int set_policy(abi::Segment& segment, std::int32_t value) {
  const config::Key& row = config::kRow<Name>;
  if (!row.in_range(value)) return -EINVAL;
  if (config::get<Name>(segment.policy) != value) {
    row.store(segment.policy, value);
    segment.mixer.changes.fetch_add(1, kRelaxed);
  }
  return 0;
}

constexpr std::int32_t kBoth = MIXF_READABLE | MIXF_WRITEABLE;

template <abi::MixerChannel Channel>
constexpr MixerControl slider(const char* name, std::int32_t kind, std::int32_t channel,
                              std::int32_t color, const char* help) {
  return {.name = name,
          .label = name,
          .type = MIXT_STEREOSLIDER16,
          .flags = kBoth | MIXF_CENTIBEL | kind,
          .max_value = kMaxLevel,
          .control_no = channel,
          .color = color,
          .help = help,
          .get = get_level<Channel>,
          .set = set_level<Channel>};
}
template <abi::DirectionIndex Direction>
constexpr MixerControl meter(const char* name, const char* label, const char* help) {
  return {.name = name,
          .label = label,
          .type = MIXT_STEREOPEAK,
          .flags = MIXF_READABLE | MIXF_DECIBEL | MIXF_POLL,
          .parent = 6,
          .max_value = kMaxPeak,
          .color = OSS_RGB_WHITE,
          .help = help,
          .get = get_peak<Direction>};
}
template <config::KeyName Name>
constexpr MixerControl choice(const char* name, const char* help) {
  const config::Key& row = config::kRow<Name>;
  const auto values = static_cast<std::size_t>(row.maximum) + 1;
  return {.name = name,
          .label = row.name.data(),
          .type = MIXT_ENUM,
          .flags = kBoth,
          .parent = 9,
          .max_value = static_cast<std::int32_t>(values),
          .help = help,
          .values = {row.choices.data(), values},
          .get = get_policy<Name>,
          .set = set_policy<Name>};
}
constexpr MixerControl group(const char* name) {
  return {.name = name, .label = name, .type = MIXT_GROUP};
}

constexpr MixerControl kControls[] = {
    {.name = "", .label = "", .type = MIXT_DEVROOT, .parent = -1},
    {.name = "", .label = "", .type = MIXT_MARKER},
    slider<abi::kMixVolume>("vol", MIXF_MAINVOL, SOUND_MIXER_VOLUME, OSS_RGB_GREEN,
                            "Level of all that the client side plays or records."),
    slider<abi::kMixPcm>("pcm", MIXF_PCMVOL, SOUND_MIXER_PCM, OSS_RGB_GREEN,
                         "Level of what the client side plays."),
    slider<abi::kMixInput>("igain", MIXF_RECVOL, SOUND_MIXER_IGAIN, OSS_RGB_PINK,
                           "Level of what the client side records."),
    {.name = "mute",
     .label = "mute",
     .type = MIXT_MUTE,
     .flags = kBoth,
     .max_value = 2,
     .color = OSS_RGB_RED,
     .help = "Silences what the client side plays or records.",
     .get = get_mute,
     .set = set_mute},
    group("peak"),
    meter<abi::kClientToServer>("peak.play", "play", "Peak of what goes from client to server."),
    meter<abi::kServerToClient>("peak.record", "record",
                                "Peak of what goes from server to client."),
    group("loop"),
    choice<"eof">("loop.eof", "What the server reads at the end of a stream."),
    choice<"underrun">("loop.underrun", "What the consumer gets when the producer is late."),
    choice<"overrun">("loop.overrun", "Whether the producer waits for a late consumer."),
    choice<"quality">("loop.quality", "Quality of rate conversion, from the next open on."),
};
static_assert(kControls[6].type == MIXT_GROUP && kControls[9].type == MIXT_GROUP);

}  // namespace

std::span<const MixerControl> mixer_controls() { return kControls; }

}  // namespace ossloop::oss
