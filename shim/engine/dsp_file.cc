#include "shim/engine/dsp_file.h"

#include <fcntl.h>
#include <poll.h>

#include "oss/request_table.h"

namespace ossloop::shim {

config::DeviceName DspFile::name() const {
  const bool server = endpoint_->side() == abi::kServer;
  return {.kind = server ? config::DeviceKind::kServer : config::DeviceKind::kClient,
          .instance = endpoint_->instance()};
}

int DspFile::ioctl(int fd, unsigned request, void* argument) {
  const int instance = endpoint_->instance();
  oss::Dsp dsp(*endpoint_, fd);
  oss::System system(instances_, oss::audio_device(instance, endpoint_->side()));
  oss::Mixer mixer(instances_, instance, endpoint_->segment());
  return oss::serve({&dsp, system, mixer}, fd, request, argument);
}

void* DspFile::map(int fd, const device::MapRequest& request, int& which, int& error) {
  device::Access direction = device::kRead;
  void* address = endpoint_->map(fd, request, direction, error);
  which = static_cast<int>(direction);
  return address;
}

int DspFile::flags(int /*fd*/) {
  const std::uint32_t access = endpoint_->access();
  const int direction = access == device::kReadWrite ? O_RDWR
                        : access == device::kWrite   ? O_WRONLY
                                                     : O_RDONLY;
  return direction | (endpoint_->nonblock() ? O_NONBLOCK : 0);
}

int DspFile::set_flags(int fd, int flags) {
  endpoint_->set_nonblock((flags & O_NONBLOCK) != 0);
  if ((flags & O_ASYNC) != 0) {
    // SIGIO is asked for: that is waiting, from now on.
    endpoint_->prepare_poll(fd, POLLIN | POLLOUT);
    endpoint_->want_edges(fd);
  }
  return 0;
}

}  // namespace ossloop::shim
