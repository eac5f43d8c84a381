#include "company.h"
#include "heard.h"
#include "journal.h"
#include "roles.h"
#include "transfer.h"

namespace soak {
namespace {

// A stream at another rate, told by its level.
class Ramp {
 public:
  Ramp(const bench::Stream& stream, const Frames& frames) : stream_(stream), frames_(frames) {}

  void frame(const std::byte* at) {
    const double difference =
        std::abs(static_cast<double>(frames_.sample(at, 0)) * 0x1p-31 - frames_.triangle(heard_));
    // A frame too many or too few makes four times that. In the last moments of a
    // stream the filter meets the silence after it.
    const bool off = frames_.straight(heard_) && difference > Frames::kSlope / 4 / stream_.rate_hz;
    if (off && first_off_ < 0) first_off_ = heard_;
    if (first_off_ >= 0 && heard_ - first_off_ > stream_.rate_hz / 10)
      broken("ramp", id_, first_off_, heard_);
    if (heard_ == stream_.rate_hz / 32)
      id_ = static_cast<int>((frames_.sample(at, 1) + (1 << 23)) >> 24);
    ++heard_;
  }
  void tell_end() {
    std::printf("stream %d %lld\n", id_, static_cast<long long>(heard_));
    std::fflush(stdout);
    heard_ = id_ = 0;
    first_off_ = -1;
  }

 private:
  const bench::Stream& stream_;
  const Frames& frames_;
  std::int64_t heard_ = 0, first_off_ = -1;
  int id_ = 0;
};

// What a recorder and its forked child have in common while both read.
struct Meeting {
  Parts parts;
  std::atomic<pid_t> process[2];
  std::atomic<int> ended;
  std::atomic<int> acknowledged;
};

class Recorder {
 public:
  explicit Recorder(const bench::Arguments& arguments)
      : arguments_(arguments),
        stream_(bench::stream_of(arguments)),
        ramps_(arguments.number("--ramp", 0) != 0),
        frames_(stream_, ramps_),
        ramp_(stream_, frames_),
        limit_(arguments.number("--limit", INT64_MAX)),
        streams_(arguments.number("--streams", INT64_MAX)),
        needs_sound_(arguments.number("--needs-sound", 0) != 0),
        block_(stream_.block_bytes),
        journal_(Journal::of(arguments)),
        signals_(arguments),
        forking_(arguments),
        transfer_(arguments),
        meeting_(forking_.stays() ? shared_memory<Meeting>() : nullptr),
        heard_(static_cast<int>(arguments.number("--senders", 1)),
               meeting_ != nullptr ? &meeting_->parts : nullptr) {}

  int run() {
    const Belongings before(arguments_);
    fd_ = open_device(arguments_, stream_, O_RDONLY);
    journal_.at_least(Journal::kOpen);
    BusyOpens busy(arguments_, O_RDONLY);
    int status = -1;
    while (status < 0) {
      if (forking_.due(all_ / static_cast<std::int64_t>(stream_.frame_bytes))) fork_now(busy);
      status = read_some();
    }
    busy.stop();
    transfer_.forget();
    if (::close(fd_) != 0) bench::fail("close");
    before.must_be_as_before();
    const int of_child = forking_.join();
    return of_child != 0 ? of_child : status;
  }

 private:
  static constexpr int kGoesOn = -1;

  // The exit status, when it is the end.
  int read_some() {
    if (both_read_ && meeting_->ended != 0) return end_of_both();
    if (stopped) return 0;
    const ssize_t got = transfer_.read(fd_, block_.data(), block_.size());
    if (both_read_ && (got == -ECONNRESET || got == -ENXIO)) return end_of_both();
    if (got == -ECONNRESET && needs_sound_ && all_ == 0) return kPeerGone;
    if (got == -ECONNRESET) {
      ramps_ ? ramp_.tell_end() : heard_.tell_end();
      return limit_ != INT64_MAX || --streams_ == 0 ? 0 : kGoesOn;
    }
    if (got == -ENXIO) return kPeerGone;
    if (got == -EINTR) return kGoesOn;
    if (got <= 0 || static_cast<std::size_t>(got) % stream_.frame_bytes != 0) {
      errno = static_cast<int>(-got);
      bench::fail("broken read");
    }
    for (ssize_t at = 0; at < got; at += static_cast<ssize_t>(stream_.frame_bytes)) hear(at);
    all_ += got;
    journal_.frames[0] = all_ / static_cast<std::int64_t>(stream_.frame_bytes);
    return all_ < limit_ ? kGoesOn : 0;
  }

  void hear(ssize_t at) {
    const std::byte* const frame = block_.data() + at;
    if (ramps_) return ramp_.frame(frame);
    const Frames::Place place = frames_.place(frame);
    // Silence where nothing came in time.
    if (place.id != 0 || place.number != 0) heard_.frame(place);
  }

  void fork_now(BusyOpens& busy) {
    if (meeting_ != nullptr) meeting_->process[0] = ::getpid();
    const bool child = forking_.fork_now(fd_);
    if (meeting_ != nullptr) {
      both_read_ = true;
      heard_.share();
      me_ = child ? 1 : 0;
      meeting_->process[1] = child ? ::getpid() : forking_.child();
    }
    if (!child) return;
    signals_.arm();
    transfer_.forget();
    busy.start();
    journal_.at_least(Journal::kForked);
  }

  // The end is told to one of the two: it fetches the other one from its call, which has
  // then taken note of all that it has read.
  int end_of_both() {
    if (meeting_->ended.exchange(1) != 0) {
      meeting_->acknowledged = 1;
      return 0;
    }
    while (meeting_->acknowledged == 0 && !stopped) {
      ::kill(meeting_->process[1 - me_], SIGUSR1);
      ::usleep(5000);
    }
    if (!stopped) heard_.tell_end();
    return 0;
  }

  const bench::Arguments& arguments_;
  const bench::Stream stream_;
  const bool ramps_;
  const Frames frames_;
  Ramp ramp_;
  const std::int64_t limit_;
  std::int64_t streams_;
  const bool needs_sound_;  // a stream that had begun for the recorder before is none
  std::vector<std::byte> block_;
  Journal& journal_;
  Signals signals_;
  Forking forking_;
  Transfer transfer_;
  Meeting* meeting_;
  Heard heard_;
  int fd_ = -1;
  int me_ = 0;
  bool both_read_ = false;
  std::int64_t all_ = 0;
};

}  // namespace

int record(const bench::Arguments& arguments) { return Recorder(arguments).run(); }

}  // namespace soak
