// An open mixer.
//
// Its descriptor is a FIFO of the runtime folder, opened as often as programs like
// and claimed by nobody: (device, inode) names the mixer after exec and in a
// process that received it, and everything else about it is in the segment.
#pragma once

#include <memory>
#include <utility>

#include "oss/instances.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

class MixerFile final : public OpenFile {
 public:
  MixerFile(int instance, std::shared_ptr<shm::Segment> segment, const oss::InstanceSet& instances)
      : instance_(instance), segment_(std::move(segment)), instances_(instances) {}

  config::DeviceName name() const override;
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed) override;
  ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed) override;
  int ioctl(int fd, unsigned request, void* argument) override;
  short prepare_poll(int /*fd*/, short events) override { return events; }

 private:
  const int instance_;
  const std::shared_ptr<shm::Segment> segment_;
  const oss::InstanceSet& instances_;
};

}  // namespace ossloop::shim
