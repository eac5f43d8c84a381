// Moving sound between a program and its device.
#include <errno.h>

#include <algorithm>
#include <cstring>

#include "alsa/loop_pcm.h"

namespace ossloop::alsa {

snd_pcm_sframes_t LoopPcm::transfer(const snd_pcm_channel_area_t* areas, snd_pcm_uframes_t offset,
                                    snd_pcm_uframes_t frames) {
  // Interleaved: the first channel's area is that of all.
  auto* const data =
      static_cast<std::byte*>(areas->addr) + (areas->first + areas->step * offset) / 8;
  const snd_pcm_sframes_t moved = plays() ? play(data, frames) : record(data, frames);
  arm();
  return moved;
}

// Of a program that has gone back to write some of it anew, what was sent stays as it was.
void LoopPcm::skip_sent(const std::byte*& data, snd_pcm_uframes_t& frames) {
  if (boundary_ == 0) return;
  const snd_pcm_uframes_t back = (moved_ % boundary_ + boundary_ - io_.appl_ptr) % boundary_;
  if (back == 0 || back > io_.buffer_size) return;
  const snd_pcm_uframes_t skipped = std::min(back, frames);
  data += skipped * frame_bytes_;
  frames -= skipped;
}

snd_pcm_sframes_t LoopPcm::play(const std::byte* data, snd_pcm_uframes_t frames) {
  const snd_pcm_uframes_t all = frames;
  skip_sent(data, frames);
  while (frames > 0) {
    const snd_pcm_sframes_t sent = device_.write(data, frames);
    if (sent < 0) {
      if (frames < all) break;
      if (sent != -EAGAIN) ended_ = static_cast<int>(sent);
      if (sent != -EAGAIN || io_.nonblock != 0) return sent;
      if (const int error = device_.wait(); error != 0) return error;
      continue;
    }
    moved_ += static_cast<std::uint64_t>(sent);
    data += static_cast<std::size_t>(sent) * frame_bytes_;
    frames -= static_cast<snd_pcm_uframes_t>(sent);
  }
  return static_cast<snd_pcm_sframes_t>(all - frames);
}

// First what was drawn before.
snd_pcm_sframes_t LoopPcm::take(std::byte* data, snd_pcm_uframes_t frames) {
  const std::lock_guard lock(mutex_);
  const snd_pcm_uframes_t all = frames;
  while (frames > 0 && drawn_ > 0) {
    const snd_pcm_uframes_t some = std::min({frames, drawn_, io_.buffer_size - drawn_at_});
    std::memcpy(data, ring_.data() + drawn_at_ * frame_bytes_, some * frame_bytes_);
    data += some * frame_bytes_;
    frames -= some;
    drawn_ -= some;
    drawn_at_ = (drawn_at_ + some) % io_.buffer_size;
  }
  if (frames == 0) return static_cast<snd_pcm_sframes_t>(all);
  snd_pcm_sframes_t got = ended_ != 0 ? ended_ : device_.read(data, frames);
  if (got < 0 && got != -EAGAIN) ended_ = static_cast<int>(got);
  if (got > 0) frames -= static_cast<snd_pcm_uframes_t>(got);
  return frames < all ? static_cast<snd_pcm_sframes_t>(all - frames) : got;
}

snd_pcm_sframes_t LoopPcm::record(std::byte* data, snd_pcm_uframes_t frames) {
  for (;;) {
    const snd_pcm_sframes_t got = take(data, frames);
    if (got > 0) moved_ += static_cast<std::uint64_t>(got);
    if (got != -EAGAIN || io_.nonblock != 0) return got;
    if (const int error = device_.wait(); error != 0) return error;
  }
}

}  // namespace ossloop::alsa
