// Files of the runtime folder that stand in for names of /dev.
#include <errno.h>

#include "base/sys.h"
#include "device/timer.h"
#include "shim/engine.h"
#include "shm/folder.h"
#include "shm/node.h"

namespace ossloop::shim {
namespace {

// Whoever comes first makes it; all may look into it.
int make_folder(const std::string& path) {
  const int made = base::sys().mkdir(path.c_str(), 0755);
  return made == -EEXIST ? 0 : made;
}

}  // namespace

int Engine::folder(const config::DeviceName& name, std::string& path) {
  path = runtime_.folder + (name.instance > 0    ? "/sound"
                            : name.instance == 0 ? "/oss_audioloop0"
                                                 : "/oss");
  int error = 0;
  device::Timer::instance().run([&] {
    error = shm::prepare_folder(runtime_.folder, runtime_.config.mode, true);
    if (error == 0) error = make_folder(path);
  });
  device::Timer::instance().rest();
  return error;
}

int Engine::node(const config::DeviceName& name, std::string& path) {
  abi::SideIndex side = abi::kClient;
  int instance = 0;
  if (!resolve(name, side, instance) || !machine_.exists(instance)) return -ENOENT;
  const shm::Node node(runtime_.folder, instance, side);
  path = node.path();
  int error = 0;
  device::Timer::instance().run([&] {
    error = shm::prepare_folder(runtime_.folder, runtime_.config.mode, true);
    if (error == 0) error = node.make(runtime_.config.mode);
  });
  device::Timer::instance().rest();
  return error;
}

}  // namespace ossloop::shim
