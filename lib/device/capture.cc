#include "device/capture.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/wide.h"
#include "config/policy.h"
#include "device/device_thread.h"
#include "shm/wakeup.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::int64_t kIdleNs = 1'000'000'000;

}  // namespace

Capture::Capture(Port& port)
    : port_(port),
      flow_(port.contract(), port.server() ? abi::kClientToServer : abi::kServerToClient) {}

bool Capture::start() {
  if (flow_.running()) return false;
  flow_.start();
  shm::wake(flow_.producer_side());
  return true;
}

bool Capture::start_together(std::int64_t now_ns) {
  if (flow_.running()) return false;
  flow_.start_together(now_ns);
  shm::wake(flow_.producer_side());
  return true;
}

// What there is to read, mark by mark: a section of which all is taken, and all has come
// out of the filter, gives way to the next.
int Capture::look(std::int64_t now_ns, ConsumerFlow::View& view) {
  known_until_ = 0;  // by another clock less may count as played than a read once knew
  for (std::uint32_t marks = 0; marks <= 2 * abi::kMarks; ++marks) {
    const int error = follow_section();
    if (error != 0) return error;
    view = flow_.look(limits_, now_ns);
    converter_read_ = flow_.read();
    if (flow_.section_read() != section_.number) continue;  // it passed a mark unheard
    if (!view.section_ends || view.read != view.written || !tail_done_) break;
    flow_.next_section();
  }
  if (has_pending()) view.end = false;
  return 0;
}

int Capture::follow_section() {
  if (flow_.read() != converter_read_) forget_filter();
  if (section_.number != flow_.section_read()) {
    section_ = flow_.section(flow_.section_read());
    limits_ = limits_of(section_, port_.buffer_ms());
  }
  if (section_.number != 0) return prepare_converter();
  forget_filter();
  return 0;
}

int Capture::prepare_converter() {
  const std::uint32_t setting = port_.side().setting_serial.load(kRelaxed);
  const bool same_target = converter_setting_ == setting && converter_to_ == port_.format();
  if (converter_ != nullptr && same_target && converter_from_ == section_.format) {
    follow_levels();
    return 0;
  }
  int error = 0;
  audio::Converter::Options options;
  const abi::Policy& policy = port_.contract().policy;
  static_assert(config::kRow<"quality">.maximum ==
                static_cast<std::int64_t>(audio::Quality::kVeryHigh));
  options.quality = config::get<"quality", audio::Quality>(policy);
  options.dither = config::get<"dither", bool>(policy);
  options.blocks = flow_.free_clock() ? audio::Blocks::kLong : audio::Blocks::kShort;
  converter_ = audio::Converter::create(section_.format, port_.format(), options, error);
  converter_setting_ = setting;
  converter_from_ = section_.format;
  converter_to_ = port_.format();
  tail_done_ = true;
  if (!same_target) {
    pending_.clear();
    pending_read_ = 0;
  }
  if (converter_ == nullptr) return error;
  levels_ = flow_.levels();
  const Factors factors = factors_of(levels_);
  converter_->set_gain(factors.left, factors.right);
  return 0;
}

// Costs a few loads while they stay the same.
void Capture::follow_levels() {
  const Levels now = flow_.levels();
  if (now == levels_) return;
  levels_ = now;
  const Factors factors = factors_of(now);
  converter_->glide_gain(factors.left, factors.right);
}

// For frames to be read. Where its ring cannot be had, a section is passed over.
int Capture::map_ring() {
  if (ring_.mapped() && ring_.section().number == section_.number) return 0;
  const Section before = ring_.section();
  const int error = ring_.follow(port_.segment(), section_, port_.buffer_ms());
  if (error != 0 || before.ring_bytes == 0 || before.ring_offset == section_.ring_offset) {
    return error;
  }
  // A writer goes to a larger ring for good.
  DeviceThread::instance().run(
      [&] { port_.segment().drop_ring(before.ring_offset, before.ring_bytes); });
  return 0;
}

