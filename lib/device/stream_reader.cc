#include "device/stream_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/wide.h"
#include "config/policy.h"
#include "device/device_thread.h"
#include "stream/ring_size.h"

namespace ossloop::device {
StreamReader::StreamReader(OpenHalf& half, std::uint32_t slot)
    : half_(half), flow_(half.contract(), half.direction(), slot, half.listener()) {}

std::uint64_t StreamReader::to_ring(std::uint64_t frames) const {
  const int from = half_.format().rate_hz;
  const int to = section_.number == 0 ? from : section_.format.rate_hz;
  if (from == to) return frames;
  const base::Int128 product = static_cast<base::Int128>(frames) * to;
  return static_cast<std::uint64_t>((product + from - 1) / from);
}

int StreamReader::follow() {
  const int error = follow_section(true);
  follow_levels();
  return error;
}

int StreamReader::glance(std::int64_t now_ns, ConsumerFlow::View& view) {
  return look(now_ns, view, half_.own().shared.load(std::memory_order_acquire) == 0);
}

bool StreamReader::stops_at_next() const {
  if (!may_stop_ || half_.own().stops_at_marks.load(std::memory_order_relaxed) == 0) return false;
  return flow_.section(section_.number + 1).format != half_.format();
}

int StreamReader::look(std::int64_t now_ns, ConsumerFlow::View& view, bool fills) {
  int error = 0;
  stopped_ = false;
  for (std::uint32_t marks = 0; marks <= 2 * abi::kMarks; ++marks) {
    error = follow_section(fills);
    view = flow_.look(limits_, now_ns);
    if (flow_.read() != read_) ahead_ = 0;  // past what was dropped; the filter goes on
    remember();
    if (flow_.section_read() != section_.number) continue;  // and past a mark
    if (!view.section_ends || view.read != view.written || !tail_done_ || has_pending()) break;
    if (others_hold()) break;
    // The first section of all is nobody's: there is nothing before it.
    stopped_ = section_.number != 0 && stops_at_next();
    if (stopped_) break;
    flow_.next_section();
    forget();
  }
  if (has_more(view)) view.end = false;
  follow_levels();  // which stream it is, and so who plays it, is known only now
  return view.frames > 0 ? error : 0;
}

bool StreamReader::others_hold() const {
  return converter_ == nullptr && section_.number != 0 && flow_.filter().section == section_.number;
}

bool StreamReader::tail_due(const ConsumerFlow::View& view) const {
  return !tail_done_ && (view.closing || view.section_ends) && view.read >= view.written;
}

int StreamReader::follow_section(bool fills) {
  if (flow_.read() != read_ || flow_.filter() != filter_) forget_own();
  if (section_.number != flow_.section_read()) {
    section_ = flow_.section(flow_.section_read());
    limits_ = limits_of(section_, half_.buffer_ms());
  }
  if (section_.number == 0) forget_own();
  return section_.number != 0 && (fills || converter_ != nullptr) ? prepare_converter() : 0;
}

int StreamReader::prepare_converter() {
  const bool fits = converter_to_ == half_.format() && converter_from_ == section_.format;
  if (converter_ != nullptr && fits) return 0;
  if (!fits) forget_own();
  int error = 0;
  audio::Converter::Options options;
  const abi::Policy& policy = half_.contract().policy;
  static_assert(config::kRow<"quality">.maximum ==
                static_cast<std::int64_t>(audio::Quality::kVeryHigh));
  options.quality = config::get<"quality", audio::Quality>(policy);
  options.dither = config::get<"dither", bool>(policy);
  options.blocks = flow_.free_clock() ? audio::Blocks::kLong : audio::Blocks::kShort;
  converter_ = audio::Converter::create(section_.format, half_.format(), options, error);
  converter_from_ = section_.format;
  converter_to_ = half_.format();
  if (converter_ == nullptr) return error;
  levels_ = flow_.levels();
  const Factors factors = factors_of(levels_);
  converter_->set_gain(factors.left, factors.right);
  begin_filter();
  return 0;
}

// Costs a few loads while they stay the same.
void StreamReader::follow_levels() {
  if (converter_ == nullptr) return;
  const Levels now = flow_.levels();
  if (now == levels_) return;
  levels_ = now;
  const Factors factors = factors_of(now);
  converter_->glide_gain(factors.left, factors.right);
}

int StreamReader::map() {
  if (ring_.mapped() && ring_.section().number == section_.number) return 0;
  const Section before = ring_.section();
  const int error = ring_.follow(half_.segment(), section_, half_.buffer_ms());
  if (error == 0 && !flow_.is_tap()) half_.leave_ring(before, section_);
  return error;
}

bool StreamReader::only_copies() const {
  return converter_ != nullptr && converter_->identity() && !has_pending() &&
         levels_ == flow_.levels() && ring_.mapped() && ring_.section().number == section_.number &&
         flow_.section_read() == section_.number;
}

void StreamReader::took_back(std::uint64_t frames, ConsumerFlow::View& view) {
  read_ = flow_.read();
  view.read += frames;
  view.frames -= std::min(frames, view.frames);
}

void StreamReader::drop(const ConsumerFlow::View& view) {
  flow_.take(view.frames);
  forget();
}

std::size_t StreamReader::pending_frames() const {
  if (!has_pending()) return 0;  // mostly
  return pending_.size() / static_cast<std::size_t>(half_.format().frame_bytes());
}

void StreamReader::took(std::uint64_t frames, ConsumerFlow::View& view) {
  if (converts_ahead_) {
    ahead_ += frames;
  } else {
    flow_.take(frames);
    read_ = flow_.read();
  }
  view.read += frames;
  view.frames -= std::min(frames, view.frames);
}

std::size_t StreamReader::convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  const std::size_t made = converter_->changes_rate() ? convert_rate(out, frames, view)
                                                      : convert_samples(out, frames, view);
  if (converter_->identity()) return made;
  if (const std::uint64_t clipped = converter_->take_clipped(); clipped != 0) {
    flow_.count_clipped(clipped);
  }
  flow_.tell_filter(converter_->held_input_frames());
  return made;
}

