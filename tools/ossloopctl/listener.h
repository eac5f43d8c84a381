// What is heard of an instance without taking a side of it: a tap.
#pragma once

#include <signal.h>

#include <cstddef>
#include <memory>
#include <string>

#include "config/runtime.h"
#include "device/tap.h"
#include "ossloopctl/side.h"

namespace ossloop::ctl {

// Reads as a Device does.
class Listener {
 public:
  // Waits as long as `side` says for an instance that somebody uses. This and all below:
  // false with one line in `why`.
  bool open(const config::Runtime& runtime, const SideChoice& side, std::string& why);
  // From here on it hears.
  bool set_format(const audio::PcmFormat& format, std::string& why);

  // Sleeps until there is something to read, or a signal comes that `blocked` lets through:
  // then it is false with nothing in `why`.
  bool wait(const sigset_t& blocked, std::string& why);
  // Whole frames; `got` is 0 at the end of the stream, and when nobody uses the instance any
  // more.
  bool read(void* data, std::size_t bytes, std::size_t& got, std::string& why);

  std::uint64_t lost_frames() const { return tap_->lost_frames(); }

 private:
  void look_for_users(std::int64_t now_ns);

  std::unique_ptr<device::Tap> tap_;
  std::string name_;
  shm::RuntimeDirectory folder_;
  int number_ = 0;
  abi::SideIndex side_ = abi::kServer;
  std::int64_t looked_ns_ = 0;
  bool used_ = true;
};

}  // namespace ossloop::ctl
