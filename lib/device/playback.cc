#include "device/playback.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "shm/wakeup.h"
#include "stream/format_word.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// A server sets its format between its open and its first read. A player that
// comes in that moment waits this long for it, rather than freeze the defaults, and
// longer before the server has asked for anything: on a busy machine it may not have
// got that far.
constexpr std::int64_t kSettleNs = 200'000'000;
constexpr std::int64_t kFirstRequestNs = 500'000'000;
constexpr std::int64_t kIdleNs = 1'000'000'000;
constexpr std::int64_t kLookAgainNs = 100'000'000;

ProducerFlow::Wait wait_until(std::int64_t deadline_ns) {
  return {deadline_ns, shm::Sleeper::kNever, shm::Sleeper::kNever};
}

}  // namespace

Playback::Playback(Port& port)
    : port_(port),
      flow_(port.contract(), port.server() ? abi::kServerToClient : abi::kClientToServer),
      tail_(port) {}

// True when the stream can take sound; else `step` says why not.
bool Playback::gate(bool progressed, std::int64_t now_ns, TransferResult& step) {
  if (flow_.streaming() && !flow_.consumer_kept()) {
    const bool silently =
        port_.server() && (flow_.eof() == abi::Eof::kWait || flow_.eof() == abi::Eof::kSilence);
    if (!silently || progressed) step.error = -ECONNRESET;
    if (progressed) return false;
    abandon();
    if (!silently) return false;
  }
  const bool open = flow_.consumer_open();
  if (!port_.server()) {
    if (!open) {
      step.error = -ENXIO;
      return false;
    }
    if (port_.peer().access.load(kRelaxed) != 1) {
      step.error = -EACCES;
      return false;
    }
  }
  if (flow_.streaming()) {
    step.error = prepare_converter(now_ns);
    return step.error == 0;
  }
  const bool running = flow_.consumer_running();
  if (port_.server() && !running) {
    step.block_despite_nonblock = true;
    step.wait = wait_until(now_ns + kIdleNs);  // a start wakes everybody
    return false;
  }
  if (const std::int64_t settled_ns = settles_at(now_ns); !running && now_ns < settled_ns) {
    step.block_despite_nonblock = true;  // a moment only, and what is written then is taken
    step.wait = wait_until(settled_ns);
    return false;
  }
  if (!flow_.may_begin() || !tail_.may_begin(flow_.stream() + 1)) {
    step.wait = {now_ns + kLookAgainNs, 0, 0};
    return false;
  }
  step.error = begin(now_ns);
  if (step.error == 0) step.error = prepare_converter(now_ns);
  return step.error == 0;
}

int Playback::begin(std::int64_t now_ns) {
  auto& word = port_.contract().loop.word;
  const std::uint16_t mark = freeze_mark(flow_.stream() + 1);
  std::uint64_t seen = word.load(std::memory_order_acquire);
  std::uint64_t frozen;
  do {
    frozen = pack(unpack_format(seen), mark, server_serial(seen));
  } while (!word.compare_exchange_weak(seen, frozen, std::memory_order_acq_rel));
  port_.take_loop(frozen);
  const int error = port_.follow_loop();
  if (error != 0) {
    word.compare_exchange_strong(frozen, pack(unpack_format(frozen), 0, server_serial(frozen)));
    return error;
  }
  port_.set_buffering(port_.buffering());
  flow_.begin(now_ns);
  port_.side().stream_frames.store(port_.side().frames.load(kRelaxed), kRelaxed);
  return 0;
}

int Playback::prepare_converter(std::int64_t now_ns) {
  const std::uint32_t setting = port_.side().setting_serial.load(kRelaxed);
  if (converter_ != nullptr && flow_.written() != converter_written_) {
    converter_.reset();
    tail_.forget();
  }
  int error = port_.follow_loop();
  if (error != 0) return error;
  // By the formats themselves too: the ring and the program's buffer are measured
  // with them.
  const bool fits = converter_from_ == port_.format() && converter_to_ == port_.loop();
  if (converter_ != nullptr && !fits && converter_to_ != port_.loop()) converter_.reset();
  if (converter_ != nullptr && converter_stream_ == flow_.stream() &&
      converter_setting_ == setting && fits) {
    if (port_.follow_levels(*converter_, true)) tail_.set_levels(port_.levels(true));
    return 0;
  }
  if (converter_ != nullptr && converter_stream_ == flow_.stream()) finish(now_ns);
  converter_ = port_.make_converter(true, error);
  converter_stream_ = flow_.stream();
  converter_setting_ = setting;
  converter_from_ = port_.format();
  converter_to_ = port_.loop();
  converter_written_ = flow_.written();
  tail_.settle();
  if (converter_ != nullptr && converter_->changes_rate()) {
    tail_.begin(flow_.stream(), flow_.written());
  }
  return error;
}

