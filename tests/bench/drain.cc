// Reads blocks of sound until their end:
//
//   drain --path /dev/…/server0|- --block FRAMES [--stamp 1]
//         [--format AFMT --channels N --rate HZ --fragment WORD]
//
// Measures from the first block on, so that waiting for the player is left out.
#include "stream.h"

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const bench::Stream stream = bench::stream_of(arguments);
  const bool stamped = arguments.number("--stamp", 0) != 0;
  const int fd = bench::open_stream(arguments, stream, O_RDONLY, STDIN_FILENO);

  std::vector<std::byte> block(stream.block_bytes);
  std::vector<double> delays_us;
  std::int64_t start_ns = 0, start_cpu_ns = 0, end_ns = 0, bytes = 0;
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got == 0 || (got < 0 && errno == ECONNRESET)) break;
    if (got < 0) bench::fail("read");
    if (stamped || start_ns == 0) end_ns = bench::now_ns();
    if (start_ns == 0) {
      start_ns = end_ns;
      start_cpu_ns = bench::cpu_ns();
    }
    bytes += got;
    if (stamped && static_cast<std::size_t>(got) >= stream.frame_bytes) {
      // The oldest frame of the block: the longest that any of it took.
      const std::int64_t wrote_ns = bench::stamped(block.data());
      if (wrote_ns != 0) delays_us.push_back(static_cast<double>(end_ns - wrote_ns) / 1000);
    }
  }
  if (!stamped) end_ns = bench::now_ns();
  const std::int64_t cpu_ns = bench::cpu_ns() - start_cpu_ns;
  std::fprintf(stderr,
               "{\"bytes\": %lld, \"wall_ns\": %lld, \"cpu_ns\": %lld, \"stamps\": %zu, "
               "\"delay_us\": [%.1f, %.1f, %.1f, %.1f]}\n",
               static_cast<long long>(bytes), static_cast<long long>(end_ns - start_ns),
               static_cast<long long>(cpu_ns), delays_us.size(), bench::quantile(delays_us, 0.05),
               bench::quantile(delays_us, 0.5), bench::quantile(delays_us, 0.95),
               bench::quantile(delays_us, 1));
}
