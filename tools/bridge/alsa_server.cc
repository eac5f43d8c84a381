#include "bridge/alsa_server.h"

#include <algorithm>

#include "bridge/alsa_stream.h"
#include "bridge/card_format.h"

namespace ossloop::bridge {
namespace {

using namespace audio;

// What a card has that does not take the format itself: most bits first.
constexpr int kOthers[] = {afmt::kS32Le, afmt::kS32Be, afmt::kFloat,
                           afmt::kS16Le, afmt::kS16Be, afmt::kU8};

void hush(const char*, int, const char*, int, const char*, ...) {}

bool takes(snd_pcm_t* pcm, snd_pcm_hw_params_t* hardware, int afmt) {
  const CardFormat* format = find_card_format(afmt);
  return format != nullptr && snd_pcm_hw_params_test_format(pcm, hardware, format->alsa) == 0;
}

}  // namespace

std::unique_ptr<SoundServer> connect_alsa(const ServerRequest& request) {
  return std::make_unique<AlsaServer>(request);
}

AlsaServer::AlsaServer(const ServerRequest& request)
    : device_(request.device.empty() ? "default" : request.device),
      way_(request.plays ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE),
      event_(request.event) {
  // What fails is told in one line.
  snd_lib_error_set_handler(hush);
  if (request.plays) try_to_open(request, SND_PCM_STREAM_PLAYBACK);
  if (request.records && state_ == State::kReady) try_to_open(request, SND_PCM_STREAM_CAPTURE);
}

// A configuration may lead ALSA to the loop by many ways: only what has been opened tells.
void AlsaServer::try_to_open(const ServerRequest& request, snd_pcm_stream_t way) {
  int error = 0;
  const Pcm pcm = open_pcm(device_, way, error);
  if (pcm != nullptr && !request.is_feedback()) return;
  state_ = State::kGone;
  why_ = "the PCM '" + device_ + "' ";
  why_ +=
      pcm != nullptr ? "is this loop itself" : std::string("does not open: ") + snd_strerror(error);
  why_ += "; 'aplay -L' names those that there are";
}

audio::PcmFormat AlsaServer::nearest(const audio::PcmFormat& wanted) const {
  int error = 0;
  const Pcm pcm = open_pcm(device_, way_, error);
  snd_pcm_hw_params_t* hardware = nullptr;
  snd_pcm_hw_params_alloca(&hardware);
  if (pcm == nullptr || snd_pcm_hw_params_any(pcm.get(), hardware) < 0) return wanted;
  audio::PcmFormat format = wanted;
  if (!takes(pcm.get(), hardware, format.afmt)) {
    const auto* other = std::find_if(std::begin(kOthers), std::end(kOthers),
                                     [&](int afmt) { return takes(pcm.get(), hardware, afmt); });
    if (other != std::end(kOthers)) format.afmt = *other;
  }
  auto channels = static_cast<unsigned>(wanted.channels);
  auto rate_hz = static_cast<unsigned>(wanted.rate_hz);
  if (snd_pcm_hw_params_set_channels_near(pcm.get(), hardware, &channels) == 0)
    format.channels = static_cast<int>(channels);
  if (snd_pcm_hw_params_set_rate_near(pcm.get(), hardware, &rate_hz, nullptr) == 0)
    format.rate_hz = static_cast<int>(rate_hz);
  return audio::valid(format) ? format : wanted;
}

std::unique_ptr<CardStream> AlsaServer::open(const StreamSpec& spec) {
  return std::make_unique<AlsaStream>(device_, spec);
}

void AlsaServer::wait(std::int64_t deadline_ns) { wait_for(event_, deadline_ns); }

}  // namespace ossloop::bridge
