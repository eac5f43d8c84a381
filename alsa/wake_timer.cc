#include "alsa/wake_timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace ossloop::alsa {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

WakeTimer::~WakeTimer() {
  if (fd_ >= 0) ::close(fd_);
}

int WakeTimer::open() {
  fd_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  return fd_ >= 0 ? 0 : -errno;
}

void WakeTimer::set(std::int64_t at_ns) {
  const std::int64_t at = std::max<std::int64_t>(at_ns, 1);
  const itimerspec when{{}, {at / kSecondNs, at % kSecondNs}};
  ::timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void WakeTimer::stop() {
  const itimerspec never{};
  ::timerfd_settime(fd_, 0, &never, nullptr);
}

std::int64_t WakeTimer::now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kSecondNs + now.tv_nsec;
}

}  // namespace ossloop::alsa
