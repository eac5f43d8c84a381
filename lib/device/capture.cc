#include "device/capture.h"

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "device/filter_tail.h"
#include "shm/wakeup.h"
#include "stream/format_word.h"

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

int Capture::prepare(std::int64_t now_ns, ConsumerFlow::View& view) {
  const int error = prepare_converter();
  if (error != 0) return error;
  view = look(now_ns);
  converter_read_ = flow_.read();
  return 0;
}

int Capture::prepare_converter() {
  int error = port_.follow_loop();
  if (error != 0) return error;
  if (flow_.read() != converter_read_) forget_filter();
  const std::uint32_t setting = port_.side().setting_serial.load(kRelaxed);
  if (converter_ == nullptr || converter_setting_ != setting || converter_from_ != port_.loop() ||
      converter_to_ != port_.format()) {
    converter_ = port_.make_converter(false, error);
    converter_setting_ = setting;
    converter_from_ = port_.loop();
    converter_to_ = port_.format();
    pending_.clear();
    pending_read_ = 0;
  } else {
    port_.follow_levels(*converter_, false);
  }
  return error;
}

// Are so many frames of the loop there without a look at the producer?
bool Capture::knows(std::uint64_t frames) const {
  return known_.read == flow_.read() && frames <= known_.frames &&
         known_.read + frames <= known_until_ && known_for_ == port_.buffer_changes() &&
         flow_.free_clock() && !has_pending() &&
         port_.side().shared.load(std::memory_order_acquire) == 0;
}

// What a killed player left in its filter comes after its last frame in the ring
// and before its end.
ConsumerFlow::View Capture::look(std::int64_t now_ns) {
  known_until_ = 0;  // by another clock less may count as played than a read once knew
  ConsumerFlow::View view = flow_.look(port_.limits(), now_ns);
  const bool owed =
      view.closing && view.stream != rescued_stream_ && tail_owed(port_, view.stream, view.written);
  if (owed) view.silence = 0;
  if (owed && view.read >= view.written && !has_pending()) rescue(view);
  if (has_pending()) view.end = false;
  return view;
}

void Capture::rescue(const ConsumerFlow::View& view) {
  rescued_stream_ = view.stream;
  const std::vector<std::byte> tail = rescue_tail(port_, view.stream, view.written);
  const std::size_t frames = tail.size() / static_cast<std::size_t>(port_.loop().frame_bytes());
  if (frames == 0 || converter_ == nullptr) return;
  pending_.resize(frames * static_cast<std::size_t>(port_.format().frame_bytes()));
  pending_read_ = 0;
  converter_->process(tail.data(), frames, pending_.data(), frames);
  flow_.insert(frames);
}

std::size_t Capture::convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view) {
  if (converter_->changes_rate()) return convert_rate(out, frames, view);
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  std::size_t made = 0;
  while (made < frames && view.frames > 0) {
    auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(frames - made, view.frames));
    const std::byte* from = port_.ring().piece(view.read, piece);
    std::byte* to = out + made * frame_bytes;
    if (converter_->identity()) {
      std::memcpy(to, from, piece * frame_bytes);
    } else {
      piece = converter_->process(from, piece, to, piece).output_frames;
      if (piece == 0) break;
    }
    if (flow_.lapped(port_.limits())) {
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
    if (view.frames > 0 && flow_.lapped(port_.limits())) view.frames = 0;
    if (view.frames > 0) {
      auto piece = static_cast<std::size_t>(view.frames);
      const std::byte* from = port_.ring().piece(view.read, piece);
      progress = converter_->process(from, piece, to, room);
      tail_done_ = false;
      flow_.take(progress.input_frames);
      view.read += progress.input_frames;
      view.frames -= progress.input_frames;
    } else if (view.silence > 0) {
      std::byte silence[4096];
      const std::size_t fit = sizeof silence / static_cast<std::size_t>(port_.loop().frame_bytes());
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(fit, view.silence));
      audio::fill_silence(port_.loop(), silence, piece);
      progress = converter_->process(silence, piece, to, room);
      flow_.take_silence(progress.input_frames);
      view.silence -= progress.input_frames;
    } else if (view.closing && !tail_done_ && view.read >= view.written) {
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
  const std::size_t made = convert(out + first * frame_bytes, frames - first, view);
  if (!converter_->identity()) port_.count_clipped(*converter_, false);
  return first + made;
}

void Capture::pump(ConsumerFlow::View& view) {
  if (!converter_->changes_rate()) return;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  const std::size_t limit = static_cast<std::size_t>(port_.buffer_frames()) * frame_bytes;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(pending_read_));
  pending_read_ = 0;
  if (pending_.size() >= limit) return;
  const std::size_t used = pending_.size();
  pending_.resize(limit);
  const std::size_t made = convert(pending_.data() + used, (limit - used) / frame_bytes, view);
  pending_.resize(used + made * frame_bytes);
  converter_read_ = flow_.read();
  if (made > 0) shm::wake_at(flow_.producer_side(), flow_.read());
}

