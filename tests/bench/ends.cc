// How soon a recorder hears of the end of its player, in milliseconds:
//
//   ends --path SERVER --player CLIENT --rounds N --kill 0|1 [--fragment WORD]
//
// The player plays for a tenth of a second; it exits, which closes its device, or is killed.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <new>

#include "stream.h"

namespace {

// When the player was gone.
std::atomic<std::int64_t>* gone_ns;

[[noreturn]] void play(const bench::Arguments& arguments, const bench::Stream& stream, bool kill) {
  const char* const path = arguments.text("--player", "/dev/dsp");
  const int fd = bench::open_stream(arguments, stream, O_WRONLY, STDOUT_FILENO, path);
  const std::vector<std::byte> block(stream.block_bytes);
  const std::int64_t until_ns = bench::now_ns() + 100'000'000;
  while (kill || bench::now_ns() < until_ns) {
    if (::write(fd, block.data(), block.size()) < 0) bench::fail("write");
    if (!kill || bench::now_ns() < until_ns) continue;
    *gone_ns = bench::now_ns();
    ::raise(SIGKILL);
  }
  ::close(fd);
  *gone_ns = bench::now_ns();
  std::exit(0);
}

}  // namespace

int main(int count, char** words) {
  const bench::Arguments arguments(count, words);
  const bench::Stream stream = bench::stream_of(arguments);
  const bool kill = arguments.number("--kill", 0) != 0;
  void* const shared =
      ::mmap(nullptr, sizeof *gone_ns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) bench::fail("mmap");
  gone_ns = new (shared) std::atomic<std::int64_t>(0);
  std::vector<double> later_ms;
  std::vector<std::byte> block(stream.block_bytes);
  for (std::int64_t round = arguments.number("--rounds", 20); round > 0; --round) {
    const pid_t player = ::fork();
    if (player < 0) bench::fail("fork");
    if (player == 0) {
      ::usleep(20'000);
      play(arguments, stream, kill);
    }
    const int fd = bench::open_stream(arguments, stream, O_RDONLY, STDIN_FILENO);
    while (::read(fd, block.data(), block.size()) > 0) {
    }
    if (errno != ECONNRESET) bench::fail("read");
    later_ms.push_back(static_cast<double>(bench::now_ns() - *gone_ns) / 1e6);
    ::waitpid(player, nullptr, 0);
    ::close(fd);
  }
  std::printf("{\"median_ms\": %.3f, \"most_ms\": %.3f}\n", bench::quantile(later_ms, 0.5),
              bench::quantile(later_ms, 1));
}