std::uint64_t Capture::to_ring(std::uint64_t frames) const {
  const int from = port_.format().rate_hz;
  const int to = section_.number == 0 ? from : section_.format.rate_hz;
  if (from == to) return frames;
  const base::Int128 product = static_cast<base::Int128>(frames) * to;
  return static_cast<std::uint64_t>((product + from - 1) / from);
}

// Are so many frames of the ring there without a look at the producer?
bool Capture::knows(std::uint64_t frames) const {
  return known_.read == flow_.read() && frames <= known_.frames &&
         known_.read + frames <= known_until_ && known_for_ == port_.buffer_changes() &&
         flow_.free_clock() && !has_pending() &&
         port_.side().shared.load(std::memory_order_acquire) == 0;
}

std::size_t Capture::convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  const std::size_t made = converter_->changes_rate() ? convert_rate(out, frames, view)
                                                      : convert_samples(out, frames, view);
  converter_read_ = flow_.read();
  if (converter_->identity()) return made;
  if (const std::uint64_t clipped = converter_->take_clipped(); clipped != 0) {
    flow_.count_clipped(clipped);
  }
  flow_.tell_filter(converter_->held_input_frames());
  return made;
}

std::size_t Capture::convert_samples(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
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
    flow_.take(piece);
    view.read += piece;
    view.frames -= piece;
    made += piece;
  }
  if (made < frames && view.frames == 0 && view.silence > 0) {
    const auto silent =
        static_cast<std::size_t>(std::min<std::uint64_t>(frames - made, view.silence));
    audio::fill_silence(port_.format(), out + made * frame_bytes, silent);
    flow_.take_silence(silent);
    view.silence -= silent;
    made += silent;
  }
  return made;
}

std::size_t Capture::convert_rate(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
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
      flow_.take(progress.input_frames);
      view.read += progress.input_frames;
      view.frames -= progress.input_frames;
    } else if (view.silence > 0) {
      std::byte silence[4096];
      const std::size_t fit =
          sizeof silence / static_cast<std::size_t>(section_.format.frame_bytes());
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(fit, view.silence));
      audio::fill_silence(section_.format, silence, piece);
      progress = converter_->process(silence, piece, to, room);
      flow_.take_silence(progress.input_frames);
      view.silence -= progress.input_frames;
    } else if ((view.closing || view.section_ends) && !tail_done_ && view.read >= view.written) {
      progress.output_frames = converter_->finish(to, room);
      tail_done_ = progress.output_frames == 0;
    }
    if (progress.input_frames == 0 && progress.output_frames == 0) break;
    made += progress.output_frames;
  }
  return made;
}

std::size_t Capture::produce(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  const std::size_t pending = (pending_.size() - pending_read_) / frame_bytes;
  const std::size_t first = std::min(frames, pending);
  if (first > 0) {
    std::memcpy(out, pending_.data() + pending_read_, first * frame_bytes);
    pending_read_ += first * frame_bytes;
    if (pending_read_ == pending_.size()) {
      pending_.clear();
      pending_read_ = 0;
    }
  }
  if (first == frames || converter_ == nullptr) return first;
  return first + convert(out + first * frame_bytes, frames - first, view);
}

int Capture::pump(ConsumerFlow::View& view) {
  if (converter_ == nullptr || !converter_->changes_rate()) return 0;
  if (const int error = view.frames > 0 ? map_ring() : 0; error != 0) return error;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  const std::size_t limit = static_cast<std::size_t>(port_.buffer_frames()) * frame_bytes;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(pending_read_));
  pending_read_ = 0;
  if (pending_.size() >= limit) return 0;
  const std::size_t used = pending_.size();
  pending_.resize(limit);
  const std::size_t made = convert(pending_.data() + used, (limit - used) / frame_bytes, view);
  pending_.resize(used + made * frame_bytes);
  if (made > 0) shm::wake_at(flow_.producer_side(), flow_.read());
  return 0;
}

