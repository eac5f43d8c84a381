// The loop as the sound card of ALSA programs: conf/alsa.conf.in.
#pragma once

#include <string>

namespace ossloop::ctl {

// Sets the environment of a program, and of those that it starts, so that ALSA's default
// devices are /dev/dsp and /dev/mixer. False with one line in `why`: what has to be installed
// for that.
bool prepare_alsa(std::string& why);

}  // namespace ossloop::ctl
