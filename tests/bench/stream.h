// What the feeding and the draining program have in common: the device's format,
// and frames that carry the time at which they were written.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "measure.h"
#include "oss/soundcard.h"

namespace bench {

using namespace ossloop::oss;

struct Stream {
  int format;
  int channels;
  int rate_hz;
  std::size_t frame_bytes;
  std::size_t block_bytes;
};

inline std::size_t sample_bytes(int format) {
  switch (format) {
    case AFMT_S16_LE:
      return 2;
    case AFMT_U8:
      return 1;
    default:
      return 4;
  }
}

inline Stream stream_of(const Arguments& arguments) {
  Stream stream{};
  stream.format = static_cast<int>(arguments.number("--format", AFMT_S16_LE));
  stream.channels = static_cast<int>(arguments.number("--channels", 2));
  stream.rate_hz = static_cast<int>(arguments.number("--rate", 48000));
  stream.frame_bytes = sample_bytes(stream.format) * static_cast<std::size_t>(stream.channels);
  stream.block_bytes =
      static_cast<std::size_t>(arguments.number("--block", 480)) * stream.frame_bytes;
  return stream;
}

// "-" is standard input or output: the yardstick's pipe.
inline int open_stream(const Arguments& arguments, const Stream& stream, int flags, int standard,
                       const char* path = nullptr) {
  if (arguments.number("--handlers", 0) != 0) ::signal(SIGTERM, [](int) { ::_exit(1); });
  if (path == nullptr) path = arguments.text("--path", "-");
  if (std::strcmp(path, "-") == 0) return standard;
  const int fd = ::open(path, flags);
  if (fd < 0) fail(path);
  int fragment = static_cast<int>(arguments.number("--fragment", 0));
  if (fragment != 0 && ::ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &fragment) != 0) fail("SETFRAGMENT");
  int format = stream.format, channels = stream.channels, rate_hz = stream.rate_hz;
  if (::ioctl(fd, SNDCTL_DSP_SETFMT, &format) != 0 || format != stream.format) fail("SETFMT");
  if (::ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) != 0 || channels != stream.channels)
    fail("CHANNELS");
  if (::ioctl(fd, SNDCTL_DSP_SPEED, &rate_hz) != 0 || rate_hz != stream.rate_hz) fail("SPEED");
  return fd;
}

// Both halves of the time, in frames of two 32-bit samples.
inline void stamp(std::byte* block, std::size_t bytes, std::int64_t time_ns) {
  for (std::size_t at = 0; at + sizeof time_ns <= bytes; at += sizeof time_ns) {
    std::memcpy(block + at, &time_ns, sizeof time_ns);
  }
}
inline std::int64_t stamped(const std::byte* frame) {
  std::int64_t time_ns;
  std::memcpy(&time_ns, frame, sizeof time_ns);
  return time_ns;
}

}  // namespace bench
