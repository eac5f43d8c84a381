// A player and a recorder that map the buffer, as games do.
#include <sys/mman.h>

#include <cstdlib>

#include "company.h"
#include "heard.h"
#include "journal.h"
#include "roles.h"
#include "transfer.h"

namespace soak {
namespace {

constexpr useconds_t kTurnUs = 5000;

class Mapped {
 public:
  Mapped(const bench::Arguments& arguments, bool plays)
      : plays_(plays),
        close_first_(arguments.number("--close-first", 0) != 0),
        stream_(bench::stream_of(arguments)),
        frames_(stream_, false),
        fd_(open_device(arguments, stream_, plays ? O_WRONLY : O_RDONLY)) {
    audio_buf_info info{};
    if (::ioctl(fd_, plays ? SNDCTL_DSP_GETOSPACE : SNDCTL_DSP_GETISPACE, &info) != 0)
      bench::fail("broken space");
    bytes_ = static_cast<std::size_t>(info.fragstotal) * static_cast<std::size_t>(info.fragsize);
    fragment_ = info.fragsize / static_cast<int>(stream_.frame_bytes);
    size_ = static_cast<std::int64_t>(bytes_ / stream_.frame_bytes);
    void* const address =
        ::mmap(nullptr, bytes_, plays ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd_, 0);
    if (address == MAP_FAILED) bench::fail("broken mmap");
    memory_ = static_cast<std::byte*>(address);
    trigger(0);
  }

  int fd() const { return fd_; }
  const Frames& frames() const { return frames_; }
  std::int64_t size() const { return size_; }
  std::int64_t fragment() const { return fragment_; }
  std::byte* at(std::int64_t position) const {
    return memory_ + static_cast<std::size_t>(position % size_) * stream_.frame_bytes;
  }

  void trigger(int bits) const {
    if (::ioctl(fd_, SNDCTL_DSP_SETTRIGGER, &bits) != 0) bench::fail("broken trigger");
  }

  // In frames; -1 at the end of what is recorded.
  std::int64_t position() const {
    count_info now{};
    if (::ioctl(fd_, plays_ ? SNDCTL_DSP_GETOPTR : SNDCTL_DSP_GETIPTR, &now) != 0) {
      if (!plays_ && errno == ECONNRESET) return -1;
      bench::fail("broken pointer");
    }
    return now.bytes / static_cast<std::int64_t>(stream_.frame_bytes);
  }

  void close() const {
    trigger(0);
    if (!close_first_) ::munmap(memory_, bytes_);
    if (::close(fd_) != 0) bench::fail("close");
    if (!close_first_) return;
    // What the close has freed is used again.
    void* blocks[256];
    for (std::size_t i = 0; i < std::size(blocks); ++i) {
      blocks[i] = std::malloc(64 * (i + 1));
      std::memset(blocks[i], 0x5a, 64 * (i + 1));
    }
    if (::munmap(memory_, bytes_) != 0) bench::fail("munmap");
    for (void* const block : blocks) std::free(block);
  }

 private:
  const bool plays_;
  const bool close_first_;
  const bench::Stream stream_;
  const Frames frames_;
  const int fd_;
  std::size_t bytes_ = 0;
  std::int64_t size_ = 0;
  std::int64_t fragment_ = 0;
  std::byte* memory_ = nullptr;
};

void tell_late() {
  std::printf("late\n");
  std::fflush(stdout);
}

// What was played is silenced at once: a turn that comes too late for the next frames
// leaves a gap, and no frame is heard twice.
class Painter {
 public:
  Painter(const Mapped& buffer, int id, std::int64_t count)
      : buffer_(buffer), id_(id), count_(count) {}

  bool done() const { return number_ > count_ && cleared_ >= painted_; }