void Capture::acknowledge_end(const ConsumerFlow::View& view, TransferResult& step) {
  flow_.acknowledge_end(view);
  if (converter_ != nullptr) converter_->reset();
  tail_done_ = true;
  if (port_.server()) {
    // The loop is free for another format, unless the next player froze it.
    auto& word = port_.contract().loop.word;
    std::uint64_t seen = word.load(std::memory_order_acquire);
    if (frozen_by(seen) == freeze_mark(view.stream)) {
      word.compare_exchange_strong(seen, pack(unpack_format(seen), 0, server_serial(seen)));
    }
  }
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
  step.error = prepare_converter();
  if (step.error != 0) return step;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  struct AtEnd {
    Capture& capture;
    ~AtEnd() { capture.converter_read_ = capture.flow_.read(); }
  } const remember{*this};
  ConsumerFlow::View& view = known_;
  bool fresh = !knows(port_.to_loop_up((bytes + frame_bytes - 1) / frame_bytes));
  if (fresh) {
    view = look(now_ns);
    known_until_ = view.read + std::min(view.frames, flow_.consumer_buffer(port_.limits()));
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
    if (!progressed) flow_.stop(port_.limits(), now_ns);
    return step;
  }
  if (start()) view = look(now_ns);
  for (int pass = 0; pass < 4; ++pass) {
    const std::size_t before = step.moved;
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
    // Nothing more now. Is it the end, or only not yet due?
    view = look(now_ns);
    if (has_pending() || !std::exchange(fresh, true)) continue;
    if (!view.end) break;
    const bool told = flow_.eof() == abi::Eof::kReset || flow_.eof() == abi::Eof::kEof;
    if (told && (progressed || step.moved > 0)) {
      step.short_return = true;
      return step;
    }
    acknowledge_end(view, step);
    if (told) return step;
    view = look(now_ns);
  }
  if (!view.streaming) {
    // As a file that has ended: some recorders need to hear it twice.
    step.short_return = flow_.at_end();
    step.block_despite_nonblock = port_.server();
    step.wait = {now_ns + kIdleNs, flow_.read() + 1, flow_.read() + 1};
  } else {
    const std::uint64_t wanted = (bytes - step.moved + frame_bytes - 1) / frame_bytes;
    step.wait =
        flow_.wait_for(port_.to_loop_up(wanted), port_.worth_a_sleep(port_.fragment_frames()), view,
                       port_.limits(), now_ns);
  }
  return step;
}

std::uint64_t Capture::available_frames(std::int64_t now_ns) {
  ConsumerFlow::View view;
  if (prepare(now_ns, view) != 0) return 0;
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  if (!converter_->changes_rate()) {
    return (pending_.size() - pending_read_) / frame_bytes + view.frames + view.silence;
  }
  // Another process may be the one that reads: then nothing is taken out of the
  // ring for the asking, and the answer leaves the filter's delay out.
  if (port_.side().shared.load(std::memory_order_acquire) != 0) {
    return (pending_.size() - pending_read_) / frame_bytes +
           port_.to_program_down(view.frames + view.silence);
  }
  pump(view);
  return pending_.size() / frame_bytes;
}

bool Capture::streaming(std::int64_t now_ns) {
  ConsumerFlow::View view;
  return prepare(now_ns, view) == 0 && view.streaming;
}

bool Capture::ready(std::uint64_t frames, std::int64_t now_ns) {
  if (prepare_converter() != 0) return true;
  if (!port_.server()) {
    const bool open = is_open(port_.peer().open.load(std::memory_order_acquire));
    if (open && port_.peer().access.load(kRelaxed) != 2) return true;
    if (!open && !streaming(now_ns)) return true;
  }
  const std::uint64_t available = available_frames(now_ns);
  if (available >= std::min(frames, port_.buffer_frames())) return true;
  const ConsumerFlow::View view = look(now_ns);
  converter_read_ = flow_.read();
  if (!view.streaming) return flow_.at_end();
  const bool told = flow_.eof() == abi::Eof::kReset || flow_.eof() == abi::Eof::kEof;
  // The last piece, however short; not each frame of it.
  const bool rest_is_due = view.closing && view.read + view.frames >= view.written;
  return rest_is_due && (available > 0 || (view.end && told));
}

void Capture::forget_filter() {
  converter_.reset();
  tail_done_ = true;
  pending_.clear();
  pending_read_ = 0;
}

void Capture::halt(std::int64_t now_ns) {
  known_ = {};
  if (port_.follow_loop() == 0) flow_.stop(port_.limits(), now_ns);
  forget_filter();
  converter_read_ = flow_.read();
  port_.side().partial_bytes.store(0, kRelaxed);
  shm::wake(flow_.producer_side());
}

}  // namespace ossloop::device
