// One device of the loop, open for one way, as the plugin drives it: every call by the entries of
// libossloop.so, every answer a value or -errno.
#pragma once

#include <alsa/asoundlib.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "alsa/loop_library.h"
#include "oss/soundcard.h"

namespace ossloop::alsa {

// The formats that both know, and no other.
struct FormatPair {
  snd_pcm_format_t alsa;
  std::int32_t afmt;
};
std::span<const FormatPair> formats();

class LoopDevice {
 public:
  LoopDevice() = default;
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  ~LoopDevice();

  // -EBUSY: taken. -ENODEV: nobody at the other end, or no such instance.
  int open(const char* path, bool plays);
  bool plays() const { return plays_; }

  // 0, -EINVAL, or -EBUSY: a server's format that a running stream has fixed.
  int set_format(snd_pcm_format_t format, unsigned channels, unsigned rate_hz);
  // The frames that the device then holds at once, or -errno.
  snd_pcm_sframes_t set_buffer(snd_pcm_uframes_t fragment, snd_pcm_uframes_t buffer);

  // Nothing moves until start(); what is queued is dropped.
  int hold();
  int start();
  int pause(bool on);

  // `wanted` as in ossloop_look.
  oss::ossloop_look look(snd_pcm_uframes_t wanted) const;

  // Frames moved without a wait, fewer than asked for where there are not more; -EAGAIN for
  // none. A read may tell an end: -ECONNRESET or -ENODATA, as the policy `eof` has it.
  snd_pcm_sframes_t write(const std::byte* data, snd_pcm_uframes_t frames) const;
  snd_pcm_sframes_t read(std::byte* data, snd_pcm_uframes_t frames) const;
  // Until one of them does something. 0 or -EINTR.
  int wait() const;

 private:
  template <typename Argument>
  int request(std::uint32_t code, Argument& argument) const;
  int trigger(std::int32_t directions) const;

  const LoopLibrary* library_ = nullptr;
  int fd_ = -1;
  bool plays_ = false;
  std::size_t frame_bytes_ = 1;
  bool runs_ = false;
};

}  // namespace ossloop::alsa
