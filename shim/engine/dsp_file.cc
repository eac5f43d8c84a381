#include "shim/engine/dsp_file.h"

#include <fcntl.h>
#include <poll.h>

#include "oss/request_table.h"

namespace ossloop::shim {

config::DeviceName DspFile::name() const {
  config::DeviceName name;
  name.kind =
      endpoint_->side() == abi::kServer ? config::DeviceKind::kServer : config::DeviceKind::kClient;
  name.instance = endpoint_->instance();
  return name;
}

ssize_t DspFile::read(int fd, std::byte* data, std::size_t bytes, bool progressed) {
  return endpoint_->read(fd, data, bytes, progressed);
}

ssize_t DspFile::write(int fd, const std::byte* data, std::size_t bytes, bool progressed) {
  return endpoint_->write(fd, data, bytes, progressed);
}

int DspFile::ioctl(int fd, unsigned request, void* argument) {
  const int instance = endpoint_->instance();
  oss::Dsp dsp(*endpoint_, fd);
  oss::System system(instances_, oss::audio_device(instance, endpoint_->side()));
  oss::Mixer mixer(instances_, instance, endpoint_->segment());
  return oss::serve({&dsp, system, mixer}, fd, request, argument);
}

short DspFile::prepare_poll(int fd, short events) { return endpoint_->prepare_poll(fd, events); }

short DspFile::poll_now(int fd) { return endpoint_->poll_now(fd); }

void DspFile::want_edges(int fd) { endpoint_->want_edges(fd); }

void* DspFile::map(int fd, const device::MapRequest& request, int& which, int& error) {
  device::Access direction = device::kRead;
  void* address = endpoint_->map(fd, request, direction, error);
  which = static_cast<int>(direction);
  return address;
}

void DspFile::unmap(int which) { endpoint_->unmap(static_cast<device::Access>(which)); }

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

void DspFile::close_one(const std::function<void()>& close_descriptor) {
  endpoint_->close_one(close_descriptor);
}

void DspFile::leave(int fd, const std::function<void()>& close_descriptor) {
  endpoint_->leave(fd, close_descriptor);
}

void DspFile::before_fork() { endpoint_->before_fork(); }
void DspFile::after_fork(bool child) { endpoint_->after_fork(child); }

}  // namespace ossloop::shim
