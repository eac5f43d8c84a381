// An open mixer.
//
// Its descriptor is a FIFO of the runtime folder, opened as often as programs like
// and claimed by nobody: (device, inode) names the mixer after exec and in a
// process that received it, and everything else about it is in the segment.
#pragma once

#include <errno.h>

#include <memory>
#include <utility>

#include "oss/instances.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

class MixerFile final : public OpenFile {
 public:
  MixerFile(int instance, std::shared_ptr<shm::Segment> segment, const oss::InstanceSet& instances)
      : instance_(instance), segment_(std::move(segment)), instances_(instances) {}

  config::DeviceName name() const override {
    return {.kind = config::DeviceKind::kMixer, .instance = instance_};
  }
  // A mixer has nothing to read or write; OSS says so by ENXIO.
  ssize_t read(int, std::byte*, std::size_t, bool) override { return -ENXIO; }
  ssize_t write(int, const std::byte*, std::size_t, bool) override { return -ENXIO; }
  int ioctl(int fd, unsigned request, void* argument) override;
  short prepare_poll(int /*fd*/, short events) override { return events; }

 private:
  const int instance_;
  const std::shared_ptr<shm::Segment> segment_;
  const oss::InstanceSet& instances_;
};

}  // namespace ossloop::shim
