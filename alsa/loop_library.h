// Where libossloop.so is, for a plugin that a program loads by ALSA's dynamic loader.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>

namespace ossloop::alsa {

// Its entries, which are those of libc with the devices of the loop. The program may have the
// library preloaded, and then its own calls are these already.
struct LoopLibrary {
  int (*open)(const char* path, int flags, ...) = nullptr;
  int (*close)(int fd) = nullptr;
  int (*ioctl)(int fd, unsigned long request, ...) = nullptr;
  ssize_t (*read)(int fd, void* data, std::size_t bytes) = nullptr;
  ssize_t (*write)(int fd, const void* data, std::size_t bytes) = nullptr;
  int (*poll)(pollfd* entries, nfds_t count, int timeout_ms) = nullptr;

  // The one that is preloaded; else that in the folder above the plugin's. nullptr, with one
  // line by ALSA's error handler, where there is none.
  static const LoopLibrary* find();
};

}  // namespace ossloop::alsa
