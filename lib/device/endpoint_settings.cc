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
  if (wanted == port_.format() || frozen()) return 0;
  port_.set_format(wanted);
  port_.side().partial_bytes.store(0, kRelaxed);
  // A buffer that is mapped keeps its bytes.
  port_.set_buffering(any_mapped() ? port_.buffering() : chosen_buffering(wanted));
  return 0;
}

// A server's format, from the first frame that is taken of a stream until its end is.
bool Endpoint::frozen() const {
  if (!port_.server()) return false;
  if ((access_ & kWrite) == 0) return capture_.flow().underway();
  return playback_.flow().consumer_kept() && playback_.flow().underway();
}

// Fragments that the program chose keep their bytes over a change of format, the
// default keeps its time. Side::fragment_chosen is 0, SETFRAGMENT's word, or
// kPolicyMark with the policy.
Buffering Endpoint::chosen_buffering(const audio::PcmFormat& format) const {
  const std::uint32_t chosen = port_.side().fragment_chosen.load(kRelaxed);
  if (chosen == 0) return default_buffering(format, port_.buffer_ms());
  if ((chosen & kPolicyMark) != 0) {
    return policy_buffering(static_cast<int>(chosen & 0xf), format, port_.buffer_ms());
  }
  return requested_buffering(chosen, format, port_.buffer_ms());
}

void Endpoint::choose_fragment(int fd, std::uint32_t request) {
  SideLock lock(*this, fd);
  const std::uint32_t shift = std::clamp<std::uint32_t>(request & 0xffff, 4, 24);
  port_.side().fragment_chosen.store((request & 0x7fff0000) | shift, kRelaxed);
  port_.set_buffering(chosen_buffering(port_.format()));
}

void Endpoint::choose_policy(int fd, int policy) {
  SideLock lock(*this, fd);
  port_.side().fragment_chosen.store(kPolicyMark | static_cast<std::uint32_t>(policy), kRelaxed);
  port_.set_buffering(chosen_buffering(port_.format()));
}

void Endpoint::subdivide(int fd, std::uint32_t divisor) {
  SideLock lock(*this, fd);
  port_.set_buffering(subdivided(port_.buffering(), divisor, port_.format()));
}

bool Endpoint::transferring() const {
  return any_mapped() || port_.side().frames.load(kRelaxed) != 0;
}

int Endpoint::space(int fd, Access direction, Space& space) {
  SideLock lock(*this, fd);
  if (direction == kWrite && live_direction() == kWrite) {
    if (const int error = playback_.prepare_ring(); error != 0) return error;
  }
  const std::int64_t now_ns = sys().now_ns();
  const Buffering parts = port_.buffering();
  if (buffer(direction).mapped()) {
    MappedBuffer& mapped = buffer(direction);
    move_mapped(now_ns);
    // Nothing is queued in a buffer that is played all the time.
    const std::uint64_t whole = mapped.buffer_frames();
    const std::uint64_t there =
        direction == kWrite ? whole : mapped.reached(now_ns) - mapped.seen();
    const auto bytes =
        static_cast<std::int64_t>(std::min(there, whole)) * port_.format().frame_bytes();
    space = {bytes / parts.fragment_bytes, parts.fragments, parts.fragment_bytes, bytes};
    return 0;
  }
  const std::uint64_t frames =
      direction == kRead ? capture_.available_frames(now_ns) : playback_.space_frames(now_ns);
  const std::int64_t bytes = static_cast<std::int64_t>(std::min(frames, port_.buffer_frames())) *
                             port_.format().frame_bytes();
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
  abi::Side& side = port_.side();
  Pointer result;
  const std::uint64_t moved = side.frames.load(kRelaxed);
  std::uint64_t position;
  if (direction == kRead) {
    result.queued_frames = std::min(capture_.available_frames(now_ns), port_.buffer_frames());
    position = moved + result.queued_frames;
  } else {
    result.queued_frames = playback_.delay_frames(now_ns);
    position = moved - std::min(moved, result.queued_frames);
  }
  result.frames = position - std::min(position, side.zero_frames.load(kRelaxed));
  const std::uint64_t seen = std::min(side.seen_frames.exchange(result.frames), result.frames);
  const std::uint64_t fragment = port_.fragment_frames();
  const std::uint64_t buffer = port_.buffer_frames();
  result.fragments = result.frames / fragment - seen / fragment;
  // Programs that know only the place in the buffer take a whole round for
  // standing still (ALSA's plugin then waits for ever): show one frame less.
  const bool whole_rounds = result.frames != seen && (result.frames - seen) % buffer == 0;
  result.ptr_bytes = (result.frames - (whole_rounds ? 1 : 0)) % buffer *
                     static_cast<std::uint64_t>(port_.format().frame_bytes());
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
  if (live_direction() == kRead) capture_.available_frames(now_ns);
  // Of both directions: the counters are kept by the consumer of each.
  const auto& play =
      port_.contract().direction[port_.server() ? abi::kServerToClient : abi::kClientToServer];
  const auto& record =
      port_.contract().direction[port_.server() ? abi::kClientToServer : abi::kServerToClient];
  const Errors total{play.consumer.underruns.load(kRelaxed),
                     record.consumer.overruns.load(kRelaxed)};
  const Errors before = std::exchange(errors_told_, total);
  // A counter that went back began anew with another consumer.
  auto since = [](std::uint64_t now, std::uint64_t then) { return now < then ? now : now - then; };
  return {since(total.play_underruns, before.play_underruns),
          since(total.record_overruns, before.record_overruns)};
}

std::uint32_t Endpoint::volume(Access direction) const {
  const abi::Side& side = port_.side();
  return sane_volume((direction == kRead ? side.record_volume : side.play_volume).load(kRelaxed));
}

void Endpoint::set_volume(Access direction, std::uint32_t volume) {
  if (levels_locked()) return;
  abi::Side& side = port_.side();
  (direction == kRead ? side.record_volume : side.play_volume).store(sane_volume(volume), kRelaxed);
}

bool Endpoint::levels_locked() const {
  return config::get<"volume", abi::Volume>(port_.contract().policy) == abi::Volume::kLock;
}

void Endpoint::peaks(int fd, Access direction, std::uint16_t (&peaks)[kPeakChannels]) {
  SideLock lock(*this, fd);
  const bool to_server = port_.server() == (direction == kRead);
  find_peaks(port_.segment(), to_server ? abi::kClientToServer : abi::kServerToClient,
             sys().now_ns(), peaks);
}

void Endpoint::silence(int fd) {
  SideLock lock(*this, fd);
  playback_.silence(sys().now_ns());
}

}  // namespace ossloop::device