void Capture::acknowledge_end(const ConsumerFlow::View& view, TransferResult& step) {
  flow_.acknowledge_end(view);
  if (converter_ != nullptr) converter_->reset();
  tail_done_ = true;
  flow_.tell_filter(0);
  switch (flow_.eof()) {
    case abi::Eof::kReset:
      step.error = -ECONNRESET;
      break;
    case abi::Eof::kEof:
      step.short_return = true;
      break;
    case abi::Eof::kSilence:
    case abi::Eof::kWait:
      break;
  }
}

TransferResult Capture::read(std::byte* data, std::size_t bytes, bool progressed,
                             std::int64_t now_ns) {
  TransferResult step;
  abi::Side& side = port_.side();
  const bool wrong_way = !port_.server() &&
                         is_open(port_.peer().open.load(std::memory_order_acquire)) &&
                         port_.peer().access.load(kRelaxed) != 2;
  if (wrong_way) {
    step.error = -EACCES;
    return step;
  }
  step.error = follow_section();
  if (step.error != 0) return step;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  ConsumerFlow::View& view = known_;
  bool fresh = !knows(to_ring((bytes + frame_bytes - 1) / frame_bytes));
  if (fresh) {
    step.error = look(now_ns, view);
    if (step.error != 0) return step;
    known_until_ = view.read + std::min(view.frames, flow_.consumer_buffer(limits_));
    known_for_ = port_.buffer_changes();
  } else {
    view.silence = 0;  // there may be sound by now
  }
  const bool no_server =
      !port_.server() && !is_open(port_.peer().open.load(std::memory_order_acquire));
  if (!view.streaming && no_server) {
    step.short_return = flow_.at_end();  // as a file that has ended
    if (step.short_return) return step;
    // Told once to who waited for its sound.
    step.error = flow_.running() ? -ECONNRESET : -ENXIO;
    if (!progressed) flow_.stop(limits_, now_ns);
    return step;
  }
  if (start()) step.error = look(now_ns, view);
  for (std::uint32_t pass = 0; pass < 4 + abi::kMarks && step.error == 0; ++pass) {
    const std::size_t before = step.moved;
    if (view.frames > 0 && !has_pending()) step.error = map_ring();
    if (step.error != 0) {
      flow_.take(view.frames);  // gone for good
      converter_read_ = flow_.read();
      break;
    }
    // The rest of a frame that an earlier read split lies at the end of `partial`.
    std::size_t partial = std::min<std::size_t>(side.partial_bytes.load(kRelaxed), frame_bytes - 1);
    while (step.moved < bytes) {
      const std::size_t left = bytes - step.moved;
      if (partial > 0) {
        const std::size_t take = std::min(partial, left);
        std::memcpy(data + step.moved, side.partial + frame_bytes - partial, take);
        partial -= take;
        step.moved += take;
      } else if (left >= frame_bytes) {
        const std::size_t frames = produce(data + step.moved, left / frame_bytes, view);
        if (frames == 0) break;
        side.frames.store(side.frames.load(kRelaxed) + frames, kRelaxed);
        step.moved += frames * frame_bytes;
      } else {
        if (produce(reinterpret_cast<std::byte*>(side.partial), 1, view) == 0) break;
        side.frames.store(side.frames.load(kRelaxed) + 1, kRelaxed);
        partial = frame_bytes;
      }
    }
    side.partial_bytes.store(static_cast<std::uint32_t>(partial), kRelaxed);
    if (step.moved != before) shm::wake_at(flow_.producer_side(), flow_.read());
    if (step.moved == bytes) return step;
    // Nothing more now. Is it the end, a change of format, or only not yet due?
    const std::uint64_t section = section_.number;
    step.error = look(now_ns, view);
    const bool passed = section_.number != section && view.frames > 0;
    if (has_pending() || passed || !std::exchange(fresh, true)) continue;
    if (!view.end) break;
    const bool told = flow_.eof() == abi::Eof::kReset || flow_.eof() == abi::Eof::kEof;
    if (told && (progressed || step.moved > 0)) {
      step.short_return = true;
      return step;
    }
    acknowledge_end(view, step);
    if (told) return step;
    step.error = look(now_ns, view);
  }
  if (step.error != 0) return step;
  if (!view.streaming) {
    // As a file that has ended: some recorders need to hear it twice.
    step.short_return = flow_.at_end();
    step.block_despite_nonblock = port_.server();
    step.wait = {now_ns + kIdleNs, flow_.read() + 1, flow_.read() + 1};
  } else {
    const std::uint64_t wanted = (bytes - step.moved + frame_bytes - 1) / frame_bytes;
    step.wait =
        flow_.wait_for(to_ring(wanted), to_ring(port_.worth_a_sleep(port_.fragment_frames())), view,
                       limits_, now_ns);
  }
  return step;
}

