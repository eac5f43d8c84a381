// A player whose signal handler closes the device, as players do on SIGINT, wherever
// the program is: POSIX allows it there.
#include <cstdlib>

#include "company.h"
#include "frames.h"
#include "roles.h"
#include "transfer.h"

namespace soak {
namespace {

constexpr int kIds = 120;

// What the handler works on.
volatile sig_atomic_t device = -1;
volatile sig_atomic_t may_reopen = 0;
volatile sig_atomic_t turns = 0;
const char* device_path = nullptr;

// At any moment; a write that it interrupts comes back with what was taken.
void close_it(int) {
  if (device < 0) return;
  const int saved = errno, fd = device;
  device = -1;
  if (::close(fd) != 0) ::_exit(4);
  errno = saved;
}

// Only while the program does other things: it could not tell else which of two streams
// a write belongs to.
void reopen_it(int) {
  if (!may_reopen) return;
  const int saved = errno;
  if (::close(device) != 0) ::_exit(4);
  device = ::open(device_path, O_WRONLY);
  if (device < 0) ::_exit(5);
  turns = turns + 1;
  errno = saved;
}

// Much of what a program does is to allocate; blocks of such sizes come from under a lock.
void work() {
  static unsigned seed = 1;
  void* blocks[16] = {};
  for (int i = 0; i < 5000; ++i) {
    seed = seed * 1103515245 + 12345;
    void*& block = blocks[seed >> 16 & 15];
    std::free(block);
    block = std::malloc(std::size_t{1200} << (seed >> 24 & 3));
  }
  for (void* const block : blocks) std::free(block);
}

class Interrupted {
 public:
  explicit Interrupted(const bench::Arguments& arguments)
      : arguments_(arguments),
        reopens_(std::strcmp(arguments.text("--handler", "close"), "reopen") == 0),
        stream_(bench::stream_of(arguments)),
        frames_(stream_, false),
        block_(stream_.block_bytes) {}

  int run() {
    const Belongings before(arguments_);
    device_path = arguments_.text("--path", "-");
    const bool restart = std::strcmp(arguments_.text("--signals", "restart"), "plain") != 0;
    Signals::install(SIGALRM, reopens_ ? reopen_it : close_it, restart);
    const auto every = static_cast<suseconds_t>(arguments_.number("--every", 3000));
    const itimerval often{{0, every}, {0, every}}, never{};
    device = open_device(arguments_, stream_, O_WRONLY);
    ::setitimer(ITIMER_REAL, &often, nullptr);
    for (std::int64_t streams = arguments_.number("--times", 10); streams > 0;) {
      const int turn = turns;
      write_some();
      may_reopen = reopens_;
      work();
      may_reopen = 0;
      if (device >= 0 && turns == turn) continue;
      tell_stream();
      if (device < 0) device = open_device(arguments_, stream_, O_WRONLY);
      --streams;
    }
    ::setitimer(ITIMER_REAL, &never, nullptr);
    if (device >= 0 && ::close(device) != 0) bench::fail("close");
    tell_stream();
    before.must_be_as_before();
    return 0;
  }

 private:
  void write_some() {
    const auto bytes = static_cast<std::int64_t>(stream_.block_bytes);
    const auto frame_bytes = static_cast<std::int64_t>(stream_.frame_bytes);
    for (std::int64_t at = 0; at < bytes; at += frame_bytes)
      frames_.put(block_.data() + at, written_ + 1 + at / frame_bytes, id_);
    const int fd = device;
    if (fd < 0) return;
    const ssize_t wrote = ::write(fd, block_.data(), stream_.block_bytes);
    if (wrote < 0 && device < 0 && errno == EBADF) return;
    if (wrote < 0 && errno != EINTR) bench::fail("broken write");
    if (wrote > 0) written_ += wrote / frame_bytes;
  }

  void tell_stream() {
    if (written_ > 0) std::printf("sent %d %lld\n", id_, static_cast<long long>(written_));
    std::fflush(stdout);
    written_ = 0;
    id_ = id_ % kIds + 1;
  }

  const bench::Arguments& arguments_;
  const bool reopens_;
  const bench::Stream stream_;
  const Frames frames_;
  std::vector<std::byte> block_;
  int id_ = 1;
  std::int64_t written_ = 0;
};

}  // namespace

int play_interrupted(const bench::Arguments& arguments) { return Interrupted(arguments).run(); }

}  // namespace soak
