#include "bridge/pulse_server.h"

#include <pulse/error.h>
#include <pulse/introspect.h>
#include <pulse/operation.h>
#include <time.h>

#include <algorithm>

#include "bridge/card_format.h"
#include "bridge/pulse_stream.h"

namespace ossloop::bridge {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::unique_ptr<SoundServer> connect_pulse(const ServerRequest& request) {
  return std::make_unique<PulseServer>(request);
}

// No server is started by us: it would inherit the preloaded library, and might take the loop
// for a card.
PulseServer::PulseServer(const ServerRequest& request)
    : loop_(pa_mainloop_new()),
      device_(request.device),
      plays_(request.plays),
      records_(request.records),
      event_(request.event) {
  pa_mainloop_api* const api = pa_mainloop_get_api(loop_);
  api->io_new(
      api, event_.fd(), PA_IO_EVENT_INPUT,
      [](pa_mainloop_api*, pa_io_event*, int, pa_io_event_flags_t, void* self) {
        static_cast<PulseServer*>(self)->event_.clear();
      },
      this);
  context_ = pa_context_new(api, "ossloop");
  pa_context_set_state_callback(
      context_, [](pa_context*, void* self) { static_cast<PulseServer*>(self)->follow_context(); },
      this);
  if (pa_context_connect(context_, nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr) < 0) {
    fail(pa_strerror(pa_context_errno(context_)));
  }
}

PulseServer::~PulseServer() {
  pa_context_set_state_callback(context_, nullptr, nullptr);
  pa_context_disconnect(context_);
  pa_context_unref(context_);
  pa_mainloop_free(loop_);
}

void PulseServer::fail(const std::string& why) {
  if (state_ != State::kGone) why_ = why;
  state_ = State::kGone;
}

void PulseServer::follow_context() {
  switch (pa_context_get_state(context_)) {
    case PA_CONTEXT_READY:
      return look_for_devices();
    case PA_CONTEXT_FAILED:
    case PA_CONTEXT_TERMINATED:
      return fail(pa_strerror(pa_context_errno(context_)));
    default:
      return;
  }
}

// A device that is not there is told now, and not when somebody plays.
void PulseServer::look_for_devices() {
  awaited_ = device_.empty() ? 0 : (plays_ ? 1 : 0) + (records_ ? 1 : 0);
  if (awaited_ == 0) {
    state_ = State::kReady;
    return;
  }
  pa_operation* operation = nullptr;
  if (plays_) {
    const auto answer = [](pa_context*, const pa_sink_info* info, int end, void* self) {
      static_cast<PulseServer*>(self)->found("sink", info, end);
    };
    operation = pa_context_get_sink_info_by_name(context_, device_.c_str(), answer, this);
    if (operation != nullptr) pa_operation_unref(operation);
  }
  if (records_) {
    const auto answer = [](pa_context*, const pa_source_info* info, int end, void* self) {
      static_cast<PulseServer*>(self)->found("source", info, end);
    };
    operation = pa_context_get_source_info_by_name(context_, device_.c_str(), answer, this);
    if (operation != nullptr) pa_operation_unref(operation);
  }
}

template <typename Info>
void PulseServer::found(const char* kind, const Info* info, int end) {
  if (end < 0) {
    return fail("it has no " + std::string(kind) + " '" + device_ + "'; 'pactl list short " + kind +
                "s' names them");
  }
  if (info != nullptr && end == 0 && --awaited_ == 0 && state_ == State::kConnecting)
    state_ = State::kReady;
}

audio::PcmFormat PulseServer::nearest(const audio::PcmFormat& wanted) const {
  return {nearest_pulse_format(wanted.afmt), std::min<int>(wanted.channels, PA_CHANNELS_MAX),
          std::min<int>(wanted.rate_hz, PA_RATE_MAX)};
}

std::unique_ptr<CardStream> PulseServer::open(const StreamSpec& spec) {
  return std::make_unique<PulseStream>(context_, device_, spec);
}

void PulseServer::wait(std::int64_t deadline_ns) {
  const std::int64_t left_us =
      std::clamp<std::int64_t>((deadline_ns - now_ns()) / 1000, 0, kLongestWaitNs / 1000);
  if (pa_mainloop_prepare(loop_, static_cast<int>(left_us)) < 0 || pa_mainloop_poll(loop_) < 0 ||
      pa_mainloop_dispatch(loop_) < 0) {
    fail("its main loop has failed");
  }
}

}  // namespace ossloop::bridge
