// The mixer of an instance, as elements of an ALSA card.
#pragma once

#include <alsa/asoundlib.h>
#include <alsa/control_external.h>

#include <cstdint>
#include <span>

#include "alsa/loop_library.h"
#include "alsa/wake_timer.h"

namespace ossloop::alsa {

// Levels from 0 (silence) to 100 (0 dB) for two channels, or a switch.
struct MixerElement {
  const char* name;
  std::uint32_t read_level, write_level;  // requests; 0: it is the switch
};
std::span<const MixerElement> mixer_elements();

class LoopMixer {
 public:
  LoopMixer();
  LoopMixer(const LoopMixer&) = delete;
  LoopMixer& operator=(const LoopMixer&) = delete;
  ~LoopMixer();

  // 0 and the control, which deletes this object when it is closed; or -errno.
  int open(snd_ctl_t** control, const char* name, const char* device, int mode);

  // `values`: two, or one of the switch. `write`: 1 if something has changed.
  int read(const MixerElement& element, long* values);
  int write(const MixerElement& element, const long* values);

  void subscribe(bool on);
  // Has anybody changed a level? Then each element is told of, one call after another: 1 and
  // the number of it, or -EAGAIN.
  int next_event(unsigned& element);

 private:
  int read_level(std::uint32_t request, long* values);
  int find_mute();
  int modified();

  snd_ctl_ext_t ext_{};
  const LoopLibrary* library_ = nullptr;
  int fd_ = -1;
  int mute_ = -1;  // number of the control, as OSS 4 counts them
  int timestamp_ = 0;
  WakeTimer timer_;
  int seen_ = -1;
  unsigned to_tell_ = 0;
};

}  // namespace ossloop::alsa
