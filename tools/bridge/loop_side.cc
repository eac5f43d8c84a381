#include "bridge/loop_side.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error_text.h"
#include "oss/soundcard.h"

namespace ossloop::bridge {
namespace {

constexpr const char* kPath = "/dev/dsp";  // $OSSLOOP_DSP says which

std::string reason(int error, int number) {
  const std::string name = "instance " + std::to_string(number);
  switch (error) {
    case EBUSY:
      return name + ": a program has its server side open";
    case ENXIO:
    case ENOENT:
      return "there is no " + name + "; 'ossloopctl create " + std::to_string(number) +
             "' makes it";
    default:
      return name + ": " + base::error_text(error);
  }
}

}  // namespace

bool LoopSide::open(const config::Runtime& runtime, std::string& why) {
  fd_ = base::Fd(::open(kPath, (plays_ ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC));
  if (!fd_) {
    why = reason(errno, number_);
    return false;
  }
  stream_ =
      control::ServerStream::open(runtime, number_, plays_ ? device::kWrite : device::kRead, why);
  return stream_ != nullptr;
}

bool LoopSide::is_own_client() const { return stream_->is_own_client(::getpid()); }

bool LoopSide::begin(const audio::PcmFormat& format, int period_frames, int buffer_frames) {
  int afmt = format.afmt, channels = format.channels, rate_hz = format.rate_hz;
  oss::ossloop_buffer buffer{period_frames, buffer_frames};
  const bool told = ::ioctl(fd_.get(), oss::SNDCTL_DSP_SETFMT, &afmt) == 0 &&
                    ::ioctl(fd_.get(), oss::SNDCTL_DSP_CHANNELS, &channels) == 0 &&
                    ::ioctl(fd_.get(), oss::SNDCTL_DSP_SPEED, &rate_hz) == 0 &&
                    ::ioctl(fd_.get(), oss::OSSLOOP_DSP_BUFFER, &buffer) == 0;
  format_ = {afmt, channels, rate_hz};
  return told && format_ == format;
}

// A read would sleep where there is neither sound nor an end to tell. What a client has written
// says that there is, and costs less to look at than the device.
std::int64_t LoopSide::read(std::byte* data, std::size_t bytes) {
  if (stream_->client_waits()) return read_now(data, bytes);
  oss::ossloop_look look{};
  look.wanted = 1;
  look.direction = oss::PCM_ENABLE_INPUT;
  if (::ioctl(fd_.get(), oss::OSSLOOP_DSP_LOOK, &look) != 0) return kEnded;
  return look.queued == 0 && look.tells == 0 ? 0 : read_now(data, bytes);
}

std::int64_t LoopSide::read_now(std::byte* data, std::size_t bytes) {
  const ssize_t got = ::read(fd_.get(), data, bytes);
  if (got > 0) return got;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : kEnded;
}

std::int64_t LoopSide::write(const std::byte* data, std::size_t bytes) {
  const ssize_t taken = ::write(fd_.get(), data, bytes);
  if (taken >= 0) return taken;
  return errno == EAGAIN || errno == EINTR ? 0 : kEnded;
}

void LoopSide::stop() {
  stream_->trim(0);
  ::ioctl(fd_.get(), oss::SNDCTL_DSP_HALT, 0);
}

}  // namespace ossloop::bridge
