// The side of a loop that this tool plays to or records from: an OSS program
// like any other, with the library preloaded.
#pragma once

#include <signal.h>

#include <cstddef>
#include <functional>
#include <string>

#include "audio/pcm_format.h"
#include "ossloopctl/source.h"

namespace ossloop::ctl {

// What main() was given, for on_device().
void remember_words(char** words);
char** given_words();

// Runs `work` in a process that has the library preloaded and `device`
// ("server0", "pcm3") as its /dev/dsp: this one, after it has replaced itself
// once. Returns an exit status.
int on_device(const std::string& device, const std::function<int()>& work);

class Device : public Source {
 public:
  enum class Direction { kRecord, kPlay };

  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() override;

  // Opens /dev/dsp. A client waits `wait_seconds` for a server. This and all
  // below: false with one line in `why`.
  bool open(Direction direction, double wait_seconds, std::string& why);
  bool set_format(const audio::PcmFormat& format, std::string& why) override;

  // A fragment, that is what the device wakes a program for.
  std::size_t block_frames(const audio::PcmFormat& format) override;
  bool wait(const sigset_t& blocked, int pipe, std::string& why) override;
  bool read(void* data, std::size_t bytes, std::size_t& got, bool& ended,
            std::string& why) override;
  bool has_more() override;
  void follow() override { follows_ = true; }
  std::string faults() override;

  // All of it, whatever happens; `taken` bytes were accepted in any case.
  bool write(const void* data, std::size_t bytes, std::size_t& taken, std::string& why);
  // Accepted and not yet played.
  std::size_t delay_bytes();
  // For as long as a line of progress stands.
  void pause();
  // Waits until the peer has had everything.
  bool drain(std::string& why);

 private:
  bool ask(unsigned request, int value, const char* what, std::string& why);

  int fd_ = -1;
  bool follows_ = false;
  bool absent_ = false;  // who would play has not come
  bool alone_ = false;   // nobody plays, and a poll may not sleep
  int xruns_ = 0;
};

}  // namespace ossloop::ctl
