// The text of /dev/sndstat.
#pragma once

#include <string>

#include "oss/instances.h"

namespace ossloop::oss {

// In the manner of OSS 4: a head, then the device objects, mixers, audio devices
// with their state, direction and who has them open, and the short names.
// `default_device`: what /dev/dsp stands for, "" for nothing.
std::string sndstat(const InstanceSet& instances, const std::string& default_device);

}  // namespace ossloop::oss
