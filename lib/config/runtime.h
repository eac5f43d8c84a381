// Configuration as this process finds it: the file, and the environment over it.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace ossloop::config {

inline constexpr const char* kConfigFile = "/etc/oss4/conf/oss_audioloop.conf";

struct Runtime {
  Config config;
  std::string folder;  // of the nodes and segments
};

// Reads $OSSLOOP_CONF or kConfigFile (which may be missing) and finds the runtime
// folder: $OSSLOOP_DIR, else runtime_dir, else /dev/shm/ossloop-UID; where somebody else
// has made that one, $XDG_RUNTIME_DIR/ossloop.
Runtime load_runtime(std::vector<Diagnostic>& diagnostics);

// What /dev/dsp stands for now: $OSSLOOP_DSP over the configuration. A bad value
// is told in `why` and passed over.
DefaultDevice default_device(const Config& config, std::string& why);

// $OSSLOOP_OPEN_WAIT in nanoseconds; 0 if unset. A bad value is told in `why`.
std::int64_t open_wait_ns(std::string& why);

}  // namespace ossloop::config
