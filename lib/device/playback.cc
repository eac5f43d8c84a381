#include "device/playback.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "config/policy.h"
#include "shm/wakeup.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr std::int64_t kIdleNs = 1'000'000'000;
constexpr std::int64_t kTablesFullNs = 100'000'000;
// A server is in the midst of its open.
constexpr std::int64_t kOpeningNs = 5'000'000;

ProducerFlow::Wait wait_until(std::int64_t deadline_ns) {
  return {deadline_ns, shm::Sleeper::kNever, shm::Sleeper::kNever};
}

}  // namespace

Playback::Playback(OpenHalf& half)
    : half_(half), flow_(half.contract(), half.direction(), half.slot()), null_reader_(half) {}

bool Playback::follow_reader() {
  const bool is_another = half_.server() && flow_.follow_reader();
  if (is_another) cached_ = {};
  return is_another;
}

// One that was killed since it was chosen is nobody's end as long as another hears.
bool Playback::has_lost_reader() {
  for (std::uint32_t attempt = 0; attempt < abi::kClients; ++attempt) {
    if (!flow_.streaming() || flow_.consumer_kept()) return false;
    if (!follow_reader()) return true;
  }
  return true;
}

// True when the stream can take sound; else `step` says why not.
bool Playback::gate(bool progressed, std::int64_t now_ns, TransferResult& step) {
  follow_reader();
  const bool unheard = null_reader_.run(now_ns);
  if (has_lost_reader()) {
    const bool silently = half_.server() && !flow_.end_policy().is_told();
    if (!silently || progressed) step.error = -ECONNRESET;
    if (progressed) return false;
    abandon();
    if (!silently) return false;
  }
  if (!unheard && !half_.server() && !half_.peer_open()) {
    if (half_.goes_on_alone() && flow_.lane_reader().is_ahead_of(flow_.consumer_half())) {
      step.wait = wait_until(now_ns + kOpeningNs);
      return false;
    }
    step.error = half_.wrong_way() ? -EACCES : -ENXIO;
    return false;
  }
  if (!unheard && !flow_.streaming() && half_.server() && !flow_.consumer_running()) {
    step.block_despite_nonblock = true;
    step.wait = wait_until(now_ns + kIdleNs);  // a start wakes everybody
    return false;
  }
  step.error = prepare_ring();
  if (step.error != 0) return false;
  const bool has_place =
      (ring_.section().number != 0 || flow_.may_mark()) && (flow_.streaming() || flow_.may_begin());
  if (!has_place) step.wait = {now_ns + kTablesFullNs, 0, 0};
  return has_place;
}

// As long as we write in one format to one ring, there is nothing to do.
int Playback::prepare_ring() {
  const std::uint64_t last = flow_.sections();
  const audio::PcmFormat format = half_.format();
  const bool suffices = ring_.limits().longest_buffer_frames >=
                        longest_buffer_frames(format.rate_hz, half_.buffer_ms());
  if (ring_.mapped() && ring_.section().number == last && ring_.format() == format && suffices)
    return 0;
  cached_ = {};
  return ring_.prepare(half_.segment(), flow_.section(last), format, flow_.written(),
                       half_.buffer_ms());
}

// Of the last section: a change of format counts when something is written.
RingLimits Playback::limits() const {
  const std::uint64_t last = flow_.sections();
  if (last != 0 && ring_.section().number == last) return ring_.limits();
  return limits_of(flow_.section(last), half_.buffer_ms());
}

void Playback::abandon() {
  flow_.end();
  half_.own().partial_bytes.store(0, kRelaxed);
}

// Looks how far the consumer is, unless there is room for `frames` anyway.
void Playback::look_for_room(std::uint64_t frames, std::int64_t now_ns) {
  const bool covers = cached_.stream == flow_.stream() &&
                      cached_.buffer_changes == half_.buffer_changes() &&
                      half_.own().shared.load(std::memory_order_acquire) == 0;
  if (covers && frames <= std::min(cached_.space, cached_.ring)) return;
  // What an earlier stream left unplayed counts too.
  const std::uint64_t queued = flow_.written() - flow_.played(limits(), now_ns);
  const std::uint64_t buffer = half_.buffer_frames();
  cached_ = {buffer - std::min(buffer, queued), flow_.room(ring_.limits(), now_ns), flow_.stream(),
             half_.buffer_changes()};
}

