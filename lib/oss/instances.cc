#include "oss/instances.h"

#include <errno.h>

#include <utility>

#include "device/device_thread.h"
#include "shm/claims.h"
#include "stream/flow.h"

namespace ossloop::oss {

InstanceSet::InstanceSet(shm::RuntimeDirectory directory, int configured, MakeInit make_init)
    : directory_(std::move(directory)), configured_(configured), make_init_(std::move(make_init)) {}

bool InstanceSet::exists(int instance) const {
  if (instance < 0 || instance >= abi::kMaxInstances) return false;
  if (instance < configured_) return true;
  struct stat status {};
  return directory_.glance(shm::segment_name(instance), status) == 0;
}

int InstanceSet::count() const {
  int highest = configured_;
  for (int instance = configured_; instance < abi::kMaxInstances; ++instance) {
    if (exists(instance)) highest = instance + 1;
  }
  return highest;
}

std::shared_ptr<shm::Segment> InstanceSet::segment(int instance) const {
  std::shared_ptr<shm::Segment> found;
  if (instance < 0 || instance >= abi::kMaxInstances) return found;
  int error = 0;
  device::DeviceThread::instance().run(
      [&] { found = shm::Segment::open_existing(directory_, instance, error); });
  return found;
}

std::shared_ptr<shm::Segment> InstanceSet::make_segment(int instance, int& error) const {
  error = -ENXIO;
  if (!exists(instance)) return nullptr;
  if (auto found = segment(instance); found != nullptr) return found;
  if (make_init_ == nullptr) return nullptr;
  const shm::SegmentInit init = make_init_(instance);
  std::shared_ptr<shm::Segment> made;
  device::DeviceThread::instance().run([&] {
    error = directory_.make();
    if (error == 0) made = shm::Segment::open(directory_, instance, init, error);
  });
  return made;
}

std::vector<const abi::Half*> InstanceSet::opens(abi::Segment& segment, int instance,
                                                 abi::SideIndex side) const {
  std::vector<const abi::Half*> all;
  for (std::uint32_t slot = 0; slot < shm::slots_of(side); ++slot) {
    for (const abi::Half* half : opens(segment, instance, side, slot)) all.push_back(half);
  }
  return all;
}

std::vector<const abi::Half*> InstanceSet::opens(abi::Segment& segment, int instance,
                                                 abi::SideIndex side, std::uint32_t slot) const {
  std::vector<const abi::Half*> opens;
  device::each_open(segment, side, slot, [&](const abi::Half& half, std::uint32_t) {
    if (held(instance, shm::place_of(half, side, slot))) opens.push_back(&half);
  });
  return opens;
}

bool InstanceSet::held(int instance, const shm::Place& place) const {
  bool held = false;
  device::DeviceThread::instance().run([&] { held = shm::is_held(directory_, instance, place); });
  return held;
}

}  // namespace ossloop::oss
