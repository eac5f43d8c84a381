#include "device/endpoint.h"

#include <errno.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/keep.h"
#include "base/scoped_block.h"
#include "config/policy.h"
#include "device/side_lock.h"
#include "device/sync_group.h"
#include "shm/shared_lock.h"
#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kSoonAgainNs = 1'000'000;
// A call that closes looks itself how far its sound is: this is for one that a handler left.
constexpr std::int64_t kDrainLookNs = 50'000'000;
constexpr std::int64_t kWithoutThreadNs = 100'000'000;

bool no_holder(int, const Endpoint*) { return true; }
Endpoint::HoldsDescriptor holds_descriptor = no_holder;

}  // namespace

void Endpoint::set_holder(HoldsDescriptor holds) { holds_descriptor = holds; }
bool Endpoint::holds(int fd) const { return holds_descriptor(fd, this); }

Endpoint::Endpoint(const std::shared_ptr<shm::Segment>& segment,
                   const shm::RuntimeDirectory& folder, int instance, const shm::Place& place,
                   std::uint32_t access, bool both_ways)
    : instance_(instance),
      place_(place),
      access_(access),
      both_ways_(both_ways),
      playing_(segment, place.side, kWrite, place.slot),
      recording_(segment, place.side, kRead, place.slot),
      peer_monitor_(segment, folder, instance, place),
      readiness_(half().own()),
      playback_(playing_),
      capture_(recording_),
      recorded_(recording_, shm::MapFile(folder, instance, place, true)),
      played_(playing_, shm::MapFile(folder, instance, place, false)) {}

Endpoint::~Endpoint() {
  stop_lingering();
  DeviceThread::instance().remove(this);
}

// What the device thread would have seen, by a call of the program.
void Endpoint::look_without_thread(std::int64_t now_ns) {
  if (DeviceThread::instance().has_thread() || DeviceThread::instance().notify()) return;
  if (now_ns - peer_monitor_.checked_ns() < kWithoutThreadNs) return;
  if (peer_monitor_.check_peer_alive(now_ns)) wake_own();
  peer_monitor_.drop_descriptors();
}

// Also who was counted by a peer that died before it woke anybody.
void Endpoint::wake_own() {
  each_half([](OpenHalf& half) { shm::wake_uncounted(half.own()); });
}

void Endpoint::wake_peers() {
  each_half([](OpenHalf& half) { half.wake_peers(); });
}

void Endpoint::mark_shared() {
  each_half([](OpenHalf& half) { half.own().shared.store(1, std::memory_order_seq_cst); });
}

bool Endpoint::peer_open() const {
  for (std::uint32_t slot = 0; slot < shm::slots_of(other(side())); ++slot) {
    if (open_ways(half().contract(), other(side()), slot) != 0) return true;
  }
  return false;
}

// What a peer has left that is gone is heard at its pace; so is silence, and so does sound
// that nobody hears pass.
bool Endpoint::goes_on_without_peer() const {
  const bool hears = capture_.flow().running() &&
                     (capture_.owes_end() || capture_.clock_runs() || capture_.idles());
  return hears || (playback_.streaming() && playback_.flow().plays_unheard());
}

