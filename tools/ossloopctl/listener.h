// What is heard of an instance without taking a side of it: a tap.
#pragma once

#include <signal.h>

#include <cstddef>
#include <memory>
#include <string>

#include "config/runtime.h"
#include "device/tap.h"
#include "ossloopctl/side.h"
#include "ossloopctl/source.h"

namespace ossloop::ctl {

class Listener : public Source {
 public:
  // Waits as long as `side` says for an instance that somebody uses. This and all below:
  // false with one line in `why`.
  bool open(const config::Runtime& runtime, const SideChoice& side, std::string& why);
  bool set_format(const audio::PcmFormat& format, std::string& why) override;

  std::size_t block_frames(const audio::PcmFormat&) override { return kBlockFrames; }
  bool wait(const sigset_t& blocked, int pipe, std::string& why) override;
  // Ended is a stream also when nobody uses the instance any more.
  bool read(void* data, std::size_t bytes, std::size_t& got, bool& ended,
            std::string& why) override;
  bool has_more() override;
  void follow() override { follows_ = true; }
  std::string faults() override;
  std::string losses() override;

 private:
  static constexpr std::size_t kBlockFrames = 1024;

  void look_for_users(std::int64_t now_ns);

  std::unique_ptr<device::Tap> tap_;
  std::string name_;
  shm::RuntimeDirectory folder_;
  int number_ = 0;
  abi::SideIndex side_ = abi::kServer;
  std::int64_t looked_ns_ = 0;
  std::size_t frame_bytes_ = 0;
  bool used_ = true;
  bool follows_ = false;
  bool told_ = false;  // that nobody uses it
};

}  // namespace ossloop::ctl
