// /dev/sndstat: the text as it was when it was opened.
//
// It lies in a sealed file without a name, so that the place of reading is the
// kernel's and goes with dup, fork, exec and messages, and so that stdio, which
// reads past us, finds it. Its name and its seals tell it from other such files.
#pragma once

#include <errno.h>

#include <string>

#include "base/sys.h"
#include "shim/engine/open_file.h"

namespace ossloop::shim {

class SndstatFile final : public OpenFile {
 public:
  // A descriptor with `text` behind it, or -errno.
  static int make(const std::string& text, bool close_on_exec);
  // Was `fd`, which came from elsewhere, made by make()?
  static bool is(int fd);

  config::DeviceName name() const override { return {.kind = config::DeviceKind::kSndstat}; }
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool /*progressed*/) override {
    return base::sys().read(fd, data, bytes);
  }
  ssize_t write(int, const std::byte*, std::size_t, bool) override { return -EBADF; }
  int ioctl(int, unsigned, void*) override { return -EINVAL; }
  short prepare_poll(int /*fd*/, short events) override { return events; }
};

}  // namespace ossloop::shim
