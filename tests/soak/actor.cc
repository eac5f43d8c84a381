// A player or a recorder whose every frame can be told from every other:
//
//   actor play   --path P --frames N --id I [--times T] [--format F --rate R --ramp 1 --block B]
//   actor record --path P [--limit N] [--format F --rate R --ramp 1 --block B]
//
// A frame carries the number of its stream and its own, from 1 on. Where rates
// are converted (--ramp) that is told by a level: the one channel rises and falls
// eight times a second, the other stands at the number of the stream. A recorder
// prints "stream ID FRAMES" at each end and exits with 1 at the first frame that is
// not the next one; 3: the other side has gone.
#include <signal.h>

#include <cmath>

#include "../bench/stream.h"

namespace {

using namespace ossloop::oss;

constexpr int kIds = 120;
constexpr double kAmplitude = 0.5;
constexpr double kTurnsHz = 8;
constexpr double kSlope = 4 * kAmplitude * kTurnsHz;  // a second

// What one side writes and the other expects, in samples of 16 bits, or of
// 32 where a level must be told apart more finely.
class Frames {
 public:
  Frames(const bench::Stream& stream, bool ramp) : stream_(stream), ramp_(ramp) {}

  void put(std::byte* at, std::int64_t number, int id) const {
    if (ramp_) {
      put_sample(at, 0, std::llround(triangle(number - 1) * 0x1p31));
      put_sample(at, 1, static_cast<std::int64_t>(id) << 24);
      return;
    }
    put_sample(at, 0, static_cast<std::int64_t>(static_cast<std::int16_t>(number & 0xffff)) << 16);
    put_sample(at, 1, static_cast<std::int64_t>(id << 8 | (number >> 16 & 0xff)) << 16);
  }

  // Full scale is 2^31.
  std::int64_t sample(const std::byte* at, int channel) const {
    switch (stream_.format) {
      case AFMT_S16_LE:
        return static_cast<std::int64_t>(load<std::int16_t>(at, channel)) << 16;
      case AFMT_S24_LE:
        return static_cast<std::int64_t>(load<std::int32_t>(at, channel)) << 8;
      case AFMT_FLOAT:
        return std::llround(static_cast<double>(load<float>(at, channel)) * 0x1p31);
      default:
        return load<std::int32_t>(at, channel);
    }
  }

  double triangle(std::int64_t frame) const {
    const double turns =
        std::fmod(kTurnsHz * static_cast<double>(frame) / stream_.rate_hz + 0.25, 1.0);
    return kAmplitude * (4 * std::abs(turns - 0.5) - 1);
  }
  // Far enough from where a filter rounds the corners.
  bool straight(std::int64_t frame) const {
    const double milliseconds =
        std::fmod(1000.0 * static_cast<double>(frame) / stream_.rate_hz, 62.5);
    return frame > stream_.rate_hz / 16 && std::abs(milliseconds - 31.25) > 15;
  }

 private:
  template <typename Sample>
  static Sample load(const std::byte* at, int channel) {
    Sample value;
    std::memcpy(&value, at + static_cast<std::size_t>(channel) * sizeof value, sizeof value);
    return value;
  }
  template <typename Sample>
  static void store(std::byte* at, int channel, Sample value) {
    std::memcpy(at + static_cast<std::size_t>(channel) * sizeof value, &value, sizeof value);
  }
  void put_sample(std::byte* at, int channel, std::int64_t value) const {
    switch (stream_.format) {
      case AFMT_S16_LE:
        store(at, channel, static_cast<std::int16_t>(value >> 16));
        break;
      case AFMT_S24_LE:
        store(at, channel, static_cast<std::int32_t>(value >> 8));
        break;
      case AFMT_FLOAT:
        store(at, channel, static_cast<float>(static_cast<double>(value) * 0x1p-31));
        break;
      default:
        store(at, channel, static_cast<std::int32_t>(value));
        break;
    }
  }

