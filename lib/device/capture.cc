#include "device/capture.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kIdleNs = 1'000'000'000;

}  // namespace

bool Capture::start() {
  if (flow().running()) return false;
  flow().start();
  shm::wake(flow().producer_half());
  return true;
}

bool Capture::start_together(std::int64_t now_ns) {
  if (flow().running()) return false;
  flow().start_together(now_ns);
  shm::wake(flow().producer_half());
  return true;
}

// Are so many frames of the ring there without a look at the producer?
bool Capture::cache_covers(std::uint64_t frames) const {
  return cached_.read == flow().read() && frames <= cached_.frames &&
         cached_.read + frames <= cached_until_ && cached_for_ == half_.buffer_changes() &&
         flow().free_clock() && !reader_.has_pending() &&
         half_.own().shared.load(std::memory_order_acquire) == 0;
}

// What there is for a read of so many frames, if that is not known.
int Capture::begin_read(std::uint64_t frames, std::int64_t now_ns, bool& fresh) {
  fresh = reader_.follow() != 0 || !cache_covers(reader_.to_ring(frames));
  if (!fresh) {
    cached_.silence = 0;  // there may be sound by now
    return 0;
  }
  const int error = reader_.look(now_ns, cached_);
  cached_until_ = cached_.read + std::min(cached_.frames, flow().consumer_buffer(reader_.limits()));
  cached_for_ = half_.buffer_changes();
  return error;
}

// Moves whole frames, and parts of one: the rest of a frame that an earlier read split
// lies at the end of `partial`.
void Capture::fill(std::byte* data, std::size_t bytes, TransferResult& step) {
  abi::Half& own = half_.own();
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  const std::size_t before = step.moved;
  std::size_t partial = std::min<std::size_t>(own.partial_bytes.load(kRelaxed), frame_bytes - 1);
  while (step.moved < bytes) {
    const std::size_t left = bytes - step.moved;
    if (partial > 0) {
      const std::size_t take = std::min(partial, left);
      std::memcpy(data + step.moved, own.partial + frame_bytes - partial, take);
      partial -= take;
      step.moved += take;
    } else if (left >= frame_bytes) {
      const std::size_t frames = reader_.give(data + step.moved, left / frame_bytes, cached_);
      if (frames == 0) break;
      own.frames.store(own.frames.load(kRelaxed) + frames, kRelaxed);
      step.moved += frames * frame_bytes;
    } else {
      if (reader_.give(reinterpret_cast<std::byte*>(own.partial), 1, cached_) == 0) break;
      own.frames.store(own.frames.load(kRelaxed) + 1, kRelaxed);
      partial = frame_bytes;
    }
  }
  own.partial_bytes.store(static_cast<std::uint32_t>(partial), kRelaxed);
  if (step.moved != before) shm::wake_at(flow().producer_half(), flow().read());
}

void Capture::acknowledge_end(const ConsumerFlow::View& view, TransferResult& step) {
  // The filter first: who goes on for a process that was killed between is told the end.
  reader_.end_stream();
  flow().acknowledge_end(view);
  step.error = flow().end_policy().error;
  step.short_return = flow().end_policy().reads_zero;
}

