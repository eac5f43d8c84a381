// Writes blocks of sound, as fast as they are taken or one each --pace ns, at once or from a
// time of CLOCK_MONOTONIC on, so that several begin together:
//
//   feed --path /dev/dsp|- --block FRAMES --blocks N [--pace NS] [--from NS] [--stamp 1]
//        [--late 1] [--format AFMT --channels N --rate HZ --fragment WORD]
//
// --late: how many frames later than the first quarter of the blocks the last one is heard,
// counted from when each was to be heard at its rate. By the delay that the device tells,
// since that is exact to a frame: when a program wakes is not.
#include "stream.h"

namespace {

// The frames by which all that was written is heard later than at its rate from the start on.
double lateness(int fd, const bench::Stream& stream, std::int64_t start_ns, std::int64_t frames) {
  int delay_bytes = 0;
  const std::int64_t before_ns = bench::now_ns();
  if (::ioctl(fd, bench::SNDCTL_DSP_GETODELAY, &delay_bytes) != 0) bench::fail("GETODELAY");
  const std::int64_t asked_ns = (before_ns + bench::now_ns()) / 2;
  const double passed = static_cast<double>(asked_ns - start_ns) * stream.rate_hz / 1e9;
  return passed + static_cast<double>(delay_bytes) / static_cast<double>(stream.frame_bytes) -
         static_cast<double>(frames);
}

double later(const std::vector<double>& lateness) {
  const auto quarter = static_cast<std::ptrdiff_t>(lateness.size() / 4);
  return bench::quantile({lateness.end() - quarter, lateness.end()}, 0.5) -
         bench::quantile({lateness.begin(), lateness.begin() + quarter}, 0.5);
}

}  // namespace

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const bench::Stream stream = bench::stream_of(arguments);
  const std::int64_t blocks = arguments.number("--blocks", 1000);
  const std::int64_t pace_ns = arguments.number("--pace", 0);
  const bool stamped = arguments.number("--stamp", 0) != 0;
  const std::int64_t block_frames = arguments.number("--block", 480);
  const bool late = arguments.number("--late", 0) != 0;
  const int fd = bench::open_stream(arguments, stream, O_WRONLY, STDOUT_FILENO);

  std::vector<std::byte> block(stream.block_bytes);
  std::vector<double> late_frames;
  bench::Noise noise;
  for (std::size_t at = 0; at + 2 <= block.size(); at += 2) {
    const std::int16_t sample = noise.next();
    std::memcpy(block.data() + at, &sample, sizeof sample);
  }
  bench::sleep_until(arguments.number("--from", 0));
  const std::int64_t start_ns = bench::now_ns();
  const std::int64_t start_cpu_ns = bench::cpu_ns();
  for (std::int64_t number = 0; number < blocks; ++number) {
    if (pace_ns > 0) bench::sleep_until(start_ns + number * pace_ns);
    if (stamped) bench::stamp(block.data(), block.size(), bench::now_ns());
    for (std::size_t done = 0; done < block.size();) {
      const ssize_t wrote = ::write(fd, block.data() + done, block.size() - done);
      if (wrote <= 0) bench::fail("write");
      done += static_cast<std::size_t>(wrote);
    }
    if (late) {
      const std::int64_t frames = (number + 1) * block_frames;
      late_frames.push_back(lateness(fd, stream, start_ns, frames));
    }
  }
  const std::int64_t cpu_ns = bench::cpu_ns() - start_cpu_ns;
  const std::int64_t wall_ns = bench::now_ns() - start_ns;
  if (::close(fd) != 0) bench::fail("close");
  std::fprintf(stderr,
               "{\"bytes\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"later_frames\": %.3f}\n",
               static_cast<long long>(blocks) * static_cast<long long>(block.size()),
               static_cast<long long>(wall_ns), static_cast<long long>(cpu_ns), later(late_frames));
}
