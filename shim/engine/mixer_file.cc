#include "shim/engine/mixer_file.h"

#include <errno.h>

#include "device/device_thread.h"
#include "oss/request_table.h"

namespace ossloop::shim {

config::DeviceName MixerFile::name() const {
  config::DeviceName name;
  name.kind = config::DeviceKind::kMixer;
  name.instance = instance_;
  return name;
}

// A mixer has nothing to read or write; OSS says so by ENXIO.
ssize_t MixerFile::read(int, std::byte*, std::size_t, bool) { return -ENXIO; }
ssize_t MixerFile::write(int, const std::byte*, std::size_t, bool) { return -ENXIO; }

int MixerFile::ioctl(int fd, unsigned request, void* argument) {
  oss::System system(instances_, -1);
  oss::Mixer mixer(instances_, instance_, segment_);
  const int result = oss::serve({nullptr, system, mixer}, fd, request, argument);
  device::DeviceThread::instance().stop_if_idle();
  return result;
}

}  // namespace ossloop::shim
