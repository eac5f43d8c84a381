// What ends the wait of a bridge from another thread: a descriptor that can be read.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/fd.h"

namespace ossloop::bridge {

class WakeEvent {
 public:
  WakeEvent() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

  // Readable as long as it is raised; -1 where the system has no descriptor for it.
  int fd() const { return fd_.get(); }
  // Any thread.
  void raise() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  }
  void clear() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  const base::Fd fd_;
};

}  // namespace ossloop::bridge
