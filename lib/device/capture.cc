#include "device/capture.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "config/policy.h"
#include "stream/clock_speed.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kIdleNs = 1'000'000'000;
constexpr std::int64_t kSoonNs = 100'000;

}  // namespace

bool Capture::start() {
  if (flow().running()) return false;
  reader_.start();
  reader_.wake_writers();
  return true;
}

bool Capture::start_together(std::int64_t now_ns) {
  if (flow().running()) return false;
  reader_.start_together(now_ns);
  reader_.wake_writers();
  return true;
}

// Moves whole frames, and parts of one: the rest of a frame that an earlier read split
// lies at the end of `partial`.
template <typename Give>
void Capture::fill(std::byte* data, std::size_t bytes, TransferResult& step, Give give) {
  abi::Half& own = half_.own();
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  std::size_t partial = std::min<std::size_t>(own.partial_bytes.load(kRelaxed), frame_bytes - 1);
  while (step.moved < bytes) {
    const std::size_t left = bytes - step.moved;
    if (partial > 0) {
      const std::size_t take = std::min(partial, left);
      std::memcpy(data + step.moved, own.partial + frame_bytes - partial, take);
      partial -= take;
      step.moved += take;
    } else if (left >= frame_bytes) {
      const std::size_t frames = give(data + step.moved, left / frame_bytes);
      if (frames == 0) break;
      own.frames.store(own.frames.load(kRelaxed) + frames, kRelaxed);
      step.moved += frames * frame_bytes;
    } else {
      if (give(reinterpret_cast<std::byte*>(own.partial), std::size_t{1}) == 0) break;
      own.frames.store(own.frames.load(kRelaxed) + 1, kRelaxed);
      partial = frame_bytes;
    }
  }
  own.partial_bytes.store(static_cast<std::uint32_t>(partial), kRelaxed);
}

void Capture::fill(std::byte* data, std::size_t bytes, TransferResult& step) {
  fill(data, bytes, step,
       [this](std::byte* to, std::size_t frames) { return reader_.give(to, frames); });
  reader_.tell_given();
}

// No more than a buffer: what nobody fetched was silence.
std::uint64_t Capture::silence_due(std::int64_t now_ns) {
  const std::uint64_t buffer = half_.buffer_frames();
  if (flow().free_clock()) return buffer;
  const auto rate_hz = static_cast<std::uint32_t>(half_.format().rate_hz);
  const std::uint32_t factor = config::clock_factor_milli(half_.contract().policy);
  const auto ppm = clock_ppm(half_.contract(), half_.direction());
  if (!std::exchange(silent_, true) || silence_clock_.rate_hz != rate_hz) {
    silence_clock_ = {now_ns, 0, rate_hz, factor, ppm};
    silence_given_ = 0;
  }
  if (silence_clock_.factor_milli != factor || silence_clock_.ppm != ppm)
    silence_clock_ = silence_clock_.with_speed(now_ns, factor, ppm);
  const auto due = static_cast<std::uint64_t>(std::max<std::int64_t>(
      silence_clock_.frames_at(now_ns) - static_cast<std::int64_t>(silence_given_), 0));
  if (due > buffer) silence_given_ += due - buffer;
  return std::min(due, buffer);
}

TransferResult Capture::read_silence(std::byte* data, std::size_t bytes, std::int64_t now_ns) {
  TransferResult step;
  std::uint64_t due = silence_due(now_ns);
  fill(data, bytes, step, [&](std::byte* to, std::size_t frames) {
    const auto silent = static_cast<std::size_t>(std::min<std::uint64_t>(frames, due));
    audio::fill_silence(half_.format(), to, silent);
    due -= silent;
    silence_given_ += silent;
    flow().count_silence(silent);
    return silent;
  });
  const auto frame_bytes = static_cast<std::uint64_t>(half_.format().frame_bytes());
  const std::uint64_t wanted = std::clamp<std::uint64_t>(
      (bytes - step.moved + frame_bytes - 1) / frame_bytes, 1, half_.buffer_frames() / 2 + 1);
  const std::int64_t at =
      silence_clock_.time_of(static_cast<std::int64_t>(silence_given_ + wanted));
  step.wait = {std::clamp(at, now_ns + kSoonNs, now_ns + kIdleNs), flow().read() + 1,
               flow().read() + 1};
  return step;
}

void Capture::tell_end(TransferResult& step) const {
  step.error = flow().end_policy().error;
  step.short_return = flow().end_policy().reads_zero;
}

// An end that was passed, and with which nobody has gone on: the call ends with it, or, where
// it has moved something, before it.
bool Capture::tells_passed_end(bool progressed, TransferResult& step) {
  if (!reader_.has_passed_end() || !reader_.passed_end_is_due()) return false;
  step.short_return = progressed || step.moved > 0;
  if (step.short_return) return true;
  reader_.tell_passed_end();
  tell_end(step);
  return true;
}

