// Writes blocks of sound, as fast as they are taken or one each --pace ns:
//
//   feed --path /dev/dsp|- --block FRAMES --blocks N [--pace NS] [--stamp 1]
//        [--format AFMT --channels N --rate HZ --fragment WORD]
#include "stream.h"

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const bench::Stream stream = bench::stream_of(arguments);
  const std::int64_t blocks = arguments.number("--blocks", 1000);
  const std::int64_t pace_ns = arguments.number("--pace", 0);
  const bool stamped = arguments.number("--stamp", 0) != 0;
  const int fd = bench::open_stream(arguments, stream, O_WRONLY, STDOUT_FILENO);

  std::vector<std::byte> block(stream.block_bytes);
  bench::Noise noise;
  for (std::size_t at = 0; at + 2 <= block.size(); at += 2) {
    const std::int16_t sample = noise.next();
    std::memcpy(block.data() + at, &sample, sizeof sample);
  }
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
  }
  const std::int64_t cpu_ns = bench::cpu_ns() - start_cpu_ns;
  const std::int64_t wall_ns = bench::now_ns() - start_ns;
  if (::close(fd) != 0) bench::fail("close");
  std::fprintf(stderr, "{\"bytes\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld}\n",
               static_cast<long long>(blocks) * static_cast<long long>(block.size()),
               static_cast<long long>(wall_ns), static_cast<long long>(cpu_ns));
}
