// Files of the runtime folder that stand in for names of /dev.
#include <errno.h>

#include "device/timer.h"
#include "shim/engine.h"
#include "shm/node.h"

namespace ossloop::shim {

int Engine::folder(const config::DeviceName& name, std::string& path) {
  const shm::RuntimeDirectory& directory = machine_.directory();
  const char* const real = name.instance > 0    ? "sound"
                           : name.instance == 0 ? "oss_audioloop0"
                                                : "oss";
  path = directory.path_of(real);
  int error = 0;
  device::Timer::instance().run([&] {
    error = directory.make();
    if (error == 0) error = directory.make_folder(real);
  });
  device::Timer::instance().rest();
  return error;
}

int Engine::node(const config::DeviceName& name, std::string& path) {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  if (!resolve(name, side, instance) || !machine_.exists(instance)) return -ENOENT;
  const shm::Node node(machine_.directory(), instance, side);
  path = node.path();
  int error = 0;
  device::Timer::instance().run([&] {
    error = machine_.directory().make();
    if (error == 0) error = node.make();
  });
  device::Timer::instance().rest();
  return error;
}

}  // namespace ossloop::shim