// The count comes back short only if the ring itself is full. A stream begins with its first
// frame: who takes none has begun none.
std::size_t Playback::feed(const std::byte* data, std::size_t frames, std::int64_t now_ns) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(frames, cached_.ring));
  if (taken == 0) return 0;
  if (!flow_.streaming()) {
    flow_.begin(now_ns);
    cached_.stream = flow_.stream();
  }
  if (ring_.section().number == 0) {
    Section next = ring_.section();
    flow_.mark(next);
    ring_.marked(next);
  }
  ring_.ring().copy_in(flow_.written(), data, taken);
  flow_.publish(taken);
  auto& count = half_.own().frames;
  count.store(count.load(kRelaxed) + taken, kRelaxed);
  cached_.space -= taken;
  cached_.ring -= taken;
  return taken;
}

TransferResult Playback::write(const std::byte* data, std::size_t bytes, bool progressed,
                               std::int64_t now_ns) {
  TransferResult step;
  if (!gate(progressed, now_ns, step)) return step;
  abi::Half& own = half_.own();
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  look_for_room((bytes + frame_bytes - 1) / frame_bytes, now_ns);
  const std::uint64_t before = flow_.written();
  std::size_t partial = std::min<std::size_t>(own.partial_bytes.load(kRelaxed), frame_bytes - 1);

  while (step.moved < bytes) {
    const std::size_t left = bytes - step.moved;
    if (partial == 0 && left >= frame_bytes) {
      // Without a clock what was just written may be on the reader's side already, which is not
      // to wait for it to be more.
      if (cached_.space == 0) look_for_room(1, now_ns);
      const auto frames =
          static_cast<std::size_t>(std::min<std::uint64_t>(left / frame_bytes, cached_.space));
      const std::size_t taken = frames == 0 ? 0 : feed(data + step.moved, frames, now_ns);
      step.moved += taken * frame_bytes;
      if (taken == 0 || taken < frames) break;
      continue;
    }
    // Bytes of a frame that comes in more than one write.
    const std::size_t take = std::min(frame_bytes - partial, left);
    if (partial + take == frame_bytes && cached_.space == 0) break;
    std::memcpy(own.partial + partial, data + step.moved, take);
    partial += take;
    if (partial == frame_bytes) {
      // Not to be completed again by who goes on for a process that is killed here.
      own.partial_bytes.store(0, kRelaxed);
      if (feed(reinterpret_cast<const std::byte*>(own.partial), 1, now_ns) == 0) {
        partial -= take;
        break;
      }
      partial = 0;
    }
    step.moved += take;
  }
  own.partial_bytes.store(static_cast<std::uint32_t>(partial), kRelaxed);
  if (flow_.written() != before) wake_readers();
  if (step.moved < bytes) {
    const std::uint64_t buffer = half_.buffer_frames();
    // As a driver does, that wakes a writer once a fragment: one that writes small
    // blocks does not wake for each of them. Of many fragments, an eighth at once.
    const std::uint64_t half = std::max<std::uint64_t>(buffer / 2, 1);
    const std::uint64_t wanted = std::clamp<std::uint64_t>(
        (bytes - step.moved) / frame_bytes,
        std::min(std::max(half_.fragment_frames(), buffer / 8), half), half);
    const std::uint64_t may_stay = buffer - std::min(wanted, buffer);
    step.wait = flow_.wait_for(flow_.written() - std::min(may_stay, flow_.written()), limits(),
                               now_ns, buffer - wanted, half_.worth_a_sleep(buffer / 8));
  }
  return step;
}

// What is written elsewhere, or by another format, or to another reader, is so by calls that
// take the lock, or by a word that is watched.
bool Playback::lend(Allowance& allowance) {
  const abi::Half& own = half_.own();
  Allowance::Terms terms(flow_.written_word(), flow_.consumer_half());
  terms.keeps(flow_.consumer_half().open, flow_.kept_open());
  terms.keeps(own.shared, 0U);
  terms.keeps(half_.contract().policy.clock_mode);
  const bool same_ring = ring_.section().number != 0 &&
                         ring_.section().number == flow_.sections() &&
                         ring_.format() == half_.format();
  const bool same_room =
      cached_.stream == flow_.stream() && cached_.buffer_changes == half_.buffer_changes();
  const bool one_reader = !flow_.plays_unheard() && !(half_.server() && flow_.of_several());
  const std::uint64_t room = std::min(cached_.space, cached_.ring);
  if (!flow_.free_clock() || !flow_.streaming() || !same_ring || !same_room || !one_reader ||
      room == 0 || own.partial_bytes.load(kRelaxed) != 0)
    return false;
  lent_from_ = terms.begin();
  half_.begin_loan(lent_from_);
  return allowance.lend(terms, ring_.ring(), terms.begin() + room);
}

