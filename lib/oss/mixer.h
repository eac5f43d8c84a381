// The mixer of an instance as the OSS API sees it: the channels of OSS 3, and the
// controls of OSS 4 for any instance.
//
// Both are the same levels in the shared segment, so whoever sets one is heard by
// all. One member per request; each returns 0 or -errno and works on a copy of
// the caller's argument. A level is 0 to 100: 100 is 0 dB, each step below it half
// a decibel, 0 is silence. With the policy volume=lock a level that is written
// stays, and comes back, as it was.
#pragma once

#include <cstdint>
#include <memory>

#include "oss/instances.h"
#include "oss/soundcard.h"
#include "shm/segment.h"

namespace ossloop::oss {

struct MixerControl;

class Mixer {
 public:
  // `own`: the segment of `instance`, which the caller holds.
  Mixer(const InstanceSet& instances, int instance, const std::shared_ptr<shm::Segment>& own)
      : instances_(instances), instance_(instance), own_(own) {}

  // OSS 3: left | right << 8.
  int level(std::int32_t& level, abi::MixerChannel channel);
  int set_level(std::int32_t& level, abi::MixerChannel channel);
  std::int32_t channels() const;
  std::int32_t record_channels() const;
  std::int32_t capabilities() const;
  int legacy_info(mixer_info& info);

  // OSS 4. `dev` of the argument is the mixer, -1 this one. -ENXIO: no such
  // mixer; -EIDRM: no such control, or not of this time; -EFAULT: a control that
  // cannot be read, or written, as OSS has it.
  std::int32_t mixers() const;
  int controls(std::int32_t& device_and_count);
  int info(oss_mixerinfo& info);
  int control_info(oss_mixext& info);
  int value(oss_mixer_value& value);
  int set_value(oss_mixer_value& value);
  int value_names(oss_mixer_enuminfo& names);
  int description(oss_mixer_enuminfo& text);

 private:
  // A mixer, and a control of it. `device`: -1 becomes this one.
  struct Found {
    int error = 0;
    std::shared_ptr<shm::Segment> segment{};
    const MixerControl* control = nullptr;
  };
  Found find(int& device) const;
  Found find(int& device, int control) const;

  const InstanceSet& instances_;
  const int instance_;
  const std::shared_ptr<shm::Segment>& own_;
};

}  // namespace ossloop::oss
