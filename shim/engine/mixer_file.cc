#include "shim/engine/mixer_file.h"

#include "device/device_thread.h"
#include "oss/request_table.h"

namespace ossloop::shim {

int MixerFile::ioctl(int fd, unsigned request, void* argument) {
  oss::System system(instances_, -1);
  oss::Mixer mixer(instances_, instance_, segment_);
  const int result = oss::serve({nullptr, system, mixer}, fd, request, argument);
  device::DeviceThread::instance().stop_if_idle();
  return result;
}

}  // namespace ossloop::shim
