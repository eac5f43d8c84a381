// A player whose children wake the recorder and are killed while they do, at any of
// their instructions: the timer that kills them is their own. They write silence, so
// that it does not matter how much of it comes.
#include <random>

#include "company.h"
#include "frames.h"
#include "journal.h"
#include "roles.h"
#include "transfer.h"

namespace soak {
namespace {

constexpr std::size_t kSilentFrames = 1024;
// Long enough for a recorder to go back to sleep.
constexpr std::int64_t kBetweenNs = 70'000;
constexpr std::int64_t kLongestLifeNs = 3'000'000;

void be_killed_in(std::int64_t life_ns) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) ::_exit(10);
  const itimerspec once{{0, 0}, {0, static_cast<long>(life_ns)}};
  ::timer_settime(timer, 0, &once, nullptr);
}

[[noreturn]] void wake_until_killed(int fd, const bench::Stream& stream, std::int64_t life_ns) {
  be_killed_in(life_ns);
  const std::vector<std::byte> silence(kSilentFrames * stream.frame_bytes);
  for (;;) {
    if (::write(fd, silence.data(), silence.size()) < 0) ::_exit(11);
    const std::int64_t until_ns = bench::now_ns() + kBetweenNs;
    while (bench::now_ns() < until_ns) {
    }
  }
}

}  // namespace

int play_beside_killed(const bench::Arguments& arguments) {
  const Belongings before(arguments);
  const bench::Stream stream = bench::stream_of(arguments);
  const Frames frames(stream, false);
  const int fd = open_device(arguments, stream, O_WRONLY);
  Journal::of(arguments).at_least(Journal::kOpen);
  std::vector<std::byte> block(stream.block_bytes);
  const auto block_frames = static_cast<std::int64_t>(stream.block_bytes / stream.frame_bytes);
  std::minstd_rand random(static_cast<unsigned>(arguments.number("--seed", 1)));
  std::uniform_int_distribution<std::int64_t> life(100'000, kLongestLifeNs);
  const std::int64_t count = arguments.number("--frames", 48000) / block_frames * block_frames;
  for (std::int64_t number = 1; number <= count; number += block_frames) {
    for (std::int64_t i = 0; i < block_frames; ++i)
      frames.put(block.data() + static_cast<std::size_t>(i) * stream.frame_bytes, number + i, 1);
    if (::write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()))
      bench::fail("broken write");
    const std::int64_t life_ns = life(random);
    const pid_t child = ::fork();
    if (child < 0) bench::fail("fork");
    if (child == 0) wake_until_killed(fd, stream, life_ns);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || WTERMSIG(status) != SIGKILL) {
      std::fprintf(stderr, "broken child: status %#x\n", static_cast<unsigned>(status));
      return 1;
    }
  }
  if (::close(fd) != 0) bench::fail("close");
  before.must_be_as_before();
  return 0;
}

}  // namespace soak
