// The side of a loop that this tool plays to or records from: an OSS program
// like any other, with the library preloaded.
#pragma once

#include <signal.h>

#include <cstddef>
#include <functional>
#include <string>

#include "audio/pcm_format.h"

namespace ossloop::ctl {

// What main() was given, for on_device().
void remember_words(char** words);

// Runs `work` in a process that has the library preloaded and `device`
// ("server0", "pcm3") as its /dev/dsp: this one, after it has replaced itself
// once. Returns an exit status.
int on_device(const std::string& device, const std::function<int()>& work);

class Device {
 public:
  enum class Direction { kRecord, kPlay };

  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  // Opens /dev/dsp. A client waits `wait_seconds` for a server. This and all
  // below: false with one line in `why`.
  bool open(Direction direction, double wait_seconds, std::string& why);
  bool set_format(const audio::PcmFormat& format, std::string& why);

  // Sleeps until there is something to read, or a signal comes that `blocked`
  // lets through: then it is false with nothing in `why`.
  bool wait(const sigset_t& blocked, std::string& why);
  // Whole frames; `got` is 0 at the end of the stream.
  bool read(void* data, std::size_t bytes, std::size_t& got, std::string& why);
  // All of it, whatever happens; `taken` bytes were accepted in any case.
  bool write(const void* data, std::size_t bytes, std::size_t& taken, std::string& why);
  // Waits until the peer has had everything.
  bool drain(std::string& why);

 private:
  bool ask(unsigned request, int value, const char* what, std::string& why);

  int fd_ = -1;
};

}  // namespace ossloop::ctl
