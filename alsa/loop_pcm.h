// A PCM of ALSA on a device of the loop: ALSA's pointers, states and waits out of what the device
// counts.
//
//   playback   appl_ptr = sent; hw_ptr = sent - queued in the device, which has all of the buffer
//   recording  appl_ptr = taken; hw_ptr = taken + drawn + recorded in the device
//
// A device records into less than a long buffer of ALSA's; then `drawn` holds the rest, filled
// whenever somebody waits or asks. ALSA calls with the lock of the PCM held, but for what waits.
#pragma once

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "alsa/loop_device.h"
#include "alsa/wake_timer.h"

namespace ossloop::alsa {

class LoopPcm {
 public:
  LoopPcm();

  // 0 and the PCM, which deletes this object when it is closed; or -errno.
  int open(snd_pcm_t** pcm, const char* name, const char* device, snd_pcm_stream_t stream,
           int mode);

  int set_hardware();
  int set_software(snd_pcm_sw_params_t* params);
  int prepare();
  int start();
  int stop();
  int pause(bool on);
  // The frame of hw_ptr, below `boundary_`; -EPIPE: an xrun.
  snd_pcm_sframes_t pointer();
  snd_pcm_sframes_t delay();
  // Frames moved or -errno; -EAGAIN only where the program does not want to wait.
  snd_pcm_sframes_t transfer(const snd_pcm_channel_area_t* areas, snd_pcm_uframes_t offset,
                             snd_pcm_uframes_t frames);

  // Sets the timer to when there is something to do.
  void arm();
  // After a wait: POLLIN or POLLOUT, POLLERR, or nothing yet.
  unsigned short events();

 private:
  int limit();
  bool plays() const { return device_.plays(); }
  bool draining() const { return io_.state == SND_PCM_STATE_DRAINING; }
  // What ossloop_look is to be asked for, and when to look again; 0: now.
  snd_pcm_uframes_t awaited() const;
  std::int64_t due_ns();
  bool xrun(std::int64_t lost) const;
  void draw();
  void skip_sent(const std::byte*& data, snd_pcm_uframes_t& frames);
  snd_pcm_sframes_t play(const std::byte* data, snd_pcm_uframes_t frames);
  snd_pcm_sframes_t record(std::byte* data, snd_pcm_uframes_t frames);
  snd_pcm_sframes_t take(std::byte* data, snd_pcm_uframes_t frames);

  snd_pcm_ioplug_t io_{};
  LoopDevice device_;
  WakeTimer timer_;
  std::size_t frame_bytes_ = 1;
  snd_pcm_uframes_t device_frames_ = 0;  // what the device holds at once
  snd_pcm_uframes_t avail_min_ = 1, stop_threshold_ = 0, boundary_ = 0;

  std::uint64_t moved_ = 0;     // sent or taken since the last prepare
  std::uint64_t hardware_ = 0;  // hw_ptr, which never goes back
  std::int64_t lost_ = 0;       // the device's figure when the stream was right
  int ended_ = 0;               // -errno, until the next prepare

  std::mutex mutex_;  // of what follows, and of the reads from the device
  std::vector<std::byte> ring_;
  snd_pcm_uframes_t drawn_at_ = 0, drawn_ = 0;
  std::int64_t seen_queued_ = -1;  // at the last look that was in vain
  int idle_looks_ = 0;
};

}  // namespace ossloop::alsa
