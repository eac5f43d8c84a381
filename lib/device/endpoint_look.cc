// What a program asks that keeps a clock of its own for a stream, as the plugin of ALSA does.
#include <algorithm>

#include "audio/clock.h"
#include "config/policy.h"
#include "device/endpoint.h"
#include "device/side_lock.h"

namespace ossloop::device {
namespace {

using base::sys;

// Not more often than that where nobody can tell the time.
constexpr std::int64_t kSoonestNs = 500'000;
// A chosen buffer may be longer than the policy's `buffer_ms`, up to so many bytes.
constexpr std::uint64_t kLongestBytes = std::uint64_t{4} << 20;

// When `frames` more will have passed if the clock runs: one that is held, or has not yet
// started, is to be asked again then.
std::int64_t moment(const abi::Policy& policy, std::uint64_t frames, int rate_hz,
                    std::int64_t now_ns) {
  const std::uint32_t factor = config::clock_factor_milli(policy);
  if (factor == 0) return now_ns + kSoonestNs;
  const audio::Clock clock{now_ns, 0, static_cast<std::uint32_t>(rate_hz), factor,
                           config::get<"ppm">(policy)};
  const std::uint64_t seen = std::min<std::uint64_t>(frames, static_cast<std::uint64_t>(rate_hz));
  return std::max(clock.time_of(static_cast<std::int64_t>(seen)), now_ns + kSoonestNs);
}

}  // namespace

void Endpoint::look_at_playback(std::uint64_t wanted, std::int64_t now_ns, Look& look) {
  look.queued_frames = playback_.queued_frames(now_ns);
  look.delay_frames = playback_.delay_frames(now_ns);
  look.lost = playback_.flow().underruns();
  look.tells = playback_.tells();
  if (look.tells || look.queued_frames <= wanted) return;
  look.at_ns = moment(half().contract().policy, look.queued_frames - wanted,
                      half().format().rate_hz, now_ns);
}

void Endpoint::look_at_recording(std::uint64_t wanted, std::int64_t now_ns, Look& look) {
  look.queued_frames = capture_.available_frames(now_ns);
  look.delay_frames = look.queued_frames;
  look.lost = capture_.lost_frames();
  if (look.queued_frames >= wanted) return;
  look.tells = capture_.tells(now_ns);
  if (look.tells) return;
  look.at_ns = moment(half().contract().policy, wanted - look.queued_frames,
                      half().format().rate_hz, now_ns);
}

Look Endpoint::look(int fd, Access direction, std::uint64_t wanted) {
  SideLock lock(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  look_without_thread(now_ns);
  Look look;
  if (direction == kWrite) {
    look_at_playback(wanted, now_ns, look);
  } else {
    look_at_recording(wanted, now_ns, look);
  }
  return look;
}

// Recording has what the ring of who plays can hold, and no more.
void Endpoint::choose_buffer(int fd, std::uint64_t fragment_frames, std::uint64_t buffer_frames) {
  SideLock lock(*this, fd);
  if (any_mapped()) return;
  const auto frame_bytes = static_cast<std::uint64_t>(half().format().frame_bytes());
  const std::uint64_t wanted = std::min(buffer_frames, kLongestBytes / frame_bytes);
  if (access_ == kWrite) playing_.allow_buffer(wanted);
  const std::uint64_t fragment =
      std::clamp<std::uint64_t>(fragment_frames, 1, std::max<std::uint64_t>(wanted / 2, 1));
  const std::uint64_t fragments = std::max<std::uint64_t>((wanted + fragment - 1) / fragment, 2);
  set_buffering(
      {static_cast<std::uint32_t>(fragment * frame_bytes), static_cast<std::uint32_t>(fragments)});
}

void Endpoint::pause(int fd, bool on) {
  SideLock lock(*this, fd);
  playback_.pause(on, sys().now_ns());
  wake_peers();
}

}  // namespace ossloop::device
