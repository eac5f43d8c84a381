// What a program sets on its open, and what it asks of it.
#include <algorithm>
#include <utility>

#include "config/policy.h"
#include "device/endpoint.h"
#include "device/side_lock.h"
#include "stream/levels.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint32_t kPolicyMark = 0x100;

}  // namespace

int Endpoint::set_format(int fd, const audio::PcmFormat& wanted) {
  SideLock lock(*this, fd);
  if (wanted == half().format() || frozen()) return 0;
  each_half([&](OpenHalf& half) {
    half.set_format(wanted);
    half.own().partial_bytes.store(0, kRelaxed);
  });
  // A buffer that is mapped keeps its bytes.
  set_buffering(any_mapped() ? half().buffering() : chosen_buffering(wanted));
  return 0;
}

// A server's format, from the first frame that is taken of a stream until its end is; but for one
// that stops where the format changes.
bool Endpoint::frozen() const {
  if (!half().server()) return false;
  const bool records = (access_ & kRead) != 0 && capture_.underway() && !capture_.stopped();
  const ProducerFlow& played = playback_.flow();
  const bool plays =
      (access_ & kWrite) != 0 && played.streaming() && played.consumer_kept() && played.underway();
  return records || plays;
}

void Endpoint::set_buffering(const Buffering& buffering) {
  each_half([&](OpenHalf& half) { half.set_buffering(buffering); });
}

void Endpoint::choose_buffering(std::uint32_t chosen) {
  each_half([&](OpenHalf& half) { half.own().fragment_chosen.store(chosen, kRelaxed); });
  set_buffering(chosen_buffering(half().format()));
}

// Fragments that the program chose keep their bytes over a change of format, the
// default keeps its time. Half::fragment_chosen is 0, SETFRAGMENT's word, or
// kPolicyMark with the policy.
Buffering Endpoint::chosen_buffering(const audio::PcmFormat& format) const {
  const std::uint32_t chosen = half().own().fragment_chosen.load(kRelaxed);
  if (chosen == 0) return default_buffering(format, half().buffer_ms());
  if ((chosen & kPolicyMark) != 0) {
    return policy_buffering(static_cast<int>(chosen & 0xf), format, half().buffer_ms());
  }
  return requested_buffering(chosen, format, half().buffer_ms());
}

void Endpoint::choose_fragment(int fd, std::uint32_t request) {
  SideLock lock(*this, fd);
  const std::uint32_t shift = std::clamp<std::uint32_t>(request & 0xffff, 4, 24);
  choose_buffering((request & 0x7fff0000) | shift);
}

void Endpoint::choose_policy(int fd, int policy) {
  SideLock lock(*this, fd);
  choose_buffering(kPolicyMark | static_cast<std::uint32_t>(policy));
}

void Endpoint::subdivide(int fd, std::uint32_t divisor) {
  SideLock lock(*this, fd);
  set_buffering(subdivided(half().buffering(), divisor, half().format()));
}

void Endpoint::set_low_water(std::uint32_t bytes) {
  half().own().low_water_bytes.store(bytes, kRelaxed);
}

bool Endpoint::transferring() const {
  const auto moved = [](const OpenHalf& half) { return half.own().frames.load(kRelaxed) != 0; };
  return any_mapped() || moved(half()) || (access_ == kReadWrite && moved(recording_));
}

int Endpoint::space(int fd, Access direction, Space& space) {
  SideLock lock(*this, fd);
  if (direction == kWrite && live(kWrite)) {
    if (const int error = playback_.prepare_ring(); error != 0) return error;
  }
  const std::int64_t now_ns = sys().now_ns();
  const Buffering parts = half().buffering();
  if (buffer(direction).mapped()) {
    MappedBuffer& mapped = buffer(direction);
    move_mapped(now_ns);
    // Nothing is queued in a buffer that is played all the time.
    const std::uint64_t whole = mapped.buffer_frames();
    const std::uint64_t there =
        direction == kWrite ? whole : mapped.reached(now_ns) - mapped.seen();
    const auto bytes =
        static_cast<std::int64_t>(std::min(there, whole)) * half().format().frame_bytes();
    space = {bytes / parts.fragment_bytes, parts.fragments, parts.fragment_bytes, bytes};
    return 0;
  }
  const std::uint64_t frames =
      direction == kRead ? capture_.available_frames(now_ns) : playback_.space_frames(now_ns);
  const std::int64_t bytes = static_cast<std::int64_t>(std::min(frames, half().buffer_frames())) *
                             half().format().frame_bytes();
  space = {bytes / parts.fragment_bytes, parts.fragments, parts.fragment_bytes, bytes};
  return 0;
}

