// The program that joins an instance to a sound server, as this one starts it.
#pragma once

#include <string>

#include "bridge/options.h"
#include "config/runtime.h"

namespace ossloop::ctl {

// Replaces this process by the bridge of instance `number`. When that has begun it writes a line
// to `ready_fd`; -1: nobody waits for that. Returns only with one line in `why`.
void become_bridge(const config::Runtime& runtime, const bridge::Options& options, int number,
                   int ready_fd, std::string& why);

}  // namespace ossloop::ctl