TransferResult Capture::read(std::byte* data, std::size_t bytes, bool progressed,
                             std::int64_t now_ns) {
  TransferResult step;
  step.error = wrong_way() ? -EACCES : 0;
  if (step.error != 0) return step;
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  bool fresh = false;
  step.error = begin_read((bytes + frame_bytes - 1) / frame_bytes, now_ns, fresh);
  ConsumerFlow::View& view = cached_;
  if (step.error == 0 && !view.streaming && !half_.has_server()) {
    step.short_return = flow().at_end();  // as a file that has ended
    if (step.short_return) return step;
    // Told once to who waited for its sound.
    step.error = flow().running() ? -ECONNRESET : -ENXIO;
    if (!progressed) flow().stop(reader_.limits(), now_ns);
    return step;
  }
  if (start() && step.error == 0) step.error = reader_.look(now_ns, view);
  for (std::uint32_t pass = 0; pass < 4 + abi::kMarks && step.error == 0; ++pass) {
    if (view.frames > 0) step.error = reader_.map();
    if (step.error != 0) break;
    fill(data, bytes, step);
    if (step.moved == bytes) return step;
    // Nothing more now. Is it the end, a change of format, or only not yet due?
    const std::uint64_t section = reader_.section().number;
    step.error = reader_.look(now_ns, view);
    const bool passed = reader_.section().number != section && view.frames > 0;
    if (reader_.has_more(view) || passed || !std::exchange(fresh, true)) continue;
    if (!view.end) break;
    if (flow().end_policy().is_told() && (progressed || step.moved > 0)) {
      step.short_return = true;
      return step;
    }
    acknowledge_end(view, step);
    if (flow().end_policy().is_told()) return step;
    step.error = reader_.look(now_ns, view);
  }
  if (step.error != 0) {
    // What cannot be had is gone for good, once it was told.
    if (step.moved == 0 && !progressed) reader_.drop(view);
    return step;
  }
  if (!view.streaming) {
    // As a file that has ended: some recorders need to hear it twice.
    step.short_return = flow().at_end();
    step.block_despite_nonblock = half_.server();
    step.wait = {now_ns + kIdleNs, flow().read() + 1, flow().read() + 1};
  } else {
    const std::uint64_t wanted = (bytes - step.moved + frame_bytes - 1) / frame_bytes;
    const std::uint64_t fragment = half_.worth_a_sleep(half_.fragment_frames());
    step.wait = flow().wait_for(reader_.to_ring(wanted), reader_.to_ring(fragment), view,
                                reader_.limits(), now_ns);
  }
  return step;
}

std::uint64_t Capture::available_frames(std::int64_t now_ns) {
  ConsumerFlow::View view;
  cached_until_ = 0;  // by another clock less may count as played than a read once knew
  return reader_.look(now_ns, view) == 0 ? reader_.count(view) : 0;
}

std::uint64_t Capture::passed_frames(std::int64_t now_ns) {
  ConsumerFlow::View view;
  cached_until_ = 0;
  return reader_.glance(now_ns, view) == 0 ? reader_.count(view) : 0;
}

bool Capture::streaming(std::int64_t now_ns) {
  ConsumerFlow::View view;
  cached_until_ = 0;
  return reader_.glance(now_ns, view) == 0 && view.streaming;
}

bool Capture::ready(std::uint64_t frames, std::int64_t now_ns) {
  if (wrong_way()) return true;
  ConsumerFlow::View view;
  cached_until_ = 0;
  if (reader_.glance(now_ns, view) != 0) return true;
  if (!view.streaming && !half_.has_server()) return true;
  const std::uint64_t available = reader_.count(view);
  if (available >= std::min(frames, half_.buffer_frames())) return true;
  if (!view.streaming) return flow().at_end();
  // The last piece, however short; not each frame of it.
  const bool rest_is_due =
      (view.closing || view.section_ends) && view.read + view.frames >= view.written;
  const bool ends = view.end && !reader_.has_more(view) && flow().end_policy().is_told();
  return rest_is_due && (available > 0 || ends || reader_.others_hold());
}

void Capture::halt(std::int64_t now_ns) {
  cached_ = {};
  cached_until_ = 0;
  reader_.forget();
  // What is due is dropped, section by section.
  ConsumerFlow::View view;
  for (std::uint32_t marks = 0; marks < abi::kMarks && flow().running(); ++marks) {
    if (reader_.look(now_ns, view) != 0 || !view.section_ends) break;
    if (view.read + view.frames < view.written) break;
    reader_.drop(view);
  }
  flow().stop(reader_.limits(), now_ns);
  reader_.forget();
  half_.own().partial_bytes.store(0, kRelaxed);
  shm::wake(flow().producer_half());
}

}  // namespace ossloop::device