Pointer Endpoint::pointer(int fd, Access direction) {
  SideLock lock(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  if (buffer(direction).mapped()) {
    const Pointer result = mapped_pointer(direction, now_ns);
    show_readiness(fd);
    return result;
  }
  abi::Half& own = half(direction).own();
  Pointer result;
  const std::uint64_t moved = own.frames.load(kRelaxed);
  std::uint64_t position;
  if (direction == kRead) {
    result.queued_frames = std::min(capture_.available_frames(now_ns), half().buffer_frames());
    position = moved + result.queued_frames;
  } else {
    // What a filter of the reader still holds counts as played here, as it does for the room in
    // the buffer: only the delay tells of it.
    result.queued_frames = playback_.queued_frames(now_ns);
    position = moved - std::min(moved, result.queued_frames);
  }
  result.frames = position - std::min(position, own.zero_frames.load(kRelaxed));
  const std::uint64_t told = own.seen_frames.load(kRelaxed);
  // Not back where another recorder is waited for now, which is behind.
  if (direction == kWrite && told <= moved) result.frames = std::max(result.frames, told);
  const std::uint64_t seen = std::min(told, result.frames);
  own.seen_frames.store(result.frames, kRelaxed);
  const std::uint64_t fragment = half().fragment_frames();
  const std::uint64_t buffer = half().buffer_frames();
  result.fragments = result.frames / fragment - seen / fragment;
  // Programs that know only the place in the buffer take a whole round for
  // standing still (ALSA's plugin then waits for ever): show one frame less.
  const bool whole_rounds = result.frames != seen && (result.frames - seen) % buffer == 0;
  result.ptr_bytes = (result.frames - (whole_rounds ? 1 : 0)) % buffer *
                     static_cast<std::uint64_t>(half().format().frame_bytes());
  return result;
}

std::uint64_t Endpoint::delay_frames(int fd) {
  SideLock lock(*this, fd);
  return playback_.delay_frames(sys().now_ns());
}

Errors Endpoint::errors(int fd) {
  SideLock lock(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  // What is overdue is counted when somebody looks.
  if ((access_ & kRead) != 0 && live(kRead)) capture_.available_frames(now_ns);
  // Of both directions: the counters are kept by the consumer of each.
  const Errors total{playback_.flow().underruns(), capture_.overruns()};
  const Errors before = std::exchange(errors_told_, total);
  // A counter that went back began anew with another consumer.
  auto since = [](std::uint64_t now, std::uint64_t then) { return now < then ? now : now - then; };
  return {since(total.play_underruns, before.play_underruns),
          since(total.record_overruns, before.record_overruns)};
}

std::uint32_t Endpoint::volume(Access direction) const {
  if ((access_ & direction) == 0) return kFullVolume;
  return sane_volume(half(direction).own().volume.load(kRelaxed));
}

void Endpoint::set_volume(Access direction, std::uint32_t volume) {
  if (levels_locked() || (access_ & direction) == 0) return;
  half(direction).own().volume.store(sane_volume(volume), kRelaxed);
}

bool Endpoint::levels_locked() const {
  return config::get<"volume", abi::Volume>(half().contract().policy) == abi::Volume::kLock;
}

void Endpoint::peaks(int fd, Access direction, std::uint16_t (&peaks)[kPeakChannels]) {
  SideLock lock(*this, fd);
  const abi::DirectionIndex index = direction_of(side(), direction);
  const shm::Segment& segment = half().segment();
  const std::int64_t now_ns = sys().now_ns();
  tell_peaks(half().server() || direction == kRead
                 ? loudness_of(segment, index, now_ns)
                 : loudness_of(segment, index, place_.slot, now_ns),
             peaks);
}

void Endpoint::silence(int fd) {
  SideLock lock(*this, fd);
  playback_.silence(sys().now_ns());
}

}  // namespace ossloop::device
