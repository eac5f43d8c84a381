// The calls that move sound, and how they wait for it.
#include <errno.h>

#include <algorithm>
#include <utility>

#include "base/keep.h"
#include "base/signals.h"
#include "device/blocking_wait.h"
#include "device/endpoint.h"
#include "device/side_lock.h"
#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
// A wait of so long has no time of its own.
constexpr std::int64_t kOpenEndedNs = 1'000'000'000;
// A close waits this long for a consumer that fetches nothing.
constexpr std::int64_t kIdlePeerNs = 500'000'000;
constexpr std::int64_t kWithoutThreadNs = 100'000'000;

}  // namespace

template <typename Look, typename Position>
ssize_t Endpoint::transfer(int fd, OpenHalf& half, std::size_t bytes, Look look,
                           Position position) {
  std::size_t done = 0;
  BlockingWait waiting(half.own(), experience_);
  // Without a clock the first look needs no time, only what follows when it does
  // not suffice: an old one will do, and asking costs as much as a small write.
  bool needs_time = !without_clock();
  const auto ended_by = [&](int error) { return done > 0 ? static_cast<ssize_t>(done) : error; };
  for (;;) {
    TransferResult step;
    bool open_ended = false;
    {
      SideLock lock(*this, fd);
      // Whoever closes it, in another thread or in a handler that came in our sleep,
      // has ended the stream: what would be taken now would belong to none.
      if (leaving_.load(kRelaxed)) return ended_by(-EBADF);
      if (needs_time) seen_ns_.store(sys().now_ns(), kRelaxed);
      const std::int64_t now_ns = seen_ns_.load(kRelaxed);
      needs_time = true;
      look_without_thread(now_ns);
      step = look(done, now_ns);
      open_ended = step.wait.deadline_ns - now_ns >= kOpenEndedNs;
      // Who polls and finds nothing may have seen a notification half-way.
      if (step.moved == 0 && nonblock()) readiness_.invalidate();
      show_readiness(fd);
      if (done + step.moved == bytes) lend(half.way());
      if (watch_wanted() > watch_.load(kRelaxed)) DeviceThread::instance().notify();
    }
    done += step.moved;
    if (done == bytes || step.short_return) return static_cast<ssize_t>(done);
    if (step.error == 0 && nonblock() && (done > 0 || !step.block_despite_nonblock))
      step.error = -EAGAIN;
    if (step.error != 0) return ended_by(step.error);
    if (step.moved != 0) waiting.moved();
    if (waiting.spin(step.wait, position)) {
      if (base::let_arrived_in(false) == base::Arrived::kInterrupt) return ended_by(-EINTR);
      if (base::kept_has_gone()) return ended_by(-EBADF);
      continue;
    }
    if (waiting.announce(step.wait)) continue;
    const std::int64_t deadline_ns = waiting.deadline_ns(step.wait, sys().now_ns());
    const int woken = sleep(waiting.sleeper(), deadline_ns, open_ended);
    if (base::kept_has_gone()) return ended_by(-EBADF);
    waiting.woke(position());
    if (woken == -EINTR) return ended_by(-EINTR);
  }
}

void Endpoint::lend_by(Allowance& played, Allowance& recorded) {
  lent_played_ = &played;
  lent_recorded_ = &recorded;
}

// With the lock held. By a clock a call has more to do than to copy, and is not so frequent that
// its cost matters.
void Endpoint::lend(Access way) {
  Allowance* const allowance = allowance_for(way);
  if (allowance == nullptr || !without_clock() || readiness_.watched() || any_mapped() ||
      !DeviceThread::instance().has_thread())
    return;
  const bool lent = way == kWrite ? playback_.lend(*allowance) : capture_.lend(*allowance);
  if (lent) lent_ |= way;
}

// With the lock held.
void Endpoint::take_back() {
  const std::uint32_t lent = std::exchange(lent_, 0);
  for (const Access way : {kWrite, kRead}) {
    if ((lent & way) == 0) continue;
    Allowance& allowance = *allowance_for(way);
    allowance.take_back();
    way == kWrite ? playback_.took_back() : capture_.took_back();
    // A handler came before the wake, and may have gone elsewhere.
    if (!allowance.is_untold()) continue;
    wake_who_waits(way);
    allowance.told();
  }
}

void Endpoint::wake_who_waits(Access way) {
  if (way == kRead) return capture_.wake_writer();
  shm::wake_at(playback_.flow().consumer_half(), playback_.flow().written());
}