// Another process of the open may have moved more than that.
void Playback::took_back() {
  const std::uint64_t taken = flow_.written() - lent_from_;
  cached_.space -= std::min(cached_.space, taken);
  cached_.ring -= std::min(cached_.ring, taken);
}

// Several only where a server plays to several.
void Playback::wake_readers() const {
  if (!half_.server() || !flow_.of_several())
    return shm::wake_at(flow_.consumer_half(), flow_.written());
  half_.each_peer([this](abi::Half& peer) { shm::wake_at(peer, flow_.written()); });
}

bool Playback::ready(std::uint64_t frames, std::int64_t now_ns) {
  follow_reader();
  const bool unheard = null_reader_.run(now_ns);
  const bool goes_on =
      ring_.section().number == flow_.sections() && ring_.format() == half_.format();
  const bool has_place = goes_on || flow_.may_mark();
  if (flow_.streaming()) {
    if (has_lost_reader()) return true;
    return has_place && space_frames(now_ns) >= std::min(frames, half_.buffer_frames());
  }
  if (!unheard && half_.server() && !flow_.consumer_running()) return false;
  if (!unheard && !half_.peer_open()) return true;
  // What an earlier stream left unplayed takes its place.
  const std::uint64_t queued = flow_.written() - flow_.played(limits(), now_ns);
  const bool has_room = !goes_on || !ring_.mapped() || flow_.room(ring_.limits(), now_ns) > 0;
  const std::uint64_t buffer = half_.buffer_frames();
  return has_place && flow_.may_begin() && queued + std::min(frames, buffer) <= buffer && has_room;
}

std::uint64_t Playback::space_frames(std::int64_t now_ns) {
  const std::uint64_t buffer = half_.buffer_frames();
  const std::uint64_t queued = queued_frames(now_ns);
  return buffer > queued ? buffer - queued : 0;
}

std::uint64_t Playback::queued_frames(std::int64_t now_ns) {
  if (!flow_.streaming()) return 0;
  follow_reader();
  null_reader_.run(now_ns);
  return flow_.written() - flow_.played(limits(), now_ns);
}

std::uint64_t Playback::delay_frames(std::int64_t now_ns) {
  return flow_.streaming() ? queued_frames(now_ns) + flow_.filter_frames() : 0;
}

// A write would tell an error at once.
bool Playback::tells() {
  if (flow_.streaming()) return has_lost_reader();
  return !half_.server() && !half_.peer_open() && !half_.goes_on_alone() && !flow_.plays_unheard();
}

void Playback::pause(bool on, std::int64_t now_ns) {
  if (!on) return flow_.arm(true, now_ns);
  flow_.hold(limits(), now_ns);
}

bool Playback::drained(std::int64_t now_ns, TransferResult& step, std::uint64_t& progress) {
  if (!flow_.streaming() && !ending_) return true;
  follow_reader();
  null_reader_.run(now_ns);
  if (has_lost_reader()) return true;
  const std::uint64_t played = flow_.played(limits(), now_ns);
  progress = played;
  if (played >= flow_.written()) return true;
  step.wait = flow_.wait_for(flow_.written(), limits(), now_ns);
  return false;
}

void Playback::halt(std::int64_t now_ns) {
  half_.own().partial_bytes.store(0, kRelaxed);
  if (flow_.streaming()) flow_.drop(limits(), now_ns);
  shm::wake(flow_.consumer_half());
}

// Section by section, from the last one back; what lies in an earlier ring is heard.
void Playback::silence(std::int64_t now_ns) {
  if (!flow_.streaming() || !ring_.mapped()) return;
  const std::uint64_t first = flow_.played(limits(), now_ns);
  std::uint64_t end = flow_.written();
  const std::uint64_t last = flow_.sections();
  for (std::uint64_t number = last; number != 0 && last - number < abi::kMarks && end > first;
       --number) {
    const Section piece = flow_.section(number);
    const std::uint64_t begin = std::min(std::max(piece.frame, first), end);
    if (piece.ring_offset == ring_.section().ring_offset) {
      auto frames = static_cast<std::size_t>(end - begin);
      std::byte* const at = ring_.ring_of(piece).piece(begin, frames);
      audio::fill_silence(piece.format, at, frames);
    }
    end = begin;
  }
}

}  // namespace ossloop::device
