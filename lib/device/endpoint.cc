#include "device/endpoint.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/scoped_block.h"
#include "device/side_lock.h"
#include "device/sync_group.h"
#include "shm/shared_lock.h"
#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kSoonAgainNs = 1'000'000;
constexpr std::int64_t kWithoutThreadNs = 100'000'000;

short events_of(std::uint32_t direction) {
  return static_cast<short>(direction == kRead ? POLLIN | POLLRDNORM | POLLPRI
                                               : POLLOUT | POLLWRNORM);
}

bool no_holder(int, const Endpoint*) { return true; }
Endpoint::HoldsDescriptor holds_descriptor = no_holder;

}  // namespace

void Endpoint::set_holder(HoldsDescriptor holds) { holds_descriptor = holds; }

Endpoint::Endpoint(std::shared_ptr<shm::Segment> segment, const shm::RuntimeDirectory& folder,
                   int instance, abi::SideIndex side)
    : instance_(instance),
      port_(std::move(segment), side),
      peer_monitor_(port_, folder, instance),
      readiness_(port_.side()),
      playback_(port_),
      capture_(port_),
      recorded_(port_, shm::MapFile(folder, instance, side, true), true),
      played_(port_, shm::MapFile(folder, instance, side, false), false) {}

Endpoint::~Endpoint() { DeviceThread::instance().remove(this); }

// What the device thread would have seen, by a call of the program.
void Endpoint::look_without_thread(std::int64_t now_ns) {
  if (DeviceThread::instance().has_thread() || DeviceThread::instance().notify()) return;
  if (now_ns - peer_monitor_.checked_ns() < kWithoutThreadNs) return;
  peer_monitor_.check_peer_alive(now_ns);
  peer_monitor_.drop_descriptors();
}

Endpoint::Watch Endpoint::watch_wanted() const {
  if (mapped_moves()) return Watch::kTicking;
  if (!is_open(port_.peer().open.load(std::memory_order_acquire))) {
    return readiness_.watched() ? Watch::kWaiting : Watch::kIdle;
  }
  if (!playback_.streaming() && !capture_.flow().running()) return Watch::kWaiting;
  return readiness_.watched() ? Watch::kTicking : Watch::kStreaming;
}

void Endpoint::started() {
  peer_monitor_.want_peer_notified();
  DeviceThread::instance().notify();
}

std::uint32_t Endpoint::live_direction() const {
  if (port_.server() || access_ != kReadWrite) return access_;
  if (!is_open(port_.peer().open.load(std::memory_order_acquire))) return kWrite;
  return port_.peer().access.load(kRelaxed) == kWrite ? kRead : kWrite;
}

std::uint64_t Endpoint::low_water_frames() const {
  const std::uint32_t chosen = port_.side().low_water_bytes.load(kRelaxed);
  if (chosen == 0) return port_.fragment_frames();
  return std::max<std::uint64_t>(chosen / static_cast<std::uint32_t>(port_.format().frame_bytes()),
                                 1);
}

bool Endpoint::ready(std::int64_t now_ns) {
  if (const MappedBuffer* mapped = live_buffer(); mapped != nullptr) return mapped->ready(now_ns);
  return live_direction() == kRead ? capture_.ready(low_water_frames(), now_ns)
                                   : playback_.ready(low_water_frames(), now_ns);
}

// Fragments that have come in, or that have been played.
std::uint64_t Endpoint::passed_fragments(std::int64_t now_ns) {
  if (const MappedBuffer* mapped = live_buffer(); mapped != nullptr) {
    return mapped->reached(now_ns) / mapped->fragment_frames();
  }
  const std::uint64_t moved = port_.side().frames.load(kRelaxed);
  const std::uint64_t position = live_direction() == kRead
                                     ? moved + capture_.passed_frames(now_ns)
                                     : moved - std::min(moved, playback_.queued_frames(now_ns));
  return position / port_.fragment_frames();
}

// The token of a reader means "readable", that of a writer "not writable".
// With the lock held.
void Endpoint::show_readiness(int fd, std::int64_t now_ns) {
  const std::uint32_t live = live_direction();
  const std::uint32_t before = std::exchange(shown_direction_, live);
  if (before != 0 && before != live) {
    // The loop goes the other way now. Who waits for what was possible before is
    // to look again; the next look shows the truth.
    readiness_.signal_edge(fd, before == kRead);
    return;
  }
  const bool is_ready = ready(now_ns);
  const bool byte = is_ready == (live == kRead);
  if (!is_ready || !readiness_.edges_wanted()) return readiness_.show(fd, byte);
  const std::uint64_t fragments = passed_fragments(now_ns);
  if (std::exchange(shown_fragments_, fragments) == fragments) return readiness_.show(fd, byte);
  readiness_.signal_edge(fd, byte);
}

