#include <memory>
#include <optional>

#include "company.h"
#include "heard.h"
#include "journal.h"
#include "roles.h"
#include "transfer.h"

namespace soak {
namespace {

constexpr int kIds = 120;

class Player {
 public:
  explicit Player(const bench::Arguments& arguments)
      : arguments_(arguments),
        stream_(bench::stream_of(arguments)),
        frames_(stream_, arguments.number("--ramp", 0) != 0),
        count_(arguments.number("--frames", 48000)),
        times_(arguments.number("--times", 1)),
        id_(static_cast<int>(arguments.number("--id", 1))),
        block_(stream_.block_bytes),
        journal_(Journal::of(arguments)),
        signals_(arguments),
        forking_(arguments),
        transfer_(arguments) {}

  int run() {
    for (std::int64_t time = 0; time < times_ && !stopped; ++time) {
      const Belongings before(arguments_);
      const bool heard = one_stream();
      if (::close(fd_) != 0) bench::fail("close");
      before.must_be_as_before();
      if (const int status = forking_.join(); status != 0) return status;
      // Else the next recorder hears the next stream.
      if (!heard && times_ == 1) return kPeerGone;
      id_ = id_ % kIds + 1;
    }
    return 0;
  }

 private:
  // False when the recorder has gone.
  bool one_stream() {
    fd_ = open_device(arguments_, stream_, O_WRONLY);
    journal_.frames[slot_] = 0;
    journal_.at_least(Journal::kOpen);
    BusyOpens busy(arguments_, O_WRONLY);
    number_ = 1;
    bool heard = true;
    while (heard && number_ <= count_ && !stopped) {
      if (forking_.due(number_)) fork_now(busy);
      heard = write_some();
    }
    busy.stop();
    transfer_.forget();
    return heard;
  }

  bool write_some() {
    const auto block_frames = static_cast<std::int64_t>(stream_.block_bytes / stream_.frame_bytes);
    const std::int64_t some = std::min(block_frames, count_ - number_ + 1);
    for (std::int64_t i = 0; i < some; ++i) {
      frames_.put(block_.data() + static_cast<std::size_t>(i) * stream_.frame_bytes, number_ + i,
                  id_);
    }
    const std::size_t bytes = static_cast<std::size_t>(some) * stream_.frame_bytes;
    const ssize_t wrote = transfer_.write(fd_, block_.data(), bytes);
    if (wrote == -ECONNRESET || wrote == -ENXIO) return false;
    if (wrote == -EINTR) return true;
    // Short when the other side goes: the next write tells.
    if (wrote <= 0 || static_cast<std::size_t>(wrote) % stream_.frame_bytes != 0) {
      errno = static_cast<int>(-wrote);
      bench::fail("broken write");
    }
    number_ += wrote / static_cast<ssize_t>(stream_.frame_bytes);
    journal_.frames[slot_] = number_ - 1;
    return true;
  }

  // Where the parent stays, both write, each a count of its own.
  void fork_now(BusyOpens& busy) {
    if (!forking_.fork_now(fd_)) return;
    if (forking_.stays()) {
      slot_ = 1;
      ++id_;
      number_ = 1;
    }
    signals_.arm();
    transfer_.forget();
    busy.start();
    journal_.at_least(Journal::kForked);
  }

  const bench::Arguments& arguments_;
  const bench::Stream stream_;
  const Frames frames_;
  const std::int64_t count_;
  const std::int64_t times_;
  int id_;
  std::vector<std::byte> block_;
  Journal& journal_;
  Signals signals_;
  Forking forking_;
  Transfer transfer_;
  int fd_ = -1;
  int slot_ = 0;
  std::int64_t number_ = 1;
};

}  // namespace

int play(const bench::Arguments& arguments) { return Player(arguments).run(); }

}  // namespace soak
