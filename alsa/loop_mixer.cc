#include "alsa/loop_mixer.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstring>

#include "oss/soundcard.h"

namespace ossloop::alsa {
namespace {

using namespace oss;

constexpr MixerElement kElements[] = {
    {"Master Playback Volume", SOUND_MIXER_READ_VOLUME, SOUND_MIXER_WRITE_VOLUME},
    {"Master Playback Switch", 0, 0},
    {"PCM Playback Volume", SOUND_MIXER_READ_PCM, SOUND_MIXER_WRITE_PCM},
    {"Capture Volume", SOUND_MIXER_READ_IGAIN, SOUND_MIXER_WRITE_IGAIN},
};

constexpr std::int64_t kLookAgainNs = 250'000'000;
constexpr std::int32_t kMostControls = 64;

}  // namespace

std::span<const MixerElement> mixer_elements() { return kElements; }

LoopMixer::~LoopMixer() {
  if (fd_ >= 0) library_->close(fd_);
}

// The descriptor of the mixer itself is a device of OSS 4 as well.
int LoopMixer::find_mute() {
  for (std::int32_t number = 0; number < kMostControls; ++number) {
    oss_mixext control{};
    control.dev = -1;
    control.ctrl = number;
    if (library_->ioctl(fd_, SNDCTL_MIX_EXTINFO, &control) < 0) return -errno;
    if (control.type != MIXT_MUTE) continue;
    mute_ = number;
    timestamp_ = control.timestamp;
    return 0;
  }
  return -ENOENT;
}

int LoopMixer::read_level(std::uint32_t request, long* values) {
  std::int32_t level = 0;
  if (library_->ioctl(fd_, request, &level) < 0) return -errno;
  values[0] = level & 0xff;
  values[1] = level >> 8 & 0xff;
  return 0;
}

int LoopMixer::read(const MixerElement& element, long* values) {
  if (element.read_level != 0) return read_level(element.read_level, values);
  oss_mixer_value value{};
  value.dev = -1;
  value.ctrl = mute_;
  value.timestamp = timestamp_;
  if (library_->ioctl(fd_, SNDCTL_MIX_READ, &value) < 0) return -errno;
  values[0] = value.value == 0 ? 1 : 0;
  return 0;
}

int LoopMixer::write(const MixerElement& element, const long* values) {
  long before[2] = {0, 0};
  if (const int error = read(element, before); error != 0) return error;
  if (element.read_level == 0) {
    oss_mixer_value value{};
    value.dev = -1;
    value.ctrl = mute_;
    value.timestamp = timestamp_;
    value.value = values[0] == 0 ? 1 : 0;
    if (library_->ioctl(fd_, SNDCTL_MIX_WRITE, &value) < 0) return -errno;
    return values[0] != before[0] ? 1 : 0;
  }
  const auto part = [&](int i) {
    return static_cast<std::int32_t>(std::clamp(values[i], 0L, 100L));
  };
  std::int32_t level = part(0) | part(1) << 8;
  if (library_->ioctl(fd_, element.write_level, &level) < 0) return -errno;
  return part(0) != before[0] || part(1) != before[1] ? 1 : 0;
}

int LoopMixer::modified() {
  oss_mixerinfo info{};
  info.dev = -1;
  return library_->ioctl(fd_, SNDCTL_MIXERINFO, &info) < 0 ? -1 : info.modify_counter;
}

void LoopMixer::subscribe(bool on) {
  seen_ = modified();
  to_tell_ = 0;
  if (on) {
    timer_.set(WakeTimer::now_ns() + kLookAgainNs);
  } else {
    timer_.stop();
  }
}

int LoopMixer::next_event(unsigned& element) {
  if (to_tell_ == 0) {
    const int now = modified();
    if (now != seen_) to_tell_ = static_cast<unsigned>(std::size(kElements));
    seen_ = now;
  }
  if (to_tell_ == 0) {
    timer_.set(WakeTimer::now_ns() + kLookAgainNs);
    return -EAGAIN;
  }
  element = --to_tell_;
  return 1;
}

}  // namespace ossloop::alsa
