// What an open shows to poll(), select() and epoll.
#include <poll.h>

#include <algorithm>
#include <utility>

#include "device/endpoint.h"
#include "device/side_lock.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;

short events_of(std::uint32_t ways) {
  return static_cast<short>(((ways & kRead) != 0 ? POLLIN | POLLRDNORM | POLLPRI : 0) |
                            ((ways & kWrite) != 0 ? POLLOUT | POLLWRNORM : 0));
}

}  // namespace

std::uint64_t Endpoint::low_water_frames() const {
  const std::uint32_t chosen = half().own().low_water_bytes.load(kRelaxed);
  if (chosen == 0) return half().fragment_frames();
  return std::max<std::uint64_t>(chosen / static_cast<std::uint32_t>(half().format().frame_bytes()),
                                 1);
}

bool Endpoint::ready(Access way, std::int64_t now_ns) {
  if (buffer(way).mapped()) return buffer(way).ready(now_ns);
  return way == kRead ? capture_.ready(low_water_frames(), now_ns)
                      : playback_.ready(low_water_frames(), now_ns);
}

// Of the ways that the loop lends us, those that are ready.
std::uint32_t Endpoint::ready_ways(std::int64_t now_ns) {
  std::uint32_t ways = 0;
  for (const Access way : {kRead, kWrite}) {
    if ((access_ & way) != 0 && live(way) && ready(way, now_ns)) ways |= way;
  }
  return ways;
}

// Fragments that have come in, or that have been played.
std::uint64_t Endpoint::passed_fragments(Access way, std::int64_t now_ns) {
  if (const MappedBuffer& mapped = buffer(way); mapped.mapped())
    return mapped.reached(now_ns) / mapped.fragment_frames();
  const std::uint64_t moved = half(way).own().frames.load(kRelaxed);
  const std::uint64_t position = way == kRead
                                     ? moved + capture_.passed_frames(now_ns)
                                     : moved - std::min(moved, playback_.queued_frames(now_ns));
  return position / half(way).fragment_frames();
}

std::uint64_t Endpoint::passed_fragments(std::int64_t now_ns) {
  std::uint64_t passed = 0;
  for (const Access way : {kRead, kWrite}) {
    if ((access_ & way) != 0 && live(way)) passed += passed_fragments(way, now_ns);
  }
  return passed;
}

// The token of a reader means "readable", that of a writer "not writable".
// With the lock held.
void Endpoint::show_readiness(int fd, std::int64_t now_ns) {
  if (both_ways_) return show_both_ways(fd, now_ns);
  const std::uint32_t live = live_direction();
  const std::uint32_t before = std::exchange(shown_direction_, live);
  if (before != 0 && before != live) {
    // The loop goes the other way now. Who waits for what was possible before is
    // to look again; the next look shows the truth.
    readiness_.signal_edge(fd, before == kRead ? abi::Token::kByte : abi::Token::kEmpty);
    return;
  }
  const bool is_ready = ready_ways(now_ns) != 0;
  const bool byte = is_ready == (live == kRead);
  const abi::Token token = byte ? abi::Token::kByte : abi::Token::kEmpty;
  if (!is_ready || !readiness_.edges_wanted()) return readiness_.show(fd, token);
  readiness_.show(fd, token, passed_fragments(now_ns));
}

// "Neither" cannot be shown: it looks as "writable" does, and who waits to write then waits
// for a byte (prepare_poll), that comes with room.
void Endpoint::show_both_ways(int fd, std::int64_t now_ns) {
  const std::uint32_t ways = ready_ways(now_ns);
  const bool was_idle = std::exchange(shown_idle_, ways == 0);
  if (was_idle && ways == kWrite) return readiness_.notify(fd, abi::Token::kByte);
  const abi::Token token = ways == kReadWrite ? abi::Token::kByte
                           : ways == kRead    ? abi::Token::kFull
                                              : abi::Token::kEmpty;
  if (ways == 0 || !readiness_.edges_wanted()) return readiness_.show(fd, token);
  readiness_.show(fd, token, passed_fragments(now_ns));
}

void Endpoint::show_readiness(int fd) {
  if (readiness_.watched() && holds(fd)) show_readiness(fd, sys().now_ns());
}

void Endpoint::want_edges(int fd) {
  SideLock lock(*this, fd);
  readiness_.want_edges();
  show_readiness(fd);
  DeviceThread::instance().notify();
}

short Endpoint::poll_now(int fd) {
  SideLock lock(*this, fd);
  look_without_thread(sys().now_ns());
  const std::uint32_t ways = ready_ways(sys().now_ns());
  // The kernel said otherwise: the node holds not what we believe.
  if (ways == 0) readiness_.invalidate();
  shown_idle_ = false;
  show_readiness(fd);
  return events_of(ways);
}

short Endpoint::prepare_poll(int fd, short events) {
  SideLock lock(*this, fd);
  look_without_thread(sys().now_ns());
  const bool first = readiness_.watch();
  bool started = false;
  if ((access_ & kRead) != 0 && live(kRead) && (events & (POLLIN | POLLRDNORM)) != 0 &&
      (half().own().trigger.load(kRelaxed) & kRead) != 0 &&
      (recording_.has_server() || recording_.goes_on_alone())) {
    started = capture_.start();
  }
  shown_idle_ = false;
  show_readiness(fd);
  if (started) this->started();
  if (first || watch_wanted() > watch_.load(kRelaxed)) DeviceThread::instance().notify();
  if (!both_ways_) return static_cast<short>(events & events_of(live_direction()));
  const bool for_room = (events & (POLLOUT | POLLWRNORM)) != 0;
  if (!shown_idle_ || !for_room) return events;
  return static_cast<short>((events & ~(POLLOUT | POLLWRNORM)) | POLLIN);
}

}  // namespace ossloop::device
