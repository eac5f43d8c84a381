// An open audio device.
#pragma once

#include <memory>
#include <utility>

#include "device/endpoint.h"
#include "oss/instances.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

class DspFile final : public OpenFile {
 public:
  DspFile(std::unique_ptr<device::Endpoint> endpoint, const oss::InstanceSet& instances)
      : endpoint_(std::move(endpoint)), instances_(instances) {}

  config::DeviceName name() const override;
  device::Endpoint* endpoint() override { return endpoint_.get(); }
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed) override;
  ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed) override;
  int ioctl(int fd, unsigned request, void* argument) override;
  short prepare_poll(int fd, short events) override;
  short poll_now(int fd) override;
  void want_edges(int fd) override;
  void* map(int fd, const device::MapRequest& request, int& which, int& error) override;
  void unmap(int which) override;
  int flags(int fd) override;
  int set_flags(int fd, int flags) override;
  void close_one(const std::function<void()>& close_descriptor) override;
  void leave(int fd, const std::function<void()>& close_descriptor) override;
  void before_fork() override;
  void after_fork(bool child) override;

 private:
  const std::unique_ptr<device::Endpoint> endpoint_;
  const oss::InstanceSet& instances_;
};

}  // namespace ossloop::shim
