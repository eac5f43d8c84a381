// How a program moves sound: --way block | poll | select | epoll | edge | try.
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include <string>

#include "signals.h"

namespace soak {

using namespace ossloop::oss;

// Sets the format of `stream` and, if it is not 0, the fragment.
inline void set_stream(int fd, const bench::Stream& stream, int fragment, int policy) {
  if (fragment != 0 && ::ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &fragment) != 0)
    bench::fail("SETFRAGMENT");
  if (policy >= 0 && ::ioctl(fd, SNDCTL_DSP_POLICY, &policy) != 0) bench::fail("POLICY");
  int format = stream.format, channels = stream.channels, rate_hz = stream.rate_hz;
  if (::ioctl(fd, SNDCTL_DSP_SETFMT, &format) != 0 || format != stream.format)
    bench::fail("SETFMT");
  if (::ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) != 0 || channels != stream.channels)
    bench::fail("CHANNELS");
  if (::ioctl(fd, SNDCTL_DSP_SPEED, &rate_hz) != 0 || rate_hz != stream.rate_hz)
    bench::fail("SPEED");
}

inline int open_with_stream(const char* path, int flags, const bench::Stream& stream,
                            int fragment) {
  const int fd = ::open(path, flags);
  if (fd < 0) bench::fail(path);
  set_stream(fd, stream, fragment, -1);
  return fd;
}

// Opens --path with the format of `stream`; "-" is what a shell has made the device.
inline int open_device(const bench::Arguments& arguments, const bench::Stream& stream, int flags) {
  const char* const path = arguments.text("--path", "-");
  const bool waits = std::strcmp(arguments.text("--way", "block"), "block") == 0;
  const bool standard = std::strcmp(path, "-") == 0;
  int fd = flags == O_RDONLY ? STDIN_FILENO : STDOUT_FILENO;
  if (!standard) fd = ::open(path, flags | (waits ? 0 : O_NONBLOCK));
  if (fd < 0) bench::fail(path);
  if (standard && !waits) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  set_stream(fd, stream, static_cast<int>(arguments.number("--fragment", 0)),
             static_cast<int>(arguments.number("--policy", -1)));
  return fd;
}

class Transfer {
 public:
  explicit Transfer(const bench::Arguments& arguments)
      : Transfer(arguments.text("--way", "block")) {}
  explicit Transfer(const char* way) : way_(way) {}

  // Bytes, or -errno; -EINTR also when a signal came while it waited. EAGAIN is not its
  // caller's business, but of one that only tries.
  ssize_t read(int fd, std::byte* data, std::size_t bytes) {
    return move(fd, POLLIN, [=] { return ::read(fd, data, bytes); });
  }
  ssize_t write(int fd, const std::byte* data, std::size_t bytes) {
    return move(fd, POLLOUT, [=] { return ::write(fd, data, bytes); });
  }

  // Before the device is closed, and in a forked child: a set of epoll is not shared.
  void forget() {
    if (epoll_ >= 0) ::close(epoll_);
    epoll_ = -1;
  }

 private:
  // Waits first, but for edges: those follow the calls.
  template <typename Call>
  ssize_t move(int fd, short event, Call call) {
    bool wait_first = way_ != "block" && way_ != "edge" && way_ != "try";
    for (;;) {
      if (wait_first && !wait(fd, event)) return -EINTR;
      const ssize_t moved = call();
      if (moved >= 0 || errno != EAGAIN || way_ == "try") return moved < 0 ? -errno : moved;
      wait_first = true;
    }
  }

  // False after a signal.
  bool wait(int fd, short event) {
    int ready;
    if (way_ == "poll") {
      pollfd entry{fd, event, 0};
      ready = ::poll(&entry, 1, -1);
    } else if (way_ == "select") {
      fd_set set;
      FD_ZERO(&set);
      FD_SET(fd, &set);
      ready = ::select(fd + 1, event == POLLIN ? &set : nullptr, event == POLLIN ? nullptr : &set,
                       nullptr, nullptr);
    } else {
      watch(fd, event);
      epoll_event told{};
      ready = ::epoll_wait(epoll_, &told, 1, -1);
    }
    if (ready < 0 && errno != EINTR) bench::fail(way_.c_str());
    return ready >= 0;
  }

  void watch(int fd, short event) {
    if (epoll_ >= 0) return;
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event wanted{};
    wanted.events = (event == POLLIN ? EPOLLIN : EPOLLOUT) | (way_ == "edge" ? EPOLLET : 0U);
    if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted) != 0) bench::fail("epoll");
  }

  const std::string way_;
  int epoll_ = -1;
};

}  // namespace soak
