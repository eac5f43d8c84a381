#include "oss/machine.h"

#include <fcntl.h>

#include <utility>

#include "base/fd.h"
#include "device/timer.h"
#include "shm/node.h"

namespace ossloop::oss {

Machine::Machine(std::string folder, int configured)
    : folder_(std::move(folder)), configured_(configured) {}

bool Machine::exists(int instance) const {
  if (instance < 0 || instance >= abi::kMaxInstances) return false;
  if (instance < configured_) return true;
  struct stat status {};
  return base::sys().fstatat(AT_FDCWD, shm::Segment::file_name(folder_, instance).c_str(), &status,
                             AT_SYMLINK_NOFOLLOW) == 0;
}

int Machine::count() const {
  int highest = configured_;
  for (int instance = configured_; instance < abi::kMaxInstances; ++instance) {
    if (exists(instance)) highest = instance + 1;
  }
  return highest;
}

std::shared_ptr<shm::Segment> Machine::segment(int instance) const {
  std::shared_ptr<shm::Segment> found;
  if (instance < 0 || instance >= abi::kMaxInstances) return found;
  int error = 0;
  device::Timer::instance().run(
      [&] { found = shm::Segment::open_existing(folder_, instance, error); });
  return found;
}

bool Machine::held(int instance, abi::SideIndex side) const {
  bool held = false;
  device::Timer::instance().run([&] {
    const base::Fd fd(shm::Node(folder_, instance, side).open(true));
    held = fd && shm::Node::claimed_by_other(fd.get());
  });
  return held;
}

}  // namespace ossloop::oss
