// The text of /dev/sndstat.
#pragma once

#include <string>

#include "oss/machine.h"

namespace ossloop::oss {

// In the manner of OSS 4: a head, then one line for each audio device with its
// direction and who has it open.
std::string sndstat(const Machine& machine);

}  // namespace ossloop::oss
