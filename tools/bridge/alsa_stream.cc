#include "bridge/alsa_stream.h"

#include <errno.h>

#include <algorithm>
#include <utility>

#include "bridge/card_format.h"

namespace ossloop::bridge {
namespace {

constexpr int kParts = 4;
// What comes late is written at once: there is to be room for it.
constexpr unsigned kShortestBufferMs = 300;
constexpr double kCushionGrowth = 1.5, kMostCushionMs = 250;

}  // namespace

Pcm open_pcm(const std::string& device, snd_pcm_stream_t way, int& error) {
  snd_pcm_t* pcm = nullptr;
  error = snd_pcm_open(&pcm, device.c_str(), way, SND_PCM_NONBLOCK);
  return Pcm(error < 0 ? nullptr : pcm);
}

AlsaStream::AlsaStream(const std::string& device, const StreamSpec& spec)
    : spec_(spec),
      frame_bytes_(static_cast<std::size_t>(spec.format.frame_bytes())),
      cushion_ms_(spec.latency_ms) {
  int error = 0;
  pcm_ = open_pcm(device, spec.records ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK, error);
  if (pcm_ != nullptr) error = set_up();
  if (worked(error)) begin();
}

// False, with the reason kept, where ALSA says that it is over.
bool AlsaStream::worked(int result) {
  if (result >= 0) return true;
  if (state_ != State::kGone) why_ = snd_strerror(result);
  state_ = State::kGone;
  return false;
}

int AlsaStream::set_up_hardware(snd_pcm_hw_params_t* hardware) {
  const CardFormat* format = find_card_format(spec_.format.afmt);
  if (format == nullptr) return -EINVAL;
  const auto latency_us = static_cast<unsigned>(spec_.latency_ms) * 1000;
  unsigned buffer_us = std::max(4 * latency_us, kShortestBufferMs * 1000);
  unsigned period_us = latency_us / kParts;
  int error = snd_pcm_hw_params_any(pcm_.get(), hardware);
  if (error >= 0)
    error = snd_pcm_hw_params_set_access(pcm_.get(), hardware, SND_PCM_ACCESS_RW_INTERLEAVED);
  if (error >= 0) error = snd_pcm_hw_params_set_format(pcm_.get(), hardware, format->alsa);
  if (error >= 0)
    error = snd_pcm_hw_params_set_channels(pcm_.get(), hardware,
                                           static_cast<unsigned>(spec_.format.channels));
  if (error >= 0)
    error = snd_pcm_hw_params_set_rate(pcm_.get(), hardware,
                                       static_cast<unsigned>(spec_.format.rate_hz), 0);
  if (error >= 0)
    error = snd_pcm_hw_params_set_period_time_near(pcm_.get(), hardware, &period_us, nullptr);
  if (error >= 0)
    error = snd_pcm_hw_params_set_buffer_time_near(pcm_.get(), hardware, &buffer_us, nullptr);
  return error < 0 ? error : snd_pcm_hw_params(pcm_.get(), hardware);
}

// It is started by hand, and told the time by the clock that the loop keeps.
int AlsaStream::set_up() {
  snd_pcm_hw_params_t* hardware = nullptr;
  snd_pcm_hw_params_alloca(&hardware);
  int error = set_up_hardware(hardware);
  if (error < 0) return error;
  snd_pcm_sw_params_t* software = nullptr;
  snd_pcm_sw_params_alloca(&software);
  snd_pcm_uframes_t boundary = 0;
  error = snd_pcm_sw_params_current(pcm_.get(), software);
  if (error >= 0) error = snd_pcm_sw_params_get_boundary(software, &boundary);
  if (error >= 0) error = snd_pcm_sw_params_set_start_threshold(pcm_.get(), software, boundary);
  if (error < 0) return error;
  snd_pcm_sw_params_set_tstamp_mode(pcm_.get(), software, SND_PCM_TSTAMP_ENABLE);
  snd_pcm_sw_params_set_tstamp_type(pcm_.get(), software, SND_PCM_TSTAMP_TYPE_MONOTONIC);
  return snd_pcm_sw_params(pcm_.get(), software);
}

bool AlsaStream::begin() {
  if (!spec_.records) write_silence();
  return state_ == State::kOpen && worked(snd_pcm_start(pcm_.get()));
}

void AlsaStream::write_silence() {
  const auto frames = static_cast<std::size_t>(spec_.format.rate_hz * cushion_ms_ / 1000);
  silence_.resize(frames * frame_bytes_);
  audio::fill_silence(spec_.format, silence_.data(), frames);
  const snd_pcm_sframes_t taken = snd_pcm_writei(pcm_.get(), silence_.data(), frames);
  if (worked(static_cast<int>(taken))) moved_frames_ += static_cast<std::uint64_t>(taken);
}

// A card that ran empty begins again, with more ahead.
void AlsaStream::write(const std::byte* data, std::size_t bytes) {
  std::size_t left = bytes / frame_bytes_;
  while (state_ == State::kOpen && left > 0) {
    const snd_pcm_sframes_t taken = snd_pcm_writei(pcm_.get(), data, left);
    if (taken == -EAGAIN || taken == 0) {
      ++breaks_;  // no room: what is left is lost
      return;
    }
    if (taken < 0) {
      ++breaks_;
      cushion_ms_ = std::min(cushion_ms_ * kCushionGrowth, std::max(kMostCushionMs, cushion_ms_));
      if (!worked(snd_pcm_recover(pcm_.get(), static_cast<int>(taken), 1)) || !begin()) return;
      continue;
    }
    moved_frames_ += static_cast<std::uint64_t>(taken);
    data += static_cast<std::size_t>(taken) * frame_bytes_;
    left -= static_cast<std::size_t>(taken);
  }
}

std::size_t AlsaStream::read(std::byte* data, std::size_t bytes) {
  if (state_ != State::kOpen) return 0;
  const snd_pcm_sframes_t got = snd_pcm_readi(pcm_.get(), data, bytes / frame_bytes_);
  if (got == -EAGAIN) return 0;
  if (got < 0) {
    ++breaks_;
    if (worked(snd_pcm_recover(pcm_.get(), static_cast<int>(got), 1))) begin();
    return 0;
  }
  moved_frames_ += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got) * frame_bytes_;
}

bool AlsaStream::answer(CardMoment& moment) {
  if (!std::exchange(asked_, false) || state_ != State::kOpen) return false;
  snd_pcm_status_t* status = nullptr;
  snd_pcm_status_alloca(&status);
  const std::int64_t before_ns = now_ns();
  if (!worked(snd_pcm_status(pcm_.get(), status))) return false;
  if (snd_pcm_status_get_state(status) != SND_PCM_STATE_RUNNING) return false;
  snd_htimestamp_t stamp{};
  snd_pcm_status_get_htstamp(status, &stamp);
  const std::int64_t at_ns = std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec;
  // A plugin may have no time of its own, or another clock's.
  moment.at_ns = at_ns > before_ns - 1'000'000'000 && at_ns <= now_ns() ? at_ns : before_ns;
  const auto delay = static_cast<double>(snd_pcm_status_get_delay(status));
  moment.frames = static_cast<double>(moved_frames_) + (spec_.records ? delay : -delay);
  return true;
}

}  // namespace ossloop::bridge
