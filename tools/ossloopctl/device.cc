#include "ossloopctl/device.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/error_text.h"
#include "control/view.h"
#include "oss/soundcard.h"
#include "ossloopctl/command.h"
#include "ossloopctl/library.h"
#include "ossloopctl/side.h"

namespace ossloop::ctl {
namespace {

constexpr const char* kPath = "/dev/dsp";
constexpr int kMostBlockFrames = 4096;
constexpr long kPauseNs = 20'000'000;
constexpr int kShownMs = 100;
char** own_words = nullptr;

// Whose open() this program calls.
bool preloaded() {
  Dl_info info;
  void* called = ::dlsym(RTLD_DEFAULT, "open");
  return called != nullptr && ::dladdr(called, &info) != 0 &&
         std::string_view(info.dli_fname).ends_with("libossloop.so");
}

std::string reason(int error) {
  switch (error) {
    case EAGAIN:
      return "no program has the server side open; --wait SECONDS waits for one";
    case EBUSY:
      return "a program has this side open";
    case ENXIO:
      return "the program on the other side is gone";
    case EACCES:
      return "the loop goes the other way: the server decides which";
    case ENOSPC:
      return "there is no space for its buffers in the runtime folder";
    case ECONNRESET:
      return "the program on the other side has ended";
    default:
      return base::error_text(error);
  }
}

std::string device_name() {
  const char* name = ::getenv("OSSLOOP_DSP");
  return name != nullptr ? name : kPath;
}

bool fails(int error, std::string& why) {
  why = device_name() + ": " + reason(error);
  return false;
}

}  // namespace

void remember_words(char** words) { own_words = words; }
char** given_words() { return own_words; }

int on_device(const std::string& device, const std::function<int()>& work) {
  const char* present = ::getenv("OSSLOOP_DSP");
  if (preloaded() && present != nullptr && device == present) return work();
  std::string why;
  return with_configuration([&](const config::Runtime& runtime) -> int {
    const std::string library = find_library(why);
    if (library.empty() || control::check_folder(runtime, true, why) < 0) return failed(why);
    if (present != nullptr && device == present && ::getenv("LD_PRELOAD") == library) {
      return failed(library + ": cannot be preloaded");
    }
    prepare_environment(library, device);
    // What fails is told once, in our own words, unless the user asks for the log.
    ::setenv("OSSLOOP_LOG", "off", 0);
    ::execv(reinterpret_cast<const char*>(::getauxval(AT_EXECFN)), own_words);
    return failed(std::string("cannot start myself again: ") + base::error_text(errno));
  });
}

bool reader_is_gone(int pipe) {
  pollfd entry{pipe, 0, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Device::~Device() {
  if (fd_ >= 0) ::close(fd_);
}

bool Device::open(Direction direction, double wait_seconds, std::string& why) {
  ::setenv("OSSLOOP_OPEN_WAIT", std::to_string(wait_seconds).c_str(), 1);
  fd_ = ::open(kPath, (direction == Direction::kRecord ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  if (fd_ >= 0) {
    // It takes what is there, so that nothing but wait() sleeps.
    if (direction == Direction::kRecord) ::fcntl(fd_, F_SETFL, O_RDONLY | O_NONBLOCK);
    return true;
  }
  // Nobody has been on the other side yet, so that cannot be it.
  if (errno != ENXIO) return fails(errno, why);
  why = device_name() + ": there is no such instance; 'ossloopctl create N' makes one";
  return false;
}

bool Device::ask(unsigned request, int value, const char* what, std::string& why) {
  int answer = value;
  if (::ioctl(fd_, request, &answer) != 0) return fails(errno, why);
  if (answer == value) return true;
  why = device_name() + ": wanted " + what + " " + std::to_string(value) + ", got " +
        std::to_string(answer);
  return false;
}

bool Device::set_format(const audio::PcmFormat& format, std::string& why) {
  return ask(oss::SNDCTL_DSP_SETFMT, format.afmt, "format", why) &&
         ask(oss::SNDCTL_DSP_CHANNELS, format.channels, "channels", why) &&
         ask(oss::SNDCTL_DSP_SPEED, format.rate_hz, "rate", why);
}

std::size_t Device::block_frames(const audio::PcmFormat& format) {
  int bytes = 0;
  if (::ioctl(fd_, oss::SNDCTL_DSP_GETBLKSIZE, &bytes) != 0) bytes = 0;
  const int frames = bytes / format.frame_bytes();
  return static_cast<std::size_t>(std::clamp(frames, 1, kMostBlockFrames));
}

bool Device::wait(const sigset_t& blocked, int pipe, std::string& why) {
  pollfd entries[] = {{-1, POLLIN, 0}, {pipe, 0, 0}};
  const timespec pause{0, kPauseNs};
  int ready = alone_ ? ::ppoll(entries, 2, &pause, &blocked) : 0;
  alone_ = false;
  entries[0].fd = fd_;
  if (ready == 0) ready = ::ppoll(entries, 2, nullptr, &blocked);
  if (ready > 0) return entries[1].revents == 0;
  return errno == EINTR ? false : fails(errno, why);
}

bool Device::read(void* data, std::size_t bytes, std::size_t& got, bool& ended, std::string& why) {
  const ssize_t result = ::read(fd_, data, bytes);
  got = result > 0 ? static_cast<std::size_t>(result) : 0;
  ended = result == 0 || (result < 0 && errno == ECONNRESET);
  absent_ = follows_ && result < 0 && errno == ENXIO;
  alone_ = absent_ || (follows_ && ended);
  return result >= 0 || ended || absent_ || errno == EAGAIN || fails(errno, why);
}

// The first read of a stream sleeps until that begins, whatever the descriptor says. What is less
// than a fragment makes nothing ready, and before an end that is to be told there is no space.
bool Device::has_more() {
  if (absent_) return false;
  pollfd entry{fd_, POLLIN, 0};
  if (::poll(&entry, 1, 0) > 0) return true;
  oss::audio_buf_info space{};
  return ::ioctl(fd_, oss::SNDCTL_DSP_GETISPACE, &space) == 0 && space.bytes > 0;
}

std::string Device::faults() {
  oss::audio_errinfo errors{};
  if (::ioctl(fd_, oss::SNDCTL_DSP_GETERROR, &errors) == 0) {
    xruns_ += errors.play_underruns + errors.rec_overruns;
  }
  return std::to_string(xruns_) + (xruns_ == 1 ? " xrun" : " xruns");
}

std::size_t Device::delay_bytes() {
  int bytes = 0;
  return ::ioctl(fd_, oss::SNDCTL_DSP_GETODELAY, &bytes) == 0 && bytes > 0
             ? static_cast<std::size_t>(bytes)
             : 0;
}

bool Device::write(const void* data, std::size_t bytes, std::size_t& taken, std::string& why) {
  for (taken = 0; taken < bytes;) {
    const ssize_t result = ::write(fd_, static_cast<const char*>(data) + taken, bytes - taken);
    if (result < 0) return fails(errno, why);
    taken += static_cast<std::size_t>(result);
  }
  return true;
}

void Device::pause() { ::poll(nullptr, 0, kShownMs); }

bool Device::drain(std::string& why) {
  return ::ioctl(fd_, oss::SNDCTL_DSP_SYNC, 0) == 0 || fails(errno, why);
}

}  // namespace ossloop::ctl
