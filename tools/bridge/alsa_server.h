// A PCM of ALSA: a card, or whatever the name stands for.
#pragma once

#include <alsa/asoundlib.h>

#include "bridge/sound_server.h"

namespace ossloop::bridge {

// There is no server to lose: ready is it where the PCM can be opened, and each stream opens it.
class AlsaServer : public SoundServer {
 public:
  explicit AlsaServer(const ServerRequest& request);

  State state() override { return state_; }
  std::string why() const override { return why_; }
  const char* name() const override { return "ALSA"; }
  audio::PcmFormat nearest(const audio::PcmFormat& wanted) const override;
  std::unique_ptr<CardStream> open(const StreamSpec& spec) override;
  void wait(std::int64_t deadline_ns) override;

 private:
  void try_to_open(const ServerRequest& request, snd_pcm_stream_t way);

  const std::string device_;
  const snd_pcm_stream_t way_;
  State state_ = State::kReady;
  std::string why_;
  const WakeEvent& event_;
};

}  // namespace ossloop::bridge