void Playback::abandon() {
  flow_.end();
  converter_.reset();
  tail_.settle();
  port_.side().partial_bytes.store(0, kRelaxed);
  // A server is free to choose anew; a client's mark is lifted by the server.
  if (!port_.server()) return;
  auto& word = port_.contract().loop.word;
  std::uint64_t seen = word.load(std::memory_order_acquire);
  word.compare_exchange_strong(seen, pack(unpack_format(seen), 0, server_serial(seen)));
}

// Looks how far the consumer is, unless there is room for `frames` anyway.
void Playback::look_for_room(std::uint64_t frames, std::int64_t now_ns) {
  const bool known = room_.stream == flow_.stream() &&
                     room_.buffer_changes == port_.buffer_changes() &&
                     port_.side().shared.load(std::memory_order_acquire) == 0;
  if (known && frames <= room_.space && port_.to_loop_up(frames) <= room_.ring) return;
  room_ = {space_frames(now_ns), flow_.room(port_.limits(), now_ns), flow_.stream(),
           port_.buffer_changes()};
}

// Converts whole frames into the ring; the count comes back short only if the
// ring itself is full.
std::size_t Playback::feed(const std::byte* data, std::size_t frames) {
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  const std::uint64_t before = flow_.written();
  std::size_t taken = 0;
  if (converter_->identity()) {
    taken = static_cast<std::size_t>(std::min<std::uint64_t>(frames, room_.ring));
    port_.ring().copy_in(before, data, taken);
    flow_.publish(taken);
  } else {
    std::uint64_t room = room_.ring;
    while (taken < frames && room > 0) {
      const std::uint64_t at = flow_.written();
      auto piece = static_cast<std::size_t>(room);
      std::byte* to = port_.ring().piece(at, piece);
      const std::byte* from = data + taken * frame_bytes;
      const auto progress =
          converter_->process(from, std::min(frames - taken, tail_.piece_frames()), to, piece);
      if (progress.input_frames == 0 && progress.output_frames == 0) break;
      flow_.publish(progress.output_frames);
      tail_.keep(from, progress.input_frames);
      taken += progress.input_frames;
      room -= progress.output_frames;
    }
  }
  if (!converter_->identity()) port_.count_clipped(*converter_, true);
  auto& count = port_.side().frames;
  count.store(count.load(kRelaxed) + taken, kRelaxed);
  converter_written_ = flow_.written();
  room_.space -= taken;
  room_.ring -= converter_written_ - before;
  wrote_ = true;
  return taken;
}

TransferResult Playback::write(const std::byte* data, std::size_t bytes, bool progressed,
                               std::int64_t now_ns) {
  TransferResult step;
  if (!gate(progressed, now_ns, step)) return step;
  abi::Side& side = port_.side();
  const auto frame_bytes = static_cast<std::size_t>(port_.format().frame_bytes());
  look_for_room((bytes + frame_bytes - 1) / frame_bytes, now_ns);
  const std::uint64_t before = flow_.written();
  std::size_t partial = std::min<std::size_t>(side.partial_bytes.load(kRelaxed), frame_bytes - 1);

  while (step.moved < bytes) {
    const std::size_t left = bytes - step.moved;
    if (partial == 0 && left >= frame_bytes) {
      const auto frames =
          static_cast<std::size_t>(std::min<std::uint64_t>(left / frame_bytes, room_.space));
      const std::size_t taken = frames == 0 ? 0 : feed(data + step.moved, frames);
      step.moved += taken * frame_bytes;
      if (taken == 0 || taken < frames) break;
      continue;
    }
    // Bytes of a frame that comes in more than one write.
    const std::size_t take = std::min(frame_bytes - partial, left);
    if (partial + take == frame_bytes && room_.space == 0) break;
    std::memcpy(side.partial + partial, data + step.moved, take);
    partial += take;
    if (partial == frame_bytes) {
      if (feed(reinterpret_cast<const std::byte*>(side.partial), 1) == 0) {
        partial -= take;
        break;
      }
      partial = 0;
    }
    step.moved += take;
  }
  side.partial_bytes.store(static_cast<std::uint32_t>(partial), kRelaxed);
  if (flow_.written() != before) shm::wake_at(flow_.consumer_side(), flow_.written());
  if (step.moved < bytes) {
    const std::uint64_t buffer = port_.buffer_frames();
    // As a driver does, that wakes a writer once a fragment: one that writes small
    // blocks does not wake for each of them. Of many fragments, an eighth at once.
    const std::uint64_t half = std::max<std::uint64_t>(buffer / 2, 1);
    const std::uint64_t wanted = std::clamp<std::uint64_t>(
        (bytes - step.moved) / frame_bytes,
        std::min(std::max(port_.fragment_frames(), buffer / 8), half), half);
    const std::uint64_t may_stay = port_.to_loop_down(buffer - std::min(wanted, buffer));
    step.wait = flow_.wait_for(flow_.written() - std::min(may_stay, flow_.written()),
                               port_.limits(), now_ns, port_.to_loop_down(buffer - wanted),
                               port_.worth_a_sleep(buffer / 8));
  }
  return step;
}

