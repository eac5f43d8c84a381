// PulseAudio, or whatever answers in its place (PipeWire), by the asynchronous API of its client
// library on a main loop that runs while the bridge waits.
#pragma once

#include <pulse/context.h>
#include <pulse/mainloop.h>

#include "bridge/sound_server.h"

namespace ossloop::bridge {

class PulseServer : public SoundServer {
 public:
  explicit PulseServer(const ServerRequest& request);
  ~PulseServer() override;
  PulseServer(const PulseServer&) = delete;
  PulseServer& operator=(const PulseServer&) = delete;

  State state() override { return state_; }
  std::string why() const override { return why_; }
  const char* name() const override { return "PulseAudio"; }
  audio::PcmFormat nearest(const audio::PcmFormat& wanted) const override;
  std::unique_ptr<CardStream> open(const StreamSpec& spec) override;
  void wait(std::int64_t deadline_ns) override;

 private:
  void fail(const std::string& why);
  void follow_context();
  void look_for_devices();
  template <typename Info>
  void found(const char* kind, const Info* info, int end);

  pa_mainloop* loop_ = nullptr;
  pa_context* context_ = nullptr;
  const std::string device_;
  int awaited_ = 0;  // answers of look_for_devices()
  const bool plays_;
  const bool records_;
  State state_ = State::kConnecting;
  std::string why_;
  const WakeEvent& event_;
};

}  // namespace ossloop::bridge