std::size_t StreamReader::convert_samples(std::byte* out, std::size_t frames,
                                          ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  std::size_t made = 0;
  while (made < frames && view.frames > 0) {
    auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(frames - made, view.frames));
    const std::byte* from = ring_.ring().piece(view.read, piece);
    std::byte* to = out + made * frame_bytes;
    if (converter_->identity()) {
      std::memcpy(to, from, piece * frame_bytes);
    } else {
      piece = converter_->process(from, piece, to, piece).output_frames;
      if (piece == 0) break;
    }
    if (flow_.lapped(limits_)) {
      view.frames = 0;  // overwritten while it was copied: the next look drops it
      break;
    }
    took(piece, view);
    made += piece;
  }
  if (made < frames && view.frames == 0 && view.silence > 0) {
    const auto silent =
        static_cast<std::size_t>(std::min<std::uint64_t>(frames - made, view.silence));
    audio::fill_silence(half_.format(), out + made * frame_bytes, silent);
    flow_.take_silence(silent);
    remember();
    view.silence -= silent;
    made += silent;
  }
  return made;
}

std::size_t StreamReader::convert_rate(std::byte* out, std::size_t frames,
                                       ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  std::size_t made = 0;
  while (made < frames) {
    std::byte* to = out + made * frame_bytes;
    const std::size_t room = frames - made;
    audio::Converter::Progress progress{};
    if (view.frames > 0 && flow_.lapped(limits_)) view.frames = 0;
    if (view.frames > 0) {
      auto piece = static_cast<std::size_t>(view.frames);
      const std::byte* from = ring_.ring().piece(view.read, piece);
      progress = converter_->process(from, piece, to, room);
      tail_done_ = false;
      took(progress.input_frames, view);
    } else if (view.silence > 0) {
      std::byte silence[4096];
      const std::size_t fit =
          sizeof silence / static_cast<std::size_t>(section_.format.frame_bytes());
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(fit, view.silence));
      audio::fill_silence(section_.format, silence, piece);
      progress = converter_->process(silence, piece, to, room);
      flow_.take_silence(progress.input_frames);
      remember();
      view.silence -= progress.input_frames;
    } else if (tail_due(view)) {
      progress.output_frames = converter_->finish(to, room);
      tail_done_ = progress.output_frames == 0;
    }
    if (progress.input_frames == 0 && progress.output_frames == 0) break;
    if (const std::size_t known = left_out(progress.output_frames); known != 0) {
      progress.output_frames -= known;
      std::memmove(to, to + known * frame_bytes, progress.output_frames * frame_bytes);
    }
    made += progress.output_frames;
  }
  return made;
}