bool Playback::ready(std::uint64_t frames, std::int64_t now_ns) {
  if (flow_.streaming()) {
    if (!flow_.consumer_kept()) return true;
    if (port_.follow_loop() != 0) return true;
    return space_frames(now_ns) >= std::min(frames, port_.buffer_frames());
  }
  if (port_.server()) return flow_.consumer_running();
  if (!flow_.consumer_open() || port_.peer().access.load(kRelaxed) != 1) return true;
  return flow_.consumer_running() || now_ns >= settles_at(now_ns);
}

// When a server that does not read yet is taken to have the format it wants.
std::int64_t Playback::settles_at(std::int64_t now_ns) const {
  const auto& loop = port_.contract().loop;
  const std::int64_t changed_ns = loop.changed_ns.load(kRelaxed);
  // It may have asked since we took the time; what lies further ahead is garbage.
  if (changed_ns > now_ns + kFirstRequestNs) return 0;
  return changed_ns + (changed_ns == loop.opened_ns.load(kRelaxed) ? kFirstRequestNs : kSettleNs);
}

std::uint64_t Playback::space_frames(std::int64_t now_ns) {
  const std::uint64_t buffer = port_.buffer_frames();
  const std::uint64_t queued = queued_frames(now_ns);
  return buffer > queued ? buffer - queued : 0;
}

std::uint64_t Playback::queued_frames(std::int64_t now_ns) {
  if (!flow_.streaming() || port_.follow_loop() != 0) return 0;
  return port_.to_program_up(flow_.written() - flow_.played(port_.limits(), now_ns));
}

std::uint64_t Playback::delay_frames(std::int64_t now_ns) {
  if (converter_ == nullptr) return queued_frames(now_ns);
  if (!flow_.streaming() || port_.follow_loop() != 0) return 0;
  return converter_->held_input_frames(flow_.written() - flow_.played(port_.limits(), now_ns));
}

bool Playback::drained(std::int64_t now_ns, TransferResult& step, std::uint64_t& progress) {
  if (!flow_.streaming() && !ending_) return true;
  if (!flow_.consumer_kept() || port_.follow_loop() != 0) return true;
  const std::uint64_t played = flow_.played(port_.limits(), now_ns);
  progress = played;
  if (played >= flow_.written()) return true;
  step.wait = flow_.wait_for(flow_.written(), port_.limits(), now_ns);
  return false;
}

void Playback::finish(std::int64_t now_ns) {
  if (converter_ == nullptr || !converter_->changes_rate() || converter_stream_ != flow_.stream() ||
      !flow_.streaming() || !wrote_ || converter_written_ != flow_.written() ||
      port_.follow_loop() != 0 || converter_to_ != port_.loop()) {
    return;
  }
  // Not more than fits in the ring: it keeps room for the longest tail.
  for (;;) {
    auto piece = static_cast<std::size_t>(flow_.room(port_.limits(), now_ns));
    if (piece == 0) break;
    std::byte* to = port_.ring().piece(flow_.written(), piece);
    const std::size_t frames = converter_->finish(to, piece);
    if (frames == 0) {
      tail_.settle();
      break;
    }
    flow_.publish(frames);
  }
  converter_written_ = flow_.written();
  converter_.reset();
  shm::wake_at(flow_.consumer_side(), flow_.written());
}

void Playback::halt(std::int64_t now_ns) {
  port_.side().partial_bytes.store(0, kRelaxed);
  if (converter_ != nullptr) converter_->reset();
  if (converter_ != nullptr && converter_->changes_rate()) {
    tail_.begin(converter_stream_, flow_.written());
  }
  if (flow_.streaming() && port_.follow_loop() == 0) flow_.drop(port_.limits(), now_ns);
  shm::wake(flow_.consumer_side());
}

void Playback::silence(std::int64_t now_ns) {
  if (!flow_.streaming() || port_.follow_loop() != 0) return;
  std::uint64_t at = flow_.played(port_.limits(), now_ns);
  while (at < flow_.written()) {
    auto frames = static_cast<std::size_t>(flow_.written() - at);
    std::byte* to = port_.ring().piece(at, frames);
    audio::fill_silence(port_.loop(), to, frames);
    at += frames;
  }
}

}  // namespace ossloop::device
