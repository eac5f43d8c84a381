// A program that is heard: an instance of its own, and a bridge from it to the sound server.
#pragma once

#include <functional>
#include <string>

#include "config/runtime.h"

namespace ossloop::ctl {

// Makes an instance and a bridge, and waits for that; calls `start` with the name of the device,
// in a process that it may replace by the program; and removes both when that has ended. With
// `speaks` the microphone is heard by the program. Returns the program's exit status, 128 and the
// number of the signal that ended it, or kFailed with one line told.
int run_heard(const config::Runtime& runtime, bool speaks,
              const std::function<int(const std::string& device)>& start);

}  // namespace ossloop::ctl