TransferResult Capture::read(std::byte* data, std::size_t bytes, bool progressed,
                             std::int64_t now_ns) {
  TransferResult step;
  step.error = wrong_way() ? -EACCES : 0;
  if (step.error != 0) return step;
  if (tells_passed_end(progressed, step)) return step;
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  bool fresh = false;
  step.error = reader_.look_for((bytes + frame_bytes - 1) / frame_bytes, now_ns, fresh);
  if (step.error == 0 && !reader_.streaming() && half_.goes_on_alone()) {
    if (start()) step.error = reader_.look(now_ns);
    if (!reader_.streaming() && step.error == 0) return read_silence(data, bytes, now_ns);
  }
  silent_ = false;
  if (step.error == 0 && !half_.has_server() && !reader_.streaming()) {
    step.short_return = flow().at_end();  // as a file that has ended
    if (step.short_return) return step;
    // Told once to who waited for its sound.
    step.error = flow().running() ? -ECONNRESET : -ENXIO;
    if (!progressed) reader_.stop(now_ns);
    return step;
  }
  if (start() && step.error == 0) step.error = reader_.look(now_ns);
  for (std::uint32_t pass = 0; pass < reader_.most_passes() && step.error == 0; ++pass) {
    // What the look has found may be another's that has begun since.
    if (tells_passed_end(progressed, step)) return step;
    step.error = reader_.map();
    if (step.error != 0) break;
    fill(data, bytes, step);
    if (step.moved == bytes) return step;
    // Nothing more now. Is it the end, a change of format, or only not yet due?
    step.error = reader_.look(now_ns);
    if (reader_.has_more() || !std::exchange(fresh, true)) continue;
    if (!reader_.ended()) break;
    if (reader_.may_go_on()) {
      reader_.pass_end();
      step.short_return = progressed || step.moved > 0;
      if (step.short_return) return step;
      step.error = reader_.look(now_ns);
      continue;
    }
    if (flow().end_policy().is_told() && (progressed || step.moved > 0)) {
      step.short_return = true;
      return step;
    }
    reader_.acknowledge_end();
    tell_end(step);
    if (flow().end_policy().is_told()) return step;
    step.error = reader_.look(now_ns);
  }
  if (step.error != 0) {
    // What cannot be had is gone for good, once it was told.
    if (step.moved == 0 && !progressed) reader_.drop();
    return step;
  }
  if (!reader_.streaming()) {
    // As a file that has ended: some recorders need to hear it twice.
    step.short_return = flow().at_end();
    step.block_despite_nonblock = half_.server();
    step.wait = reader_.wait_for_begin(now_ns + kIdleNs);
  } else {
    const std::uint64_t wanted = (bytes - step.moved + frame_bytes - 1) / frame_bytes;
    const std::uint64_t fragment = half_.worth_a_sleep(half_.fragment_frames());
    step.wait = reader_.wait_for(wanted, fragment, now_ns);
  }
  return step;
}

bool Capture::lend(Allowance& allowance) {
  return half_.own().partial_bytes.load(kRelaxed) == 0 && reader_.lend(allowance);
}

std::uint64_t Capture::available_frames(std::int64_t now_ns) {
  if (reader_.ask(now_ns, true) != 0) return 0;
  return !reader_.streaming() && idles() ? silence_due(now_ns) : reader_.count();
}

std::uint64_t Capture::passed_frames(std::int64_t now_ns) {
  if (reader_.ask(now_ns, false) != 0) return 0;
  return !reader_.streaming() && idles() ? silence_due(now_ns) : reader_.count();
}

bool Capture::streaming(std::int64_t now_ns) {
  return reader_.ask(now_ns, false) == 0 && reader_.streaming();
}

bool Capture::ended(std::int64_t now_ns) { return streaming(now_ns) && reader_.ended(); }

bool Capture::ready(std::uint64_t frames, std::int64_t now_ns) {
  if (wrong_way() || (reader_.has_passed_end() && reader_.passed_end_is_due())) return true;
  if (reader_.ask(now_ns, false) != 0) return true;
  const bool streaming = reader_.streaming();
  if (!streaming && idles()) return silence_due(now_ns) >= std::min(frames, half_.buffer_frames());
  if (!streaming && !half_.has_server() && !half_.goes_on_alone()) return true;
  const std::uint64_t available = reader_.count();
  if (available >= std::min(frames, half_.buffer_frames())) return true;
  if (!streaming) return flow().at_end();
  // The last piece, however short; not each frame of it. An end that is not told, or with which
  // the player goes on, is passed by a read, which there is reason for when another stream has
  // begun behind it.
  const bool told = flow().end_policy().is_told() && !reader_.may_go_on();
  const bool ends = reader_.ended() && (told || reader_.has_next());
  return reader_.rest_is_due() && (available > 0 || ends || reader_.others_hold());
}

bool Capture::tells(std::int64_t now_ns) {
  constexpr std::uint64_t kMore = ~std::uint64_t{0};
  return available_frames(now_ns) < half_.buffer_frames() && ready(kMore, now_ns);
}

void Capture::halt(std::int64_t now_ns) {
  silent_ = false;
  reader_.halt(now_ns);
  half_.own().partial_bytes.store(0, kRelaxed);
  reader_.wake_writers();
}

}  // namespace ossloop::device