void Endpoint::show_readiness(int fd) {
  if (readiness_.watched() && holds_descriptor(fd, this)) show_readiness(fd, sys().now_ns());
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
  const bool is_ready = ready(sys().now_ns());
  // The kernel said otherwise: the node holds not what we believe.
  if (!is_ready) readiness_.invalidate();
  show_readiness(fd);
  return is_ready ? events_of(live_direction()) : short{0};
}

short Endpoint::prepare_poll(int fd, short events) {
  SideLock lock(*this, fd);
  look_without_thread(sys().now_ns());
  const std::uint32_t direction = live_direction();
  const short possible = events_of(direction);
  const bool first = readiness_.watch();
  bool started = false;
  if (direction == kRead && (events & (POLLIN | POLLRDNORM)) != 0 &&
      (port_.side().trigger.load(kRelaxed) & kRead) != 0) {
    started = capture_.start();
  }
  show_readiness(fd);
  if (started) this->started();
  if (first || watch_wanted() > watch_.load(kRelaxed)) DeviceThread::instance().notify();
  return possible;
}

void Endpoint::halt(int fd, std::uint32_t directions) {
  {
    SideLock lock(*this, fd);
    const std::int64_t now_ns = sys().now_ns();
    stop(directions & access_, now_ns);
    abi::Side& side = port_.side();
    side.zero_frames.store(side.frames.load(kRelaxed), kRelaxed);
    side.seen_frames.store(0, kRelaxed);
    show_readiness(fd);
  }
  shm::wake(port_.side());
}

// What a mapped buffer has played is played: nothing of it is dropped.
void Endpoint::stop(std::uint32_t directions, std::int64_t now_ns) {
  move_mapped(now_ns);
  for (const Access direction : {kRead, kWrite}) {
    if ((directions & direction) == 0) continue;
    MappedBuffer& mapped = buffer(direction);
    mapped.stop();
    mapped.rewind();
    if (direction == kRead) capture_.halt(now_ns);
    if (direction == kWrite && !mapped.mapped()) playback_.halt(now_ns);
    if (direction == kWrite) playback_.arm(true, now_ns);
  }
}

std::uint32_t Endpoint::trigger() const { return port_.side().trigger.load(kRelaxed) & access_; }

int Endpoint::set_trigger(int fd, std::uint32_t directions) {
  const std::uint32_t before = port_.side().trigger.exchange(directions & kReadWrite);
  const std::uint32_t stopped = before & ~directions;
  if ((stopped & access_) != 0) halt(fd, stopped);
  SideLock lock(*this, fd);
  const bool plays = (access_ & directions & kWrite) != 0 && live_direction() == kWrite;
  const int error = plays ? playback_.prepare_ring() : 0;
  if ((access_ & kWrite) != 0) playback_.arm((directions & kWrite) != 0, sys().now_ns());
  bool started = false;
  if ((access_ & directions & kRead) != 0 && live_direction() == kRead) started = capture_.start();
  start_mapped(directions, sys().now_ns());
  show_readiness(fd);
  shm::wake(port_.peer());
  if (started) this->started();
  return error;
}

void Endpoint::hold(int fd, std::uint32_t directions) {
  SideLock lock(*this, fd);
  port_.side().trigger.fetch_and(~directions, kRelaxed);
  if ((directions & kWrite) != 0) playback_.arm(false, 0);
}

void Endpoint::release(int fd, std::uint32_t directions, std::int64_t now_ns) {
  SideLock lock(*this, holds_descriptor(fd, this) ? fd : -1);
  port_.side().trigger.fetch_or(directions, kRelaxed);
  if ((directions & kWrite) != 0) playback_.arm(true, now_ns);
  if ((directions & kRead) != 0 && live_direction() == kRead) {
    const bool begun = capture_.start_together(now_ns);
    capture_.available_frames(now_ns);  // the clock starts now if there is sound
    if (begun) started();
  }
  start_mapped(directions, now_ns);
  shm::wake(port_.peer());
}

bool Endpoint::nonblock() const { return port_.side().nonblock.load(kRelaxed) != 0; }
void Endpoint::set_nonblock(bool on) { port_.side().nonblock.store(on ? 1 : 0, kRelaxed); }

void Endpoint::close_one(const std::function<void()>& close_descriptor) {
  std::lock_guard lock(mutex_);
  close_descriptor();
}

