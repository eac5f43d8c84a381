// The one table of a mixer's OSS 4 controls.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "abi/layout.h"
#include "oss/soundcard.h"
#include "shm/segment.h"

namespace ossloop::oss {

struct MixerControl {
  const char* name;   // as ossmix spells it, its group before a dot
  const char* label;  // the last part alone
  std::int32_t type;  // MIXT_
  std::int32_t flags = 0;
  std::int32_t parent = 0;       // its group's number in the table
  std::int32_t max_value = 0;    // of an enumeration: how many
  std::int32_t control_no = -1;  // SOUND_MIXER_ channel of OSS 3, or -1
  std::int32_t color = 0;
  const char* help = "";
  std::span<const std::string_view> values = {};  // of an enumeration
  // nullptr: not readable, not writeable. set returns 0 or -EINVAL.
  std::int32_t (*get)(const shm::Segment& segment) = nullptr;
  int (*set)(abi::Segment& segment, std::int32_t value) = nullptr;
};

std::span<const MixerControl> mixer_controls();

}  // namespace ossloop::oss