std::uint64_t Capture::available_frames(std::int64_t now_ns) {
  ConsumerFlow::View view;
  if (look(now_ns, view) != 0) return 0;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  auto pending = [&] { return (pending_.size() - pending_read_) / frame_bytes; };
  if (converter_ == nullptr || !converter_->changes_rate()) {
    return pending() + view.frames + view.silence;
  }
  // Another process may be the one that reads: then nothing is taken out of the
  // ring for the asking, and the answer leaves the filter's delay out.
  if (port_.side().shared.load(std::memory_order_acquire) != 0) {
    const base::Int128 product =
        static_cast<base::Int128>(view.frames + view.silence) * port_.format().rate_hz;
    return pending() + static_cast<std::uint64_t>(product / section_.format.rate_hz);
  }
  std::uint64_t section;
  do {
    section = section_.number;
    if (pump(view) != 0 || look(now_ns, view) != 0) break;
  } while (section != section_.number);
  return pending();
}

bool Capture::streaming(std::int64_t now_ns) {
  ConsumerFlow::View view;
  return look(now_ns, view) == 0 && view.streaming;
}

bool Capture::ready(std::uint64_t frames, std::int64_t now_ns) {
  if (follow_section() != 0) return true;
  if (!port_.server()) {
    const bool open = is_open(port_.peer().open.load(std::memory_order_acquire));
    if (open && port_.peer().access.load(kRelaxed) != 2) return true;
    if (!open && !streaming(now_ns)) return true;
  }
  const std::uint64_t available = available_frames(now_ns);
  if (available >= std::min(frames, port_.buffer_frames())) return true;
  ConsumerFlow::View view;
  if (look(now_ns, view) != 0) return true;
  if (!view.streaming) return flow_.at_end();
  const bool told = flow_.eof() == abi::Eof::kReset || flow_.eof() == abi::Eof::kEof;
  // The last piece, however short; not each frame of it.
  const bool rest_is_due =
      (view.closing || view.section_ends) && view.read + view.frames >= view.written;
  return rest_is_due && (available > 0 || (view.end && told));
}

void Capture::forget_filter() {
  converter_.reset();
  tail_done_ = true;
  pending_.clear();
  pending_read_ = 0;
  flow_.tell_filter(0);
}

void Capture::halt(std::int64_t now_ns) {
  known_ = {};
  forget_filter();
  // What is due is dropped, section by section.
  ConsumerFlow::View view;
  for (std::uint32_t marks = 0; marks < abi::kMarks && flow_.running(); ++marks) {
    if (look(now_ns, view) != 0 || !view.section_ends) break;
    if (view.read + view.frames < view.written) break;
    flow_.take(view.frames);
    converter_read_ = flow_.read();
  }
  flow_.stop(limits_, now_ns);
  converter_read_ = flow_.read();
  port_.side().partial_bytes.store(0, kRelaxed);
  shm::wake(flow_.producer_side());
}

}  // namespace ossloop::device