// 0 when it is time to look again, -EINTR when the call has to end. Whoever calls looks
// first whether we are still there (base::kept_has_gone()).
//
// A wait for a peer that may never come ends even where SA_RESTART is asked for, if
// it is asked for the signals that end a program: sox and ffmpeg only set a
// flag there and look at it after the call, and nobody could stop a recorder that
// waits for its player. A sound card's read returns to them in a moment.
int Endpoint::sleep(shm::Sleeper& sleeper, std::int64_t deadline_ns, bool open_ended) {
  if (!DeviceThread::instance().has_thread()) {
    deadline_ns = std::min(deadline_ns, sys().now_ns() + kWithoutThreadNs);
  }
  // What came since the call began is known by its number; what comes in the sleep, by
  // the flags of all handlers.
  if (const base::Arrived arrived = base::let_arrived_in(open_ended);
      arrived != base::Arrived::kNothing) {
    return arrived == base::Arrived::kInterrupt ? -EINTR : 0;
  }
  const bool mixed = base::signal_handlers() == base::Handlers::kMixed;
  if (mixed && !(open_ended && base::end_restarts())) {
    std::int64_t alarm = alarm_ns_.load();
    while (deadline_ns < alarm && !alarm_ns_.compare_exchange_weak(alarm, deadline_ns)) {
    }
    if (DeviceThread::instance().notify()) return sleeper.sleep() == -EINTR ? -EINTR : 0;
  }
  if (sleeper.sleep_until(deadline_ns) != -EINTR) return 0;
  // A handler that was installed while we slept is looked at now.
  const bool restarts =
      base::signal_handlers() == base::Handlers::kRestart && !(open_ended && base::end_restarts());
  return restarts ? 0 : -EINTR;
}

ssize_t Endpoint::read(int fd, std::byte* data, std::size_t bytes, bool progressed) {
  if ((access_ & kRead) == 0) return -EBADF;
  if (bytes == 0) return 0;
  if (data == nullptr) return -EFAULT;
  if (recorded_.mapped()) return -EIO;
  bool slept_for_start = false;
  return transfer(
      fd, recording_, bytes,
      [&](std::size_t done, std::int64_t now_ns) {
        const bool was_running = capture_.flow().running();
        TransferResult step =
            capture_.read(data + done, bytes - done, progressed || done > 0, now_ns);
        // The read that slept until the client started goes on to its first sound.
        slept_for_start = slept_for_start || step.block_despite_nonblock;
        step.block_despite_nonblock = slept_for_start;
        if (!was_running && capture_.flow().running()) started();
        return step;
      },
      [this] { return capture_.position(); });
}

ssize_t Endpoint::write(int fd, const std::byte* data, std::size_t bytes, bool progressed) {
  if ((access_ & kWrite) == 0) return -EBADF;
  if (bytes == 0) return 0;
  if (data == nullptr) return -EFAULT;
  if (played_.mapped()) return -EIO;
  return transfer(
      fd, playing_, bytes,
      [&](std::size_t done, std::int64_t now_ns) {
        const bool was_streaming = playback_.streaming();
        TransferResult step =
            playback_.write(data + done, bytes - done, progressed || done > 0, now_ns);
        if (!was_streaming && playback_.streaming()) started();
        return step;
      },
      [this] { return playback_.flow().read_by_peer(); });
}

bool Endpoint::Drain::over(Playback& playback, std::int64_t now_ns, TransferResult& step) {
  const std::uint64_t before = progress_;
  if (playback.drained(now_ns, step, progress_)) return true;
  if (progress_ != before || moved_ns_ == 0) moved_ns_ = now_ns;
  return now_ns - moved_ns_ > kIdlePeerNs;
}

int Endpoint::sync(int fd) {
  if ((access_ & kWrite) == 0) return 0;
  if (fd >= 0 && played_.running()) return 0;  // its end is not foreseeable
  BlockingWait waiting(playing_.own(), experience_);
  Drain drain;
  for (;;) {
    TransferResult step;
    {
      SideLock lock(*this, fd);
      if (gone_.load() || leaving_.load(kRelaxed) != (fd < 0)) return 0;
      const std::int64_t now_ns = sys().now_ns();
      look_without_thread(now_ns);
      if (drain.over(playback_, now_ns, step)) return 0;
    }
    if (waiting.announce(step.wait)) continue;
    const int woken = sleep(waiting.sleeper(), step.wait.deadline_ns, false);
    if (base::kept_has_gone()) return -EBADF;
    waiting.woke(playback_.flow().read_by_peer());
    if (woken == -EINTR) return -EINTR;
  }
}

}  // namespace ossloop::device
