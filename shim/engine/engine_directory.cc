// Files of the runtime folder that stand in for names of /dev.
#include <errno.h>

#include "device/device_thread.h"
#include "shim/engine/engine.h"
#include "shm/node.h"

namespace ossloop::shim {

int Engine::folder(const config::DeviceName& name, std::string& path) {
  const shm::RuntimeDirectory& directory = instances_.directory();
  const char* const real = name.instance > 0    ? "sound"
                           : name.instance == 0 ? "oss_audioloop0"
                                                : "oss";
  path = directory.path_of(real);
  int error = 0;
  device::DeviceThread::instance().run([&] {
    error = directory.make();
    if (error == 0) error = directory.make_folder(real);
  });
  device::DeviceThread::instance().stop_if_idle();
  return error;
}

int Engine::node(const config::DeviceName& name, std::string& path) {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  if (!resolve(name, side, instance) || !instances_.exists(instance)) return -ENOENT;
  const shm::Node node(instances_.directory(), instance, side);
  path = node.path();
  int error = 0;
  device::DeviceThread::instance().run([&] {
    error = instances_.directory().make();
    if (error == 0) error = node.make();
  });
  device::DeviceThread::instance().stop_if_idle();
  return error;
}

}  // namespace ossloop::shim
