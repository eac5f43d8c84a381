#include "alsa/loop_device.h"

#include <errno.h>
#include <fcntl.h>

namespace ossloop::alsa {
namespace {

using namespace oss;

constexpr FormatPair kFormats[] = {
    {SND_PCM_FORMAT_S16_LE, AFMT_S16_LE}, {SND_PCM_FORMAT_S16_BE, AFMT_S16_BE},
    {SND_PCM_FORMAT_U16_LE, AFMT_U16_LE}, {SND_PCM_FORMAT_U16_BE, AFMT_U16_BE},
    {SND_PCM_FORMAT_S24_LE, AFMT_S24_LE}, {SND_PCM_FORMAT_S24_BE, AFMT_S24_BE},
    {SND_PCM_FORMAT_S32_LE, AFMT_S32_LE}, {SND_PCM_FORMAT_S32_BE, AFMT_S32_BE},
    {SND_PCM_FORMAT_FLOAT, AFMT_FLOAT},   {SND_PCM_FORMAT_S24_3LE, AFMT_S24_PACKED},
    {SND_PCM_FORMAT_S8, AFMT_S8},         {SND_PCM_FORMAT_U8, AFMT_U8},
    {SND_PCM_FORMAT_MU_LAW, AFMT_MU_LAW}, {SND_PCM_FORMAT_A_LAW, AFMT_A_LAW},
};

// ALSA's programs take EAGAIN of an open for a device that is taken, and know no ENXIO.
int without_peer(int error) { return error == EAGAIN || error == ENXIO ? -ENODEV : -error; }

constexpr int kLookAgainMs = 100;

}  // namespace

std::span<const FormatPair> formats() { return kFormats; }

LoopDevice::~LoopDevice() {
  if (fd_ >= 0) library_->close(fd_);
}

int LoopDevice::open(const char* path, bool plays) {
  library_ = LoopLibrary::find();
  if (library_ == nullptr) return -ENOENT;
  plays_ = plays;
  fd_ = library_->open(path, (plays ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
  return fd_ >= 0 ? 0 : without_peer(errno);
}

template <typename Argument>
int LoopDevice::request(std::uint32_t code, Argument& argument) const {
  return library_->ioctl(fd_, code, &argument) >= 0 ? 0 : -errno;
}

int LoopDevice::set_format(snd_pcm_format_t format, unsigned channels, unsigned rate_hz) {
  std::int32_t afmt = AFMT_QUERY;
  for (const FormatPair& pair : kFormats) {
    if (pair.alsa == format) afmt = pair.afmt;
  }
  if (afmt == AFMT_QUERY) return -EINVAL;
  std::int32_t given_format = afmt;
  auto given_channels = static_cast<std::int32_t>(channels);
  auto given_rate_hz = static_cast<std::int32_t>(rate_hz);
  int error = request(SNDCTL_DSP_SETFMT, given_format);
  if (error == 0) error = request(SNDCTL_DSP_CHANNELS, given_channels);
  if (error == 0) error = request(SNDCTL_DSP_SPEED, given_rate_hz);
  if (error != 0) return error;
  const bool same = given_format == afmt && given_channels == static_cast<std::int32_t>(channels) &&
                    given_rate_hz == static_cast<std::int32_t>(rate_hz);
  frame_bytes_ = static_cast<std::size_t>(snd_pcm_format_physical_width(format)) / 8 * channels;
  return same ? 0 : -EBUSY;
}

snd_pcm_sframes_t LoopDevice::set_buffer(snd_pcm_uframes_t fragment, snd_pcm_uframes_t buffer) {
  ossloop_buffer chosen{static_cast<std::int32_t>(fragment), static_cast<std::int32_t>(buffer)};
  const int error = request(OSSLOOP_DSP_BUFFER, chosen);
  return error != 0 ? error : chosen.buffer_frames;
}

int LoopDevice::trigger(std::int32_t directions) const {
  return request(SNDCTL_DSP_SETTRIGGER, directions);
}

// A recorder that has not begun needs no halt, which would drop what waits for it.
int LoopDevice::hold() {
  if (!plays_ && !runs_) return 0;
  runs_ = false;
  return trigger(0);
}

int LoopDevice::start() {
  runs_ = true;
  return trigger(plays_ ? PCM_ENABLE_OUTPUT : PCM_ENABLE_INPUT);
}

int LoopDevice::pause(bool on) {
  std::int32_t paused = on ? 1 : 0;
  if (plays_) return request(OSSLOOP_DSP_PAUSE, paused);
  return on ? trigger(0) : start();
}

ossloop_look LoopDevice::look(snd_pcm_uframes_t wanted) const {
  ossloop_look look{};
  look.wanted = static_cast<std::int64_t>(wanted);
  look.direction = plays_ ? PCM_ENABLE_OUTPUT : PCM_ENABLE_INPUT;
  if (request(OSSLOOP_DSP_LOOK, look) != 0) look.tells = 1;
  return look;
}

snd_pcm_sframes_t LoopDevice::write(const std::byte* data, snd_pcm_uframes_t frames) const {
  const ssize_t bytes = library_->write(fd_, data, frames * frame_bytes_);
  if (bytes < 0) return errno == EAGAIN ? -EAGAIN : without_peer(errno);
  return static_cast<snd_pcm_sframes_t>(static_cast<std::size_t>(bytes) / frame_bytes_);
}

snd_pcm_sframes_t LoopDevice::read(std::byte* data, snd_pcm_uframes_t frames) const {
  const ssize_t bytes = library_->read(fd_, data, frames * frame_bytes_);
  if (bytes == 0) return -ENODATA;
  if (bytes < 0) return errno == EAGAIN ? -EAGAIN : without_peer(errno);
  return static_cast<snd_pcm_sframes_t>(static_cast<std::size_t>(bytes) / frame_bytes_);
}

int LoopDevice::wait() const {
  pollfd entry{fd_, static_cast<short>(plays_ ? POLLOUT : POLLIN), 0};
  return library_->poll(&entry, 1, kLookAgainMs) < 0 && errno == EINTR ? -EINTR : 0;
}

}  // namespace ossloop::alsa