  bench::Stream stream_;
  bool ramp_;
};

[[noreturn]] void broken(const char* what, int id, std::int64_t heard, std::int64_t got) {
  std::printf("broken %s: stream %d, after frame %lld came %lld\n", what, id,
              static_cast<long long>(heard), static_cast<long long>(got));
  std::exit(1);
}

constexpr int kPeerGone = 3;

int play(const bench::Arguments& arguments) {
  const bench::Stream stream = bench::stream_of(arguments);
  const Frames frames(stream, arguments.number("--ramp", 0) != 0);
  const std::int64_t count = arguments.number("--frames", 48000);
  int id = static_cast<int>(arguments.number("--id", 1));
  std::vector<std::byte> block(stream.block_bytes);
  const auto block_frames = static_cast<std::int64_t>(stream.block_bytes / stream.frame_bytes);
  for (std::int64_t time = 0; time < arguments.number("--times", 1); ++time) {
    const int fd = bench::open_stream(arguments, stream, O_WRONLY, STDOUT_FILENO);
    for (std::int64_t number = 1; number <= count;) {
      const std::int64_t some = std::min(block_frames, count - number + 1);
      for (std::int64_t i = 0; i < some; ++i) {
        frames.put(block.data() + static_cast<std::size_t>(i) * stream.frame_bytes, number + i, id);
      }
      const std::size_t bytes = static_cast<std::size_t>(some) * stream.frame_bytes;
      const ssize_t wrote = ::write(fd, block.data(), bytes);
      if (wrote < 0 && (errno == ECONNRESET || errno == ENXIO)) {
        if (arguments.number("--times", 1) == 1) return kPeerGone;
        break;  // the next recorder hears the next stream
      }
      // Short when the other side goes: the next write tells.
      if (wrote <= 0 || static_cast<std::size_t>(wrote) % stream.frame_bytes != 0)
        bench::fail("write");
      number += wrote / static_cast<ssize_t>(stream.frame_bytes);
    }
    if (::close(fd) != 0) bench::fail("close");
    id = id % kIds + 1;
  }
  return 0;
}

int record(const bench::Arguments& arguments) {
  const bench::Stream stream = bench::stream_of(arguments);
  const bool ramp = arguments.number("--ramp", 0) != 0;
  const Frames frames(stream, ramp);
  const std::int64_t limit = arguments.number("--limit", INT64_MAX);
  const int fd = bench::open_stream(arguments, stream, O_RDONLY, STDIN_FILENO);
  std::vector<std::byte> block(stream.block_bytes);
  std::int64_t heard = 0, all = 0, first_off = -1;
  int id = 0;
  while (all < limit) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == ECONNRESET) {
      std::printf("stream %d %lld\n", id, static_cast<long long>(heard));
      std::fflush(stdout);
      heard = id = 0;
      first_off = -1;
      if (limit != INT64_MAX) return 0;
      continue;
    }
    if (got < 0 && errno == ENXIO) return kPeerGone;
    if (got < 0 || static_cast<std::size_t>(got) % stream.frame_bytes != 0) bench::fail("read");
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); at += stream.frame_bytes) {
      const std::int64_t left = frames.sample(block.data() + at, 0),
                         right = frames.sample(block.data() + at, 1);
      if (ramp) {
        const double difference =
            std::abs(static_cast<double>(left) * 0x1p-31 - frames.triangle(heard));
        // A frame too many or too few makes four times that. In the last moments of
        // a stream the filter meets the silence after it.
        const bool off = frames.straight(heard) && difference > kSlope / 4 / stream.rate_hz;
        if (off && first_off < 0) first_off = heard;
        if (first_off >= 0 && heard - first_off > stream.rate_hz / 10)
          broken("ramp", id, first_off, heard);
        if (heard == stream.rate_hz / 32) id = static_cast<int>((right + (1 << 23)) >> 24);
        ++heard;
        continue;
      }
      if (left == 0 && right == 0) continue;  // silence where nothing came in time
      const auto number = static_cast<std::int64_t>(static_cast<std::uint16_t>(left >> 16)) |
                          (right >> 16 & 0xff) << 16;
      const int of = static_cast<int>(right >> 24);
      if (id == 0) id = of;
      if (of != id || number != heard + 1) broken(of != id ? "stream" : "order", of, heard, number);
      heard = number;
    }
    all += got;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  if (count > 1 && std::strcmp(words[1], "play") == 0) return play(arguments);
  if (count > 1 && std::strcmp(words[1], "record") == 0) return record(arguments);
  std::fprintf(stderr, "usage: actor play|record --path DEVICE …\n");
  return 2;
}
