// How a filter begins and ends, and how another process of the open goes on with it.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "device/stream_reader.h"
#include "stream/format_word.h"

namespace ossloop::device {

// Goes on with the filter of the process that read before, or begins one.
void StreamReader::begin_filter() {
  if (!converter_->changes_rate()) {
    flow_.no_filter();
  } else if (!refill(flow_.filter())) {
    converter_->reset();
    forget_pending();
    flow_.begin_filter(half_.format());
  }
  remember();
}

// Fills the converter with the sound before `read`, from a frame on that lies at a frame of
// the program too, so that each falls where it would have. What was given already comes
// out again and is left out; what was not waits to be given. False if it cannot be done.
bool StreamReader::refill(const ConsumerFlow::Filter& filter) {
  if (filter.section != section_.number || filter.format != pack(half_.format())) return false;
  const auto from_hz = static_cast<std::uint64_t>(section_.format.rate_hz);
  const auto to_hz = static_cast<std::uint64_t>(half_.format().rate_hz);
  const std::uint64_t common = std::gcd(from_hz, to_hz);
  const std::uint64_t unit = from_hz / common;
  const std::uint64_t end = flow_.read();
  const std::uint64_t taken = end - filter.begin;
  if (taken >> 40 != 0) return false;
  const std::uint64_t units = (taken - std::min(taken, limits_.history_frames) + unit - 1) / unit;
  const std::uint64_t given_before = units * (to_hz / common);
  std::uint64_t at = filter.begin + units * unit;
  // About so many, as what is given of frames converted ahead counts as read by and by.
  const std::uint64_t most = (end - at + 8) * to_hz / from_hz + 8;
  if (units * unit > taken || filter.given < given_before) return false;
  if (filter.given - given_before > most || at < section_.frame) return false;
  if (!flow_.keeps(at, limits_) || map() != 0) return false;
  given_before_ = filter.given - given_before;
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  while (at < end) {
    auto piece = static_cast<std::size_t>(end - at);
    const std::byte* from = ring_.ring().piece(at, piece);
    std::byte* const to = pending_.room(kAheadFrames * frame_bytes);
    const auto step = converter_->process(from, piece, to, kAheadFrames);
    const std::size_t known = left_out(step.output_frames) * frame_bytes;
    const std::size_t made = step.output_frames * frame_bytes - known;
    std::memmove(to, to + known, made);
    pending_.push(made);
    if (pending_frames() > half_.buffer_frames() + 2 * kAheadFrames) return false;
    if (step.input_frames == 0 && step.output_frames == 0) return false;
    at += step.input_frames;
  }
  tail_done_ = false;
  return true;
}

// Of so many frames that the converter gave, the first were given by another process.
std::size_t StreamReader::left_out(std::size_t frames) {
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(frames, given_before_));
  given_before_ -= known;
  return known;
}

void StreamReader::end_stream() {
  tail_done_ = true;
  flow_.tell_filter(0);
  if (converter_ == nullptr) return;
  converter_->reset();
  if (converter_->changes_rate()) flow_.begin_filter(half_.format());
  remember();
}

void StreamReader::remember() {
  read_ = flow_.read();
  filter_ = flow_.filter();
}

void StreamReader::forget_pending() {
  pending_.clear();
  ahead_ = given_before_ = 0;
}

// As another process may have gone on since, its filter is what the segment tells of.
void StreamReader::forget_own() {
  converter_.reset();
  tail_done_ = true;
  forget_pending();
  remember();
}

void StreamReader::forget() {
  flow_.no_filter();
  flow_.tell_filter(0);
  forget_own();
}

}  // namespace ossloop::device
