#include "lives.h"

#include <random>

#include "heard.h"

namespace soak {
namespace {

using namespace ossloop::oss;

std::size_t bytes_of(const PcmFormat& format) {
  return static_cast<std::size_t>(format.frame_bytes());
}

bool peer_gone() { return errno == ECONNRESET || errno == ENXIO; }

class Living {
 public:
  Living(const Roles& roles, Lives& lives, unsigned seed)
      : roles_(roles), lives_(lives), random_(seed) {}

  [[noreturn]] void run() {
    // A server has its device as long as it lives, a client as long as there is a server.
    if (!roles_.killed_is_server) open(1);
    for (int number = 1;; ++number) {
      if (roles_.killed_is_server) {
        while (lives_.number < number || lives_.of(number).opened == 0) wait_a_bit();
        open(number);
      }
      roles_.killed_plays ? record(number) : play(number);
      if (roles_.killed_is_server && ::close(fd_) != 0) bench::fail("broken close");
      ++lives_.ends;
    }
  }

 private:
  void open(int number) {
    format_ = lives_.of(number).living;
    const int flags = roles_.killed_plays ? O_RDONLY : O_WRONLY;
    fd_ = open_with(roles_.living_path, flags, format_);
    lives_.opened = number;
  }

  std::int64_t some_frames() { return std::uniform_int_distribution(1, 4000)(random_); }

  // Until the end is told.
  void record(int number) {
    Sound heard, block;
    for (;;) {
      block.resize(static_cast<std::size_t>(some_frames()) * bytes_of(format_));
      const ssize_t got = ::read(fd_, block.data(), block.size());
      if (got < 0 && peer_gone()) break;
      if (got <= 0) bench::fail("broken read");
      heard.insert(heard.end(), block.begin(), block.begin() + got);
    }
    if (roles_.killed_is_server) return judge(heard, number, number);
    // A stream that began and was cut off before its first frame is nobody's.
    if (!heard.empty()) judge(heard, lives_.judged + 1, lives_.number);
  }

  // It was one of these lives: a client that was killed before it played may have been
  // passed over.
  void judge(const Sound& heard, int first, int last) {
    for (int number = std::max(first, last - Lives::kKept + 2); number <= last; ++number) {
      Life& life = lives_.of(number);
      while (life.over.load(std::memory_order_acquire) == 0) wait_a_bit();
      const Conversion conversion{life.format, format_, roles_.quality,
                                  static_cast<std::uint64_t>(number)};
      const std::int64_t least = life.frames;
      const std::int64_t most = least + (life.last != 0 ? 0 : life.block_frames);
      if (conversion.is_whole(heard, least, most)) {
        lives_.compared += static_cast<std::int64_t>(heard.size() / bytes_of(format_));
        lives_.judged = number;
        return;
      }
      if (least != 0 || number == last) {
        broken("conversion", number, least,
               static_cast<std::int64_t>(heard.size() / bytes_of(format_)));
      }
    }
  }

  // Until the recorder has gone; each time another stream.
  void play(int number) {
    const std::uint64_t stream =
        roles_.killed_is_server ? static_cast<std::uint64_t>(number) : lives_.stream.load();
    lives_.stream = stream;
    Sound block;
    for (std::int64_t frame = 0;;) {
      const std::int64_t some = some_frames();
      block.resize(static_cast<std::size_t>(some) * bytes_of(format_));
      put_noise(block.data(), format_, stream, frame, some);
      const ssize_t wrote = ::write(fd_, block.data(), block.size());
      if (wrote < 0 && peer_gone()) break;
      if (wrote <= 0 || static_cast<std::size_t>(wrote) % bytes_of(format_) != 0)
        bench::fail("broken write");
      frame += wrote / static_cast<ssize_t>(bytes_of(format_));
    }
    lives_.stream = stream + 1;
  }

  const Roles roles_;
  Lives& lives_;
  std::minstd_rand random_;
  PcmFormat format_{};
  int fd_ = -1;
};

void play_once(int fd, Life& life, std::uint64_t stream) {
  const std::size_t frame_bytes = bytes_of(life.format);
  Sound block(static_cast<std::size_t>(life.block_frames) * frame_bytes);
  while (life.last == 0 || life.frames < life.last) {
    const std::int64_t left = life.last == 0 ? life.block_frames : life.last - life.frames;
    const std::int64_t some = std::min<std::int64_t>(life.block_frames, left);
    put_noise(block.data(), life.format, stream, life.frames, some);
    const ssize_t wrote = ::write(fd, block.data(), static_cast<std::size_t>(some) * frame_bytes);
    if (wrote <= 0 || static_cast<std::size_t>(wrote) % frame_bytes != 0)
      bench::fail("broken write");
    life.frames += wrote / static_cast<ssize_t>(frame_bytes);
  }
}

void record_once(int fd, Life& life, std::byte* heard) {
  const std::size_t frame_bytes = bytes_of(life.format);
  std::size_t all = 0;
  while (life.last == 0 || life.frames < life.last) {
    const std::size_t room = std::min(static_cast<std::size_t>(life.block_frames) * frame_bytes,
                                      Lives::kMostHeard - all);
    const ssize_t got = ::read(fd, heard + all, room);
    if (got <= 0 || static_cast<std::size_t>(got) % frame_bytes != 0) bench::fail("broken read");
    all += static_cast<std::size_t>(got);
    life.frames = static_cast<std::int64_t>(all / frame_bytes);
  }
}

}  // namespace

int open_with(const char* path, int flags, const PcmFormat& format) {
  const int fd = ::open(path, flags);
  if (fd < 0) bench::fail(path);
  int afmt = format.afmt, channels = format.channels, rate_hz = format.rate_hz;
  if (::ioctl(fd, SNDCTL_DSP_SETFMT, &afmt) != 0 || afmt != format.afmt) bench::fail("SETFMT");
  if (::ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) != 0 || channels != format.channels)
    bench::fail("CHANNELS");
  if (::ioctl(fd, SNDCTL_DSP_SPEED, &rate_hz) != 0 || rate_hz != format.rate_hz)
    bench::fail("SPEED");
  return fd;
}

void wait_a_bit() { ::usleep(100); }

void live_once(const Roles& roles, Life& life, std::uint64_t stream, std::byte* heard) {
  const int fd =
      open_with(roles.killed_path, roles.killed_plays ? O_WRONLY : O_RDONLY, life.format);
  life.opened = 1;
  roles.killed_plays ? play_once(fd, life, stream) : record_once(fd, life, heard);
  if (::close(fd) != 0) bench::fail("broken close");
  ::_exit(0);
}

void live_on(const Roles& roles, Lives& lives, unsigned seed) { Living(roles, lives, seed).run(); }

}  // namespace soak