void Endpoint::leave(int fd, const std::function<void()>& close_descriptor) {
  const base::ScopedCancelDisable whole;
  SyncGroups::instance().forget(*this);
  leaving_.store(true);
  shm::wake(port_.side());
  {
    SideLock lock(*this, fd);
    move_mapped(sys().now_ns());
    // The consumer hears of the end before it runs dry, or it would take our
    // absence for lateness and put silence in.
    if (port_.side().shared.load(std::memory_order_acquire) == 0) playback_.end();
    close_descriptor();
  }
  // If the claim is free now, nobody else holds the open, and we end it.
  bool last = false;
  DeviceThread::instance().run([&] { last = peer_monitor_.inherit_claim(); });
  if (last) {
    DeviceThread::instance().run([&] {
      if (recorded_.mapped()) recorded_.remove_file();
      if (played_.mapped()) played_.remove_file();
    });
  }
  // From here on the claim is the device thread's descriptor: a side that drains
  // is busy.
  abi::Side& side = port_.side();
  if (last && serial_of(side.open.load(std::memory_order_acquire)) == serial_) {
    // Nobody can write any more.
    {
      SideLock lock(*this, -1);
      playback_.end();
    }
    shm::wake(port_.peer());
    sync(-1);
    std::uint64_t open = serial_ << 1 | 1;
    side.open.compare_exchange_strong(open, serial_ << 1, std::memory_order_acq_rel);
    shm::wake(port_.peer());
  }
  gone_.store(true);
  DeviceThread::instance().run([&] {
    peer_monitor_.drop_descriptors();
    if (last) port_.segment().give_back();
  });
  DeviceThread::instance().remove(this);
}

std::int64_t Endpoint::tick(std::int64_t now_ns) {
  if (gone_.load()) return now_ns + 1'000'000'000;
  peer_monitor_.notify_peer(live_direction() == kWrite);
  abi::Side& side = port_.side();
  if (now_ns >= alarm_ns_.load()) {
    alarm_ns_.store(kNoAlarm);
    shm::wake_at_least(side, alarm_sleepers_.load());
  }
  // Posts that a killed peer still owed, or that one of another ABI cannot make.
  shm::wake_at(side, live_direction() == kRead ? capture_.flow().written_by_peer()
                                               : playback_.flow().read_by_peer());
  const Watch watch = watch_wanted();
  watch_.store(watch, kRelaxed);
  constexpr std::int64_t kLivenessNs[] = {1'000'000'000, 400'000'000, 250'000'000, 100'000'000};
  const std::int64_t liveness = kLivenessNs[static_cast<int>(watch)];
  if (now_ns - peer_monitor_.checked_ns() >= liveness - 1'000'000)
    peer_monitor_.check_peer_alive(now_ns);
  std::int64_t next_ns = now_ns + (watch == Watch::kTicking ? tick_ns() : liveness);
  const bool busy = (readiness_.watched() || any_running()) && !work_from_thread(now_ns);
  if (busy && any_running()) next_ns = std::min(next_ns, now_ns + kSoonAgainNs);
  next_ns = std::min(next_ns, alarm_ns_.load());
  // Without a table of its own the thread must not keep numbers of the program.
  if (!DeviceThread::instance().has_own_descriptors()) peer_monitor_.drop_descriptors();
  return next_ns;
}

// False if somebody else has the side's lock now.
bool Endpoint::work_from_thread(std::int64_t now_ns) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  const base::Fd& fd = peer_monitor_.own();
  if (!lock.owns_lock() || !fd) return !fd;
  shm::SharedLock between(port_.side());
  if (port_.side().shared.load(std::memory_order_acquire) != 0 && !between.try_lock()) return false;
  port_.refresh();
  move_mapped(now_ns);
  // A notification stays until the program has looked: what comes and goes at once confuses
  // who polls through io_uring.
  const bool notified = readiness_.invalidated() && !ready(now_ns);
  if (readiness_.watched() && !notified) show_readiness(fd.get(), now_ns);
  return true;
}

std::int64_t Endpoint::tick_ns() const {
  const std::int64_t fragment_ns =
      static_cast<std::int64_t>(port_.fragment_frames()) * 1'000'000'000 / port_.format().rate_hz;
  const auto tick_ms = config::get<"tick_ms", std::int64_t>(port_.contract().policy);
  return std::clamp<std::int64_t>(fragment_ns, 1'000'000, tick_ms * 1'000'000);
}

void Endpoint::before_fork() {
  mutex_.lock();
  port_.side().shared.store(1, std::memory_order_seq_cst);
}

void Endpoint::after_fork(bool child) {
  if (child) {
    peer_monitor_.forget_descriptors();
    // The thread that watched is the parent's.
    watch_.store(Watch::kIdle);
    alarm_ns_.store(kNoAlarm);
    alarm_sleepers_.store(0);
    mutex_.unlock_in_child();
  } else {
    mutex_.unlock();
  }
}

}  // namespace ossloop::device
