// Between the preloaded file and the engine, which is loaded when a device is
// first opened. Results are values or -errno.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/host.h"
#include "config/device_path.h"
#include "shim/descriptor_table.h"

namespace ossloop::shim {

inline constexpr unsigned kEngineVersion = 7;
inline constexpr int kNoLongerOurs = 4095;  // no errno

struct EngineApi {
  unsigned version;

  // Opens a device; the new descriptor is in the table.
  int (*open)(const config::DeviceName* name, int flags);
  // As stat() would say of a character device. -ENOENT: no such instance.
  int (*stat)(const config::DeviceName* name, struct stat* status);
  // The same for a descriptor that is ours.
  int (*fstat)(int fd, struct stat* status);
  // What a descriptor of ours is. 0 or -errno.
  int (*name)(int fd, config::DeviceName* name);
  // The real, empty folder that stands for a virtual one; made if it is missing.
  int (*folder)(const config::DeviceName* name, char* path, std::size_t size);
  // The file that shows when somebody uses a device.
  int (*node)(const config::DeviceName* name, char* path, std::size_t size);
  // Is this FIFO one of our nodes? Then it is in the table afterwards.
  bool (*adopt)(int fd);

  // `progressed`: earlier pieces of the same vector were moved.
  // -kNoLongerOurs: another thread has put something else there, or nothing, since it was looked
  // at.
  ssize_t (*read)(int fd, void* data, std::size_t bytes, bool progressed);
  ssize_t (*write)(int fd, const void* data, std::size_t bytes, bool progressed);
  int (*ioctl)(int fd, unsigned request, void* argument);
  // Before a wait for `events`: those to ask the kernel for. A byte may stand for room.
  short (*prepare_poll)(int fd, short events);
  // After it: the events that are true now.
  short (*poll_now)(int fd);
  // Somebody will hear of changes only: EPOLLET.
  void (*want_edges)(int fd);

  // mmap at offset 0; nullptr with error.
  void* (*map)(int fd, void* address, std::size_t bytes, int protection, int flags, int* error);
  // Does [begin, end) hold any of a device's buffer? Then what became of it is told.
  bool (*maps_overlap)(std::uintptr_t begin, std::uintptr_t end);
  void (*unmapped)(std::uintptr_t begin, std::uintptr_t end);
  void (*map_moved)(std::uintptr_t begin, std::uintptr_t end, std::uintptr_t to, std::size_t bytes);

  int (*get_flags)(int fd);             // F_GETFL
  int (*set_flags)(int fd, int flags);  // F_SETFL

  // `fd` was just made by dup and is the open of `source`.
  void (*duplicated)(int source, int fd);
  // Closes, or replaces by dup2 of `source` (with O_CLOEXEC in `flags`).
  int (*close)(int fd);
  int (*replace)(int source, int fd, int flags);
  // The number stands for something else by now: it was closed out of our sight.
  void (*lost)(int fd);

  // At the program's exit.
  void (*close_all)();

  // Around fork().
  void (*before_fork)();
  void (*after_fork)(bool child);

  // Does a thread of ours keep readiness true? Else a wait looks for itself.
  bool (*has_thread)();

  // Before the program installs a signal's handler, and after any change of one.
  void (*handler_coming)();
  void (*handlers_changed)();
  // Once the program can ask for the engine: what it installed before that.
  void (*inspect_handlers)();
};

// What lives in the preloaded file.
struct Preloaded {
  DescriptorTable* descriptors;
  // See base/host.h.
  bool (*own_process)();
  base::ThreadNote& (*thread_note)();
  // How often the program unmapped, moved or protected memory.
  const std::atomic<unsigned>* memory_changes;
};

using EngineEntry = const EngineApi* (*)(const Preloaded* preloaded);
inline constexpr const char* kEngineEntryName = "ossloop_engine";

}  // namespace ossloop::shim