// What was converted ahead counts as read by and by; never less than was needed.
std::size_t StreamReader::give_pending(std::byte* out, std::size_t frames,
                                       ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  const std::size_t there = pending_frames();
  const std::size_t given = std::min(frames, there);
  if (given == 0) return 0;
  std::memcpy(out, pending_.data(), given * frame_bytes);
  pending_.pop(given * frame_bytes);
  const std::uint64_t read = (ahead_ * given + there - 1) / there;
  ahead_ -= read;
  took(read, view);
  return given;
}

// Where time does not matter a filter works best in larger pieces than `frames`: of so many.
// 0: no.
std::size_t StreamReader::ahead_piece(std::size_t frames) const {
  const std::size_t piece = std::min(kAheadFrames, static_cast<std::size_t>(half_.buffer_frames()));
  const bool ahead = converter_->changes_rate() && frames < piece / 2 && flow_.free_clock() &&
                     half_.own().shared.load(std::memory_order_acquire) == 0;
  return ahead ? piece : 0;
}

std::size_t StreamReader::give(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  std::size_t given = give_pending(out, frames, view);
  if (given != frames && converter_ != nullptr) {
    const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
    const std::size_t piece = ahead_piece(frames);
    const bool ahead = piece != 0;
    if (ahead) convert_ahead(piece, view);
    std::byte* const to = out + given * frame_bytes;
    given += ahead ? give_pending(to, frames - given, view) : convert(to, frames - given, view);
  }
  if (converter_ != nullptr && converter_->changes_rate()) {
    flow_.filter_gave(given);
    filter_ = flow_.filter();
  }
  return given;
}

std::uint64_t StreamReader::count(ConsumerFlow::View& view, std::uint64_t most) {
  if (converter_ == nullptr && section_.number != 0) {
    const base::Int128 product =
        static_cast<base::Int128>(view.frames + view.silence) * half_.format().rate_hz;
    return static_cast<std::uint64_t>(product / section_.format.rate_hz);
  }
  if (converter_ == nullptr || !converter_->changes_rate()) {
    return pending_frames() + view.frames + view.silence;
  }
  const auto buffer = static_cast<std::size_t>(half_.buffer_frames());
  const auto limit = static_cast<std::size_t>(std::min<std::uint64_t>(most, buffer));
  if (pending_frames() >= limit || (view.frames > 0 && map() != 0)) return pending_frames();
  convert_ahead(std::max(limit, ahead_piece(limit)) - pending_frames(), view);
  // A buffer that is full keeps from the program what is due, as the filter does.
  if (pending_frames() >= buffer) {
    const std::uint64_t due = std::min(view.frames, flow_.consumer_buffer(limits_));
    const std::uint64_t kept = converter_->held_input_frames() + due;
    flow_.tell_filter(kept - std::min(kept, ahead_));
  }
  return pending_frames();
}

void StreamReader::convert_ahead(std::size_t frames, ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(half_.format().frame_bytes());
  ConsumerFlow::View rest = view;
  rest.read += ahead_;
  rest.frames -= std::min(ahead_, rest.frames);
  converts_ahead_ = true;
  pending_.push(convert(pending_.room(frames * frame_bytes), frames, rest) * frame_bytes);
  converts_ahead_ = false;
  view.silence = rest.silence;
  // What has all gone into the filter is read.
  if (!has_pending()) took(std::exchange(ahead_, 0), view);
}

void StreamReader::halt(std::int64_t now_ns) {
  forget();
  ConsumerFlow::View view;
  for (std::uint32_t marks = 0; marks < abi::kMarks && flow_.running(); ++marks) {
    if (look(now_ns, view) != 0 || !view.section_ends) break;
    if (view.read + view.frames < view.written) break;
    drop(view);
  }
  flow_.stop(limits_, now_ns);
  forget();
}

}  // namespace ossloop::device
