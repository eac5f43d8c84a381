#include "alsa/loop_pcm.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

namespace ossloop::alsa {
namespace {

constexpr std::int64_t kFirstLookNs = 1'000'000;
constexpr int kMostIdleLooks = 4;

}  // namespace

// Until ALSA has set it, which it does with the hardware parameters.
int LoopPcm::set_hardware() {
  int error = device_.set_format(io_.format, io_.channels, io_.rate);
  if (error != 0) return error;
  frame_bytes_ =
      static_cast<std::size_t>(snd_pcm_format_physical_width(io_.format)) / 8 * io_.channels;
  const snd_pcm_sframes_t had = device_.set_buffer(io_.period_size, io_.buffer_size);
  if (had < 0) return static_cast<int>(had);
  device_frames_ = static_cast<snd_pcm_uframes_t>(had);
  if (plays()) return device_frames_ >= io_.buffer_size ? 0 : -ENOMEM;
  const std::lock_guard lock(mutex_);
  ring_.assign(io_.buffer_size * frame_bytes_, std::byte{});
  drawn_ = drawn_at_ = 0;
  return 0;
}

int LoopPcm::set_software(snd_pcm_sw_params_t* params) {
  snd_pcm_sw_params_get_avail_min(params, &avail_min_);
  snd_pcm_sw_params_get_stop_threshold(params, &stop_threshold_);
  snd_pcm_sw_params_get_boundary(params, &boundary_);
  arm();
  return 0;
}

// Many programs prepare a PCM after any error and go on: where the peer has gone for good there is
// no device any more, as one that was pulled out.
int LoopPcm::prepare() {
  const bool gone = ended_ != 0 && device_.look(1).tells != 0;
  {
    const std::lock_guard lock(mutex_);
    drawn_ = drawn_at_ = 0;
  }
  moved_ = hardware_ = 0;
  ended_ = 0;
  const int error = device_.hold();
  lost_ = device_.look(0).lost;
  arm();
  return gone ? -ENODEV : error;
}

int LoopPcm::start() {
  lost_ = device_.look(0).lost;
  const int error = device_.start();
  arm();
  return error;
}

int LoopPcm::stop() {
  timer_.stop();
  const std::lock_guard lock(mutex_);
  drawn_ = drawn_at_ = 0;
  return device_.hold();
}

// What was recorded so far stays; what a player sends meanwhile waits with it.
int LoopPcm::pause(bool on) {
  if (on && !plays()) draw();
  const int error = device_.pause(on);
  if (on) {
    timer_.stop();
  } else {
    lost_ = device_.look(0).lost;
    arm();
  }
  return error;
}

// A stream that runs on over any gap, as ALSA has it, has none to tell. Where the loop waits for
// a late player or recorder (`underrun=stall`, `overrun=wait`) there is none either.
bool LoopPcm::xrun(std::int64_t lost) const {
  return lost != lost_ && io_.state == SND_PCM_STATE_RUNNING && stop_threshold_ <= io_.buffer_size;
}

snd_pcm_sframes_t LoopPcm::pointer() {
  if (!plays()) draw();
  const oss::ossloop_look look = device_.look(awaited());
  if (xrun(look.lost)) return -EPIPE;
  std::uint64_t position = 0;
  if (plays()) {
    const std::uint64_t queued = look.tells != 0 ? 0 : static_cast<std::uint64_t>(look.queued);
    position = moved_ - std::min(queued, moved_);
  } else {
    // The transfer tells of an end: ALSA comes to it only where there seems to be sound.
    const std::uint64_t there = drawn_ + static_cast<std::uint64_t>(look.queued);
    const bool tells = look.tells != 0 || ended_ != 0;
    const std::uint64_t seen = tells ? std::max<std::uint64_t>(there, avail_min_) : there;
    position = moved_ + std::min<std::uint64_t>(seen, io_.buffer_size);
  }
  hardware_ = std::max(hardware_, position);
  const std::uint64_t around = boundary_ != 0 ? boundary_ : io_.buffer_size;
  return static_cast<snd_pcm_sframes_t>(hardware_ % around);
}

snd_pcm_sframes_t LoopPcm::delay() {
  const oss::ossloop_look look = device_.look(0);
  return static_cast<snd_pcm_sframes_t>(look.delay) + static_cast<snd_pcm_sframes_t>(drawn_);
}

snd_pcm_uframes_t LoopPcm::awaited() const {
  const snd_pcm_uframes_t wanted = std::clamp<snd_pcm_uframes_t>(avail_min_, 1, io_.buffer_size);
  if (plays()) return draining() ? 0 : io_.buffer_size - wanted;
  const snd_pcm_uframes_t missing = wanted - std::min(wanted, drawn_);
  // More than the device holds comes in pieces.
  return std::min(missing, std::max<snd_pcm_uframes_t>(device_frames_ / 2, 1));
}

// Recorded sound goes to the ring before the device is full, where that is too small for all of
// ALSA's buffer.
void LoopPcm::draw() {
  if (device_frames_ >= io_.buffer_size || io_.state != SND_PCM_STATE_RUNNING) return;
  const std::lock_guard lock(mutex_);
  auto there = static_cast<snd_pcm_uframes_t>(device_.look(1).queued);
  if (there < device_frames_ / 4) return;
  while (there > 0 && ended_ == 0 && drawn_ < io_.buffer_size) {
    const snd_pcm_uframes_t at = (drawn_at_ + drawn_) % io_.buffer_size;
    const snd_pcm_uframes_t room = std::min(io_.buffer_size - drawn_, io_.buffer_size - at);
    const snd_pcm_sframes_t got =
        device_.read(ring_.data() + at * frame_bytes_, std::min(room, there));
    if (got == -EAGAIN) return;
    if (got < 0) {
      ended_ = static_cast<int>(got);
    } else {
      drawn_ += static_cast<snd_pcm_uframes_t>(got);
      there -= static_cast<snd_pcm_uframes_t>(got);
    }
  }
}

std::int64_t LoopPcm::due_ns() {
  if (!plays()) draw();
  const snd_pcm_uframes_t wanted = std::clamp<snd_pcm_uframes_t>(avail_min_, 1, io_.buffer_size);
  if (!plays() && (drawn_ >= wanted || ended_ != 0)) return 0;
  const oss::ossloop_look look = device_.look(awaited());
  if (xrun(look.lost) || look.at_ns == 0) {
    const bool enough = plays() || look.tells != 0 ||
                        drawn_ + static_cast<snd_pcm_uframes_t>(look.queued) >= wanted;
    idle_looks_ = 0;
    return enough || xrun(look.lost) ? 0 : WakeTimer::now_ns() + kFirstLookNs;
  }
  // Where nothing moves, less and less often: the clock waits for somebody.
  idle_looks_ = look.queued == seen_queued_ ? std::min(idle_looks_ + 1, kMostIdleLooks) : 0;
  seen_queued_ = look.queued;
  if (idle_looks_ == 0) return look.at_ns;
  return std::max(look.at_ns, WakeTimer::now_ns() + (kFirstLookNs << idle_looks_));
}

void LoopPcm::arm() {
  switch (io_.state) {
    case SND_PCM_STATE_RUNNING:
    case SND_PCM_STATE_DRAINING:
    case SND_PCM_STATE_PREPARED:
      return timer_.set(due_ns());
    case SND_PCM_STATE_PAUSED:
      return timer_.stop();
    default:
      return timer_.set(0);  // an error is there to be seen
  }
}

unsigned short LoopPcm::events() {
  const auto way = static_cast<unsigned short>(plays() ? POLLOUT : POLLIN);
  switch (io_.state) {
    case SND_PCM_STATE_RUNNING:
    case SND_PCM_STATE_DRAINING:
    case SND_PCM_STATE_PREPARED: {
      const std::int64_t due = due_ns();
      timer_.set(due);
      return due == 0 ? way : 0;
    }
    case SND_PCM_STATE_PAUSED:
      timer_.stop();
      return 0;
    default:
      return static_cast<unsigned short>(way | POLLERR);
  }
}

}  // namespace ossloop::alsa
