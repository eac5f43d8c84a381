// A program's start and end, as far as they concern us.
#include "shim/engine_loader.h"
#include "shim/stdio_streams.h"

namespace {

using namespace ossloop::shim;

// Was the program given a device as standard input or output? Three looks at
// descriptors, and no more where it was not.
__attribute__((constructor)) void begin() {
  begin_process();
  for (int fd = 0; fd < 3; ++fd) {
    if (is_ours(fd)) settle_standard_stream(fd);
  }
}

// What is still open is closed as it would have been: sound is played to its end.
__attribute__((destructor)) void close_devices() {
  const EngineApi* engine = loaded_engine();
  if (engine == nullptr) return;
  flush_streams();
  engine->close_all();
}

}  // namespace
