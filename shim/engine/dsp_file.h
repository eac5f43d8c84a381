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
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed) override {
    return endpoint_->read(fd, data, bytes, progressed);
  }
  ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed) override {
    return endpoint_->write(fd, data, bytes, progressed);
  }
  int ioctl(int fd, unsigned request, void* argument) override;
  short prepare_poll(int fd, short events) override { return endpoint_->prepare_poll(fd, events); }
  short poll_now(int fd) override { return endpoint_->poll_now(fd); }
  void want_edges(int fd) override { endpoint_->want_edges(fd); }
  void* map(int fd, const device::MapRequest& request, int& which, int& error) override;
  void unmap(int which) override { endpoint_->unmap(static_cast<device::Access>(which)); }
  void lend_by(device::Allowance& played, device::Allowance& recorded) override {
    endpoint_->lend_by(played, recorded);
  }
  void wake_who_waits(bool played) override {
    endpoint_->wake_who_waits(played ? device::kWrite : device::kRead);
  }
  int flags(int fd) override;
  int set_flags(int fd, int flags) override;
  void close_one(const std::function<void()>& close_descriptor) override {
    endpoint_->close_one(close_descriptor);
  }
  void leave(int fd, const std::function<void()>& close_descriptor) override {
    endpoint_->leave(fd, close_descriptor);
  }
  bool settled() const override { return endpoint_->settled(); }
  void settle() override { endpoint_->settle(); }
  void stop_lingering() override { endpoint_->stop_lingering(); }
  void before_fork() override { endpoint_->before_fork(); }
  void after_fork(bool child) override { endpoint_->after_fork(child); }

 private:
  const std::unique_ptr<device::Endpoint> endpoint_;
  const oss::InstanceSet& instances_;
};

}  // namespace ossloop::shim