  // False when the machine held us up so long that the old went round.
  bool turn() {
    const std::int64_t position = buffer_.position();
    const bool round = position - cleared_ > buffer_.size() - buffer_.fragment();
    for (; cleared_ < position; ++cleared_)
      std::memset(buffer_.at(cleared_), 0, buffer_.frames().frame_bytes());
    if (number_ > count_) return !round;
    const std::int64_t first =
        std::max(painted_, position + (position > 0 ? buffer_.fragment() : 0));
    const std::int64_t until = position + buffer_.size() - buffer_.fragment();
    for (painted_ = first; painted_ < until && number_ <= count_; ++painted_)
      buffer_.frames().put(buffer_.at(painted_), number_++, id_);
    return !round && (painted_ == first || position == 0 || buffer_.position() <= first);
  }

 private:
  const Mapped& buffer_;
  int id_;
  std::int64_t count_;
  std::int64_t number_ = 1;
  std::int64_t cleared_ = 0;
  std::int64_t painted_ = 0;
};

// Hears what has come in since the last turn, a copy of it: nobody may have overwritten
// it meanwhile.
class Listener {
 public:
  Listener(const Mapped& buffer, int senders) : buffer_(buffer), heard_(senders, nullptr) {}

  bool late() const { return late_; }

  // False at the end of the stream.
  bool turn() {
    const std::int64_t answer = buffer_.position();
    // The end is told in the stead of a position that the last look has already had.
    const std::int64_t position = answer < 0 ? told_ : answer;
    const std::size_t frame_bytes = buffer_.frames().frame_bytes();
    const std::int64_t first = std::max(taken_, position - buffer_.size());
    copy_.resize(static_cast<std::size_t>(position - first) * frame_bytes);
    for (std::int64_t at = first; at < position; ++at) {
      std::memcpy(copy_.data() + static_cast<std::size_t>(at - first) * frame_bytes, buffer_.at(at),
                  frame_bytes);
    }
    const std::int64_t now = answer < 0 ? answer : buffer_.position();
    told_ = std::max(position, now);
    late_ = late_ || first > taken_ || told_ - first > buffer_.size();
    taken_ = position;
    for (std::size_t at = 0; at < copy_.size() && !late_; at += frame_bytes) {
      const Frames::Place place = buffer_.frames().place(copy_.data() + at);
      if (place.id != 0 || place.number != 0) heard_.frame(place);
    }
    return now >= 0;
  }

  void tell_end() { heard_.tell_end(); }

 private:
  const Mapped& buffer_;
  Heard heard_;
  std::vector<std::byte> copy_;
  std::int64_t taken_ = 0;
  std::int64_t told_ = 0;
  bool late_ = false;
};

}  // namespace

int play_mapped(const bench::Arguments& arguments) {
  const Signals signals(arguments);
  const Belongings before(arguments);
  const Mapped buffer(arguments, true);
  Painter painter(buffer, static_cast<int>(arguments.number("--id", 1)),
                  arguments.number("--frames", 48000));
  bool late = !painter.turn();
  buffer.trigger(PCM_ENABLE_OUTPUT);
  Journal::of(arguments).at_least(Journal::kOpen);
  while (!painter.done() && !stopped) {
    ::usleep(kTurnUs);
    late = !painter.turn() || late;
  }
  buffer.close();
  if (late) tell_late();
  before.must_be_as_before();
  return 0;
}

int record_mapped(const bench::Arguments& arguments) {
  const Signals signals(arguments);
  const Belongings before(arguments);
  const Mapped buffer(arguments, false);
  buffer.trigger(PCM_ENABLE_INPUT);
  Journal::of(arguments).at_least(Journal::kOpen);
  Listener listener(buffer, static_cast<int>(arguments.number("--senders", 1)));
  while (!stopped) {
    pollfd entry{buffer.fd(), POLLIN, 0};
    if (::poll(&entry, 1, -1) < 0 && errno != EINTR) bench::fail("poll");
    if (!listener.turn()) break;
  }
  if (listener.late()) tell_late();
  if (!stopped) listener.tell_end();
  buffer.close();
  before.must_be_as_before();
  return 0;
}

}  // namespace soak
