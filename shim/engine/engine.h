// The engine: everything behind the preloaded file, as one shared object that is
// loaded when a device is first opened.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstddef>
#include <string>

#include "config/runtime.h"
#include "oss/instances.h"
#include "shim/engine/open_files.h"
#include "shim/engine_api.h"

namespace ossloop::shim {

class Engine {
 public:
  explicit Engine(DescriptorTable& table);

  OpenFiles& open_files() { return open_files_; }

  // Opens a device: a descriptor or -errno.
  int open(const config::DeviceName& name, int flags);
  // As stat() would say of a character device. -ENOENT: no such instance.
  int stat(const config::DeviceName& name, struct stat& status) const;
  // The folder that stands for a virtual one, and the node of a device, made if
  // they are missing: a path in `path`, or -errno.
  int folder(const config::DeviceName& name, std::string& path);
  int node(const config::DeviceName& name, std::string& path);
  // Is this descriptor, which came from elsewhere, one of ours? Then it is in the
  // table afterwards.
  bool adopt(int fd);

 private:
  // What is wrong with an environment variable, once in this process: programs ask
  // for a device again and again.
  class WarnOnce {
   public:
    void tell(const std::string& why);

   private:
    std::atomic<std::size_t> told_{0};
  };

  // What a name without a number stands for now. False: nothing.
  bool resolve(const config::DeviceName& name, abi::SideIndex& side, int& instance) const;
  int try_to_open(const device::OpenRequest& request, int& error);
  int open_dsp(const config::DeviceName& name, int flags);
  int open_mixer(const config::DeviceName& name, int flags);
  int open_sndstat(int flags);
  shm::SegmentInit init(int instance) const;
  bool adopt_place(int fd, int instance, const shm::Place& place);
  bool adopt_mixer(int fd, int instance);

  config::Runtime runtime_;
  mutable WarnOnce bad_dsp_, bad_wait_;
  oss::InstanceSet instances_;
  OpenFiles open_files_;
};

// Made by the first call; never destroyed: the program's other threads run until
// the very end.
extern Engine* engine;
// Of the preloaded file: how often memory was unmapped, moved or protected.
extern const std::atomic<unsigned>* memory_changes;
extern const EngineApi kEngineCalls;

}  // namespace ossloop::shim
