// The stranger who has the instance's files open and writes into them.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/sys.h"
#include "shared_fuzz.h"
#include "shared_fuzz_words.h"

namespace ossloop::fuzz {
namespace {

sigjmp_buf cut_off;
// A file that somebody has cut off, mostly we ourselves.
void on_sigbus(int) { ::siglongjmp(cut_off, 1); }

void sleep_ns(std::int64_t ns) {
  const timespec pause{ns / 1'000'000'000, ns % 1'000'000'000};
  ::nanosleep(&pause, nullptr);
}

class Scribbler {
 public:
  Scribbler(const World& world, Board& board, std::uint64_t seed)
      : world_(world),
        board_(board),
        chance_(seed),
        words_(chance_, world.parts, board),
        act_(chance_.below(2 * kActs)) {}

  // `anew`: what was mapped is no longer there.
  void strike(bool anew) {
    if (anew || !words_ || chance_.one_in(50)) words_.open(world_.folder);
    if (!words_) return sleep_ns(2'000'000);
    let_go();
    switch (act_ < kActs && chance_.one_in(2) ? act_ : chance_.below(kActs)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return words();
      case 5:
      case 6:
      case 7:
        return tight_loop();
      case 8:
        return count_up();
      case 9:
        return block();
      case 10:
      case 11:
        return sound();
      case 12:
        return nodes();
      case 13:
        return lock();
      case 14:
        return truncate();
      default:
        return sleep_ns(static_cast<std::int64_t>(chance_.below(20'000'000)));
    }
  }

 private:
  [[gnu::format(printf, 2, 3)]] void note(const char* format, ...) {
    auto& line = board_.scribble[board_.scribbles.fetch_add(1) % std::size(board_.scribble)];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
  }
  bool may(Part part) const { return (world_.parts & part) != 0; }
  std::string file(const char* name) const { return world_.folder + "/" + name; }

  void words() {
    for (std::uint64_t i = chance_.up_to(100); i > 0; --i) {
      Word word{};
      if (!words_.pick(word)) continue;
      const std::uint64_t value = words_.value_for(word);
      note("%s + %zu: %zu bytes = 0x%llx", word.region->name, word.at - word.region->at, word.bytes,
           static_cast<unsigned long long>(value));
      words_.store(word, value);
      if (chance_.one_in(2)) sleep_ns(static_cast<std::int64_t>(chance_.up_to(2'000'000)));
    }
  }

  // Between the look and the use of whoever believes it.
  void tight_loop() {
    Word word{};
    if (!words_.pick(word)) return;
    std::uint64_t values[3];
    for (std::uint64_t& value : values) value = words_.value_for(word);
    if (chance_.one_in(3)) values[0] = words_.load(word);
    note("%s + %zu: %zu bytes in a loop = 0x%llx, 0x%llx, 0x%llx", word.region->name,
         word.at - word.region->at, word.bytes, static_cast<unsigned long long>(values[0]),
         static_cast<unsigned long long>(values[1]), static_cast<unsigned long long>(values[2]));
    const std::int64_t end_ns = base::sys().now_ns() + span_ns(400);
    while (base::sys().now_ns() < end_ns) {
      for (int i = 0; i < 300; ++i) words_.store(word, values[i % 3]);
    }
  }