Endpoint::Watch Endpoint::watch_wanted() const {
  if (mapped_moves()) return Watch::kTicking;
  if (capture_.has_passed_end()) return Watch::kStreaming;
  if (!peer_open() && !goes_on_without_peer()) {
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
  if (half().server() || access_ != kReadWrite) return access_;
  if (recording_.peer_open()) return kRead;
  // Of a server that has gone there may be sound and an end to hear.
  const bool records = capture_.flow().running() || capture_.owes_end();
  return records && !playing_.peer_open() ? kRead : kWrite;
}

void Endpoint::halt(int fd, std::uint32_t directions) {
  {
    SideLock lock(*this, fd);
    const std::int64_t now_ns = sys().now_ns();
    stop(directions & access_, now_ns);
    each_half([](OpenHalf& half) { half.zero_pointers(); });
    show_readiness(fd);
  }
  wake_own();
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

std::uint32_t Endpoint::trigger() const { return half().own().trigger.load(kRelaxed) & access_; }

int Endpoint::set_trigger(int fd, std::uint32_t directions) {
  const std::uint32_t before = half().own().trigger.exchange(directions & kReadWrite);
  const std::uint32_t stopped = before & ~directions;
  if ((stopped & access_) != 0) halt(fd, stopped);
  SideLock lock(*this, fd);
  const bool plays = (access_ & directions & kWrite) != 0 && live(kWrite);
  const int error = plays ? playback_.prepare_ring() : 0;
  if ((access_ & kWrite) != 0) playback_.arm((directions & kWrite) != 0, sys().now_ns());
  bool started = false;
  if ((access_ & directions & kRead) != 0 && live(kRead)) started = capture_.start();
  start_mapped(directions, sys().now_ns());
  show_readiness(fd);
  wake_peers();
  if (started) this->started();
  return error;
}

void Endpoint::hold(int fd, std::uint32_t directions) {
  SideLock lock(*this, fd);
  half().own().trigger.fetch_and(~directions, kRelaxed);
  if ((directions & kWrite) != 0) playback_.arm(false, 0);
}

void Endpoint::release(int fd, std::uint32_t directions, std::int64_t now_ns) {
  SideLock lock(*this, holds(fd) ? fd : -1);
  half().own().trigger.fetch_or(directions, kRelaxed);
  if ((directions & kWrite) != 0) playback_.arm(true, now_ns);
  if ((directions & kRead) != 0 && live(kRead)) {
    const bool begun = capture_.start_together(now_ns);
    capture_.available_frames(now_ns);  // the clock starts now if there is sound
    if (begun) started();
  }
  start_mapped(directions, now_ns);
  wake_peers();
}

bool Endpoint::nonblock() const { return half().own().nonblock.load(kRelaxed) != 0; }
void Endpoint::set_nonblock(bool on) { half().own().nonblock.store(on ? 1 : 0, kRelaxed); }

void Endpoint::close_one(const std::function<void()>& close_descriptor) {
  std::lock_guard lock(mutex_);
  close_descriptor();
}

void Endpoint::leave(int fd, const std::function<void()>& close_descriptor) {
  const base::ScopedCancelDisable whole;
  SyncGroups::instance().forget(*this);
  leaving_.store(true);
  wake_own();
  {
    SideLock lock(*this, fd);
    move_mapped(sys().now_ns());
    // The consumer hears of the end before it runs dry, or it would take our
    // absence for lateness and put silence in.
    const bool alone = half().own().shared.load(std::memory_order_acquire) == 0;
    if (owns(kWrite) && alone) playback_.end(lingerer());
    close_descriptor();
  }
  // If the claim is free now, nobody else holds the open, and we end it.
  bool last = false;
  DeviceThread::instance().run([&] { last = peer_monitor_.inherit_claim(); });
  if (last) {
    DeviceThread::instance().run([&] {
      if (has_mapped(kRead)) recorded_.remove_file();
      if (has_mapped(kWrite)) played_.remove_file();
    });
  }
  // From here on the claim is the device thread's descriptor: a side that drains
  // is busy.
  if (last && serial_of(half().own().open.load(std::memory_order_acquire)) == serial()) {
    // Nobody can write any more.
    {
      SideLock lock(*this, -1);
      if (owns(kWrite)) playback_.end(lingerer());
    }
    wake_peers();
    draining_.store(true);
    DeviceThread::instance().notify();
    sync(-1);
    if (base::kept_has_gone()) return;
  }
  DeviceThread::instance().run([this, last] { finish(last); });
  if (!lingering_.load()) DeviceThread::instance().remove(this);
}

// In the device thread, once; `last`: with the claim inherited.
void Endpoint::finish(bool last) {
  if (finishing_.exchange(true)) return;
  const bool lingers = draining_.load() && begin_lingering();
  if (draining_.load()) each_half([](OpenHalf& half) { half.close(); });
  gone_.store(true);
  wake_own();
  draining_.store(false);
  if (lingers) return;
  peer_monitor_.drop_descriptors();
  if (last) half().segment().give_back();
}

bool Endpoint::drain_is_over(std::int64_t now_ns) {
  if (!draining_.load()) return false;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  each_half([](OpenHalf& half) { half.refresh(); });
  TransferResult step;
  return !owns(kWrite) || drain_.over(playback_, now_ns, step);
}

void Endpoint::settle() {
  if (DeviceThread::instance().has_thread() || !drain_is_over(sys().now_ns())) return;
  finish(true);
  DeviceThread::instance().remove(this);
}

std::int64_t Endpoint::tick(std::int64_t now_ns) {
  if (drain_is_over(now_ns)) finish(true);
  if (lingering_.load() && !lingering_is_over(now_ns)) return linger_until_ns_.load();
  if (gone_.load()) return kDone;
  peer_monitor_.notify_peers(live(kWrite), live(kRead));
  const bool alarm = now_ns >= alarm_ns_.load();
  if (alarm) alarm_ns_.store(kNoAlarm);
  each_half([&](OpenHalf& half) {
    if (alarm) shm::wake_uncounted(half.own());
    // Wakes that a killed peer still owed.
    if (half.way() == kRead) return capture_.make_up_for_wakes();
    shm::wake_at(half.own(), playback_.flow().read_by_peer());
  });
  const Watch watch = watch_wanted();
  watch_.store(watch, kRelaxed);
  constexpr std::int64_t kLivenessNs[] = {1'000'000'000, 400'000'000, 250'000'000, 100'000'000};
  const std::int64_t liveness = kLivenessNs[static_cast<int>(watch)];
  if (now_ns - peer_monitor_.checked_ns() >= liveness - 1'000'000)
    if (peer_monitor_.check_peer_alive(now_ns)) wake_own();
  std::int64_t next_ns = now_ns + (watch == Watch::kTicking ? tick_ns() : liveness);
  const bool busy = (readiness_.watched() || any_running()) && !work_from_thread(now_ns);
  if (busy && any_running()) next_ns = std::min(next_ns, now_ns + kSoonAgainNs);
  next_ns = std::min(next_ns, alarm_ns_.load());
  if (draining_.load()) next_ns = std::min(next_ns, now_ns + kDrainLookNs);
  // Without a table of its own the thread must not keep numbers of the program.
  if (!DeviceThread::instance().has_own_descriptors()) peer_monitor_.drop_descriptors();
  return next_ns;
}

// False if somebody else has the side's lock now.
bool Endpoint::work_from_thread(std::int64_t now_ns) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  const base::Fd& fd = peer_monitor_.own();
  if (!lock.owns_lock() || !fd) return !fd;
  shm::SharedLock between(half().own());
  if (half().own().shared.load(std::memory_order_acquire) != 0 && !between.try_lock()) return false;
  each_half([](OpenHalf& half) { half.refresh(); });
  move_mapped(now_ns);
  // A notification stays until the program has looked: what comes and goes at once confuses
  // who polls through io_uring. A peer may tell of it after that.
  const bool notified = readiness_.invalidated() &&
                        (both_ways_ ? shm::Node::shows_both(fd.get()) : ready_ways(now_ns) == 0);
  if (readiness_.watched() && !notified) show_readiness(fd.get(), now_ns);
  return true;
}

std::int64_t Endpoint::tick_ns() const {
  const std::int64_t fragment_ns =
      static_cast<std::int64_t>(half().fragment_frames()) * 1'000'000'000 / half().format().rate_hz;
  const auto tick_ms = config::get<"tick_ms", std::int64_t>(half().contract().policy);
  return std::clamp<std::int64_t>(fragment_ns, 1'000'000, tick_ms * 1'000'000);
}

void Endpoint::before_fork() {
  mutex_.lock();
  if (!leaving_.load()) mark_shared();
}

void Endpoint::after_fork(bool child) {
  if (child) {
    // What is being left is the parent's to end.
    if (leaving_.load()) gone_.store(true);
    if (leaving_.load()) draining_.store(false);
    lingering_.store(false);
    if (DeviceThread::instance().has_own_descriptors()) {
      peer_monitor_.forget_descriptors();
    } else {
      peer_monitor_.drop_descriptors();
    }
    // The thread that watched is the parent's.
    watch_.store(Watch::kIdle);
    alarm_ns_.store(kNoAlarm);
    mutex_.unlock_in_child();
  } else {
    mutex_.unlock();
  }
}

}  // namespace ossloop::device
