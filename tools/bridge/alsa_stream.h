// A stream at a PCM of ALSA.
#pragma once

#include <alsa/asoundlib.h>

#include <memory>
#include <vector>

#include "bridge/sound_server.h"

namespace ossloop::bridge {

struct ClosePcm {
  void operator()(snd_pcm_t* pcm) const { snd_pcm_close(pcm); }
};
using Pcm = std::unique_ptr<snd_pcm_t, ClosePcm>;

// nullptr with the error of ALSA in `error`; never sleeps for a device that is busy.
Pcm open_pcm(const std::string& device, snd_pcm_stream_t way, int& error);

class AlsaStream : public CardStream {
 public:
  AlsaStream(const std::string& device, const StreamSpec& spec);

  State state() override { return state_; }
  std::string why() const override { return why_; }
  void write(const std::byte* data, std::size_t bytes) override;
  std::size_t read(std::byte* data, std::size_t bytes) override;
  std::uint64_t moved_frames() const override { return moved_frames_; }
  void ask() override { asked_ = true; }
  bool answer(CardMoment& moment) override;
  std::uint64_t breaks() const override { return breaks_; }

 private:
  int set_up();
  int set_up_hardware(snd_pcm_hw_params_t* hardware);
  bool worked(int result);
  bool begin();
  void write_silence();

  const StreamSpec spec_;
  const std::size_t frame_bytes_;
  Pcm pcm_;
  State state_ = State::kOpen;
  std::string why_;
  double cushion_ms_;
  std::uint64_t moved_frames_ = 0;
  std::uint64_t breaks_ = 0;
  bool asked_ = false;
  std::vector<std::byte> silence_;
};

}  // namespace ossloop::bridge
