// /dev/sndstat: the text as it was when it was opened.
//
// It lies in a sealed file without a name, so that the place of reading is the
// kernel's and goes with dup, fork, exec and messages, and so that stdio, which
// reads past us, finds it. Its name and its seals tell it from other such files.
#pragma once

#include <string>

#include "shim/engine/open_file.h"

namespace ossloop::shim {

class SndstatFile final : public OpenFile {
 public:
  // A descriptor with `text` behind it, or -errno.
  static int make(const std::string& text, bool close_on_exec);
  // Was `fd`, which came from elsewhere, made by make()?
  static bool is(int fd);

  config::DeviceName name() const override;
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed) override;
  ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed) override;
  int ioctl(int fd, unsigned request, void* argument) override;
  short prepare_poll(int /*fd*/, short events) override { return events; }
};

}  // namespace ossloop::shim