  void count_up() {
    Word word{};
    if (!words_.pick(word)) return;
    const std::uint64_t step = chance_.one_in(2) ? 1 : chance_.up_to(100'000);
    note("%s + %zu: %zu bytes counted up by %llu", word.region->name, word.at - word.region->at,
         word.bytes, static_cast<unsigned long long>(step));
    std::uint64_t value = words_.load(word);
    const std::int64_t end_ns = base::sys().now_ns() + span_ns(400);
    while (base::sys().now_ns() < end_ns) {
      for (int i = 0; i < 100; ++i) words_.store(word, value += step);
      if (chance_.one_in(4)) sleep_ns(50'000);
    }
  }

  // A whole structure at once: nothing, or noise.
  void block() {
    Word word{};
    if (!words_.pick(word)) return;
    const bool zeros = chance_.one_in(3);
    note("%s: all %s", word.region->name, zeros ? "zeros" : "noise");
    for (std::size_t at = 0; at < word.region->bytes; at += 8) {
      words_.store({word.region, word.region->at + at, 8}, zeros ? 0 : chance_.bits());
    }
  }

  void sound() {
    constexpr const char* kFiles[] = {"loop0",         "loop0",          "pcm0.played",
                                      "pcm0.recorded", "server0.played", "server0.recorded",
                                      "tail0.0",       "tail0.1"};
    const char* const name = chance_.pick(kFiles);
    if (!may(kSound)) return;
    const int fd = ::open(file(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) return;
    const std::int64_t from = std::strcmp(name, "loop0") == 0 ? abi::kRingOffset : 0;
    if (status.st_size > from + 16384) {
      note("%s: noise in its sound", name);
      std::uint64_t noise[2048];
      for (std::uint64_t i = chance_.up_to(32); i > 0; --i) {
        const std::uint64_t value = words_.plausible() ^ (chance_.one_in(2) ? chance_.bits() : 0);
        std::fill(std::begin(noise), std::end(noise), value);
        const auto at =
            from + static_cast<std::int64_t>(chance_.below(
                       static_cast<std::uint64_t>(status.st_size - from) - sizeof noise));
        [[maybe_unused]] const ssize_t written = ::pwrite(fd, noise, sizeof noise, at);
      }
    }
    ::close(fd);
  }

  // Kept open: to close another descriptor of it would drop a lock.
  int node(std::size_t side) {
    if (node_[side] < 0) {
      node_[side] = ::open(file(side == abi::kServer ? "server0" : "pcm0").c_str(),
                           O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    }
    return node_[side];
  }

  void nodes() {
    const std::size_t side = chance_.below(2);
    if (!may(kNodes) || node(side) < 0) return;
    static char bytes[4096];
    const char* const name = kKindNames[side];
    switch (chance_.below(6)) {
      case 0:
        note("node of the %s: %d bytes more", name, 1);
        while (::write(node(side), bytes, 1) < 0 && errno == EINTR) {
        }
        break;
      case 1:
        note("node of the %s: emptied", name);
        while (::read(node(side), bytes, sizeof bytes) > 0) {
        }
        break;
      case 2:
        note("node of the %s: stuffed", name);
        while (::write(node(side), bytes, sizeof bytes) > 0) {
        }
        break;
      case 3:
        note("node of the %s: one page", name);
        ::fcntl(node(side), F_SETPIPE_SZ, 4096);
        break;
      default: {
        note("node of the %s: a pipe of 1 MiB, stuffed all the time", name);
        ::fcntl(node(side), F_SETPIPE_SZ, 1 << 20);
        const std::int64_t end_ns = base::sys().now_ns() + span_ns(1000);
        while (base::sys().now_ns() < end_ns) {
          while (::write(node(side), bytes, sizeof bytes) > 0) {
          }
        }
      }
    }
  }

  // As a claim is held, by a stranger.
  void lock() {
    const std::size_t side = chance_.below(2);
    if (!may(kClaims) || node(side) < 0) return;
    const bool description = chance_.one_in(2);
    struct flock lock {};
    lock.l_type = static_cast<short>(chance_.one_in(2) ? F_RDLCK : F_WRLCK);
    lock.l_whence = SEEK_SET;
    lock.l_len = static_cast<off_t>(chance_.below(3));  // 0: to the end
    const bool got = ::fcntl(node(side), description ? F_OFD_SETLK : F_SETLK, &lock) == 0;
    note("node of the %s: %s lock of the %s%s", kKindNames[side],
         lock.l_type == F_RDLCK ? "read" : "write", description ? "description" : "process",
         got ? "" : ", in vain");
    lock_until_ns_ = base::sys().now_ns() + (chance_.one_in(10) ? 9'000'000'000 : span_ns(1000));
  }
  void let_go() {
    if (lock_until_ns_ == 0 || base::sys().now_ns() < lock_until_ns_) return;
    lock_until_ns_ = 0;
    note("all locks let go");
    for (int& fd : node_) {
      if (fd >= 0) ::close(fd);
      fd = -1;
    }
  }

  void truncate() {
    constexpr const char* kFiles[] = {"loop0",         "loop0",   "pcm0.played", "server0.recorded",
                                      "pcm0.recorded", "tail0.0", "tail0.1"};
    if (!world_.truncates || !chance_.one_in(4)) return;
    const char* const name = chance_.pick(kFiles);
    struct stat status {};
    if (::stat(file(name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    const auto bytes = static_cast<off_t>(
        chance_.below(2) * chance_.below(static_cast<std::uint64_t>(status.st_size) + 1));
    board_.truncated.store(true);
    note("%s: cut off at %lld of %lld bytes", name, static_cast<long long>(bytes),
         static_cast<long long>(status.st_size));
    if (::truncate(file(name).c_str(), bytes) != 0) return;
    sleep_ns(static_cast<std::int64_t>(chance_.up_to(50'000'000)));
    if (chance_.one_in(2) && ::truncate(file(name).c_str(), status.st_size) == 0) {
      note("%s: as long as before", name);
    }
  }

  std::int64_t span_ns(std::uint64_t most_ms) {
    return static_cast<std::int64_t>(chance_.up_to(most_ms)) * 1'000'000;
  }

  const World& world_;
  Board& board_;
  Chance chance_;
  Words words_;
  // What half of the strikes of a round are, or none.
  static constexpr std::uint64_t kActs = 16;
  const std::uint64_t act_;
  int node_[2] = {-1, -1};
  std::int64_t lock_until_ns_ = 0;
};

}  // namespace

void scribble(const World& world, Board& board, std::uint64_t seed) {
  ::signal(SIGBUS, on_sigbus);
  static Scribbler scribbler(world, board, seed);
  const bool anew = ::sigsetjmp(cut_off, 1) != 0;
  if (anew) sleep_ns(1'000'000);
  scribbler.strike(anew);
  for (;;) scribbler.strike(false);
}

}  // namespace ossloop::fuzz
