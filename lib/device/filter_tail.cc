#include "device/filter_tail.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/log.h"
#include "device/device_thread.h"
#include "stream/format_word.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;

std::size_t frame_bytes_of(const audio::PcmFormat& format) {
  return static_cast<std::size_t>(format.frame_bytes());
}

std::size_t file_bytes(const audio::PcmFormat& format) {
  const std::size_t bytes =
      static_cast<std::size_t>(tail_frames(format.rate_hz)) * frame_bytes_of(format);
  return (bytes + 4095) / 4096 * 4096;
}

// What abi::Tail says, checked.
struct Account {
  audio::PcmFormat format;
  std::uint64_t frames;  // taken
  std::uint64_t made;    // of the loop, in the ring
  std::uint64_t owed;    // of the loop, not in the ring
};

std::optional<Account> account(const Port& port, std::uint64_t stream, std::uint64_t end) {
  const abi::Tail& tail = port.contract().tail[stream % 2];
  if (stream == 0 || tail.stream.load(std::memory_order_acquire) != stream) return {};
  Account result{};
  result.format = unpack_format(tail.format.load(kRelaxed));
  result.frames = tail.frames.load(std::memory_order_acquire);
  const std::uint64_t start = tail.start.load(kRelaxed);
  const audio::PcmFormat& loop = port.loop();
  if (start > end || result.frames >> 52 != 0 || result.format.rate_hz == loop.rate_hz) return {};
  result.made = end - start;
  const std::uint64_t due =
      audio::scale_frames_round(result.frames, loop.rate_hz, result.format.rate_hz);
  const std::uint64_t most = audio::scale_frames_round(tail_frames(result.format.rate_hz),
                                                       loop.rate_hz, result.format.rate_hz);
  if (due <= result.made || due - result.made > most) return {};
  result.owed = due - result.made;
  return result;
}

// The kept frames from `first` on, read with the system's help: the file may be
// shorter than it should be.
std::vector<std::byte> kept_frames(const Port& port, std::uint64_t stream,
                                   const audio::PcmFormat& format, std::uint64_t first,
                                   std::uint64_t count) {
  const std::size_t frame_bytes = frame_bytes_of(format);
  const std::uint64_t capacity = tail_frames(format.rate_hz);
  std::vector<std::byte> frames(static_cast<std::size_t>(count) * frame_bytes);
  bool whole = true;
  DeviceThread::instance().run([&] {
    const base::Fd fd = port.segment().open_tail(stream % 2);
    for (std::uint64_t at = 0; fd && whole && at < count;) {
      const std::uint64_t index = (first + at) % capacity;
      const std::uint64_t piece = std::min(count - at, capacity - index);
      const auto bytes = static_cast<std::size_t>(piece) * frame_bytes;
      whole = sys().pread(fd.get(), frames.data() + at * frame_bytes, bytes,
                          static_cast<std::int64_t>(index * frame_bytes)) ==
              static_cast<ssize_t>(bytes);
      at += piece;
    }
    whole = whole && fd;
  });
  if (!whole) frames.clear();
  return frames;
}

}  // namespace

// libsoxr holds up to 0.32 s (768000 to 5000 Hz, very high) or 1900 frames:
// measured over all qualities.
std::uint64_t tail_frames(int rate_hz) {
  return static_cast<std::uint64_t>(rate_hz) * 3 / 4 + 8192;
}

abi::Tail& FilterTail::slot(std::uint64_t stream) const {
  return port_.contract().tail[stream % 2];
}

bool FilterTail::may_begin(std::uint64_t stream) const {
  const std::uint64_t present = slot(stream).stream.load(kRelaxed);
  const auto& consumer = port_.contract().direction[abi::kClientToServer].consumer;
  return present == 0 || present >= stream ||
         present <= consumer.acknowledged_stream.load(std::memory_order_acquire);
}

void FilterTail::begin(std::uint64_t stream, std::uint64_t written) {
  if (port_.server()) return;
  const audio::PcmFormat format = port_.format();
  const std::size_t bytes = file_bytes(format);
  const std::size_t number = stream % 2;
  if (mapping_.bytes() != bytes || mapped_slot_ != number) {
    int error = 0;
    DeviceThread::instance().run(
        [&] { mapping_ = port_.segment().map_tail(number, bytes, error); });
    mapped_slot_ = number;
    if (mapping_.data() == nullptr) {
      base::log(base::LogLevel::kWarning, "%s: %s; a killed player will lose its filter's content",
                port_.segment().tail_path(number).c_str(), base::error_text(-error));
      return;
    }
  }
  format_ = format;
  stream_ = stream;
  abi::Tail& tail = slot(stream);
  tail.stream.store(0, std::memory_order_release);
  tail.start.store(written, kRelaxed);
  tail.frames.store(0, kRelaxed);
  tail.format.store(pack(format, 0, 0), kRelaxed);
  tail.levels.store(port_.levels(true), kRelaxed);
  tail.stream.store(stream, std::memory_order_release);
}

std::size_t FilterTail::piece_frames() const {
  return stream_ == 0 ? SIZE_MAX : static_cast<std::size_t>(tail_frames(format_.rate_hz) / 4);
}

void FilterTail::keep(const std::byte* frames, std::size_t count) {
  if (stream_ == 0 || count == 0 || format_ != port_.format()) return;
  abi::Tail& tail = slot(stream_);
  const std::uint64_t at = tail.frames.load(kRelaxed);
  shm::Ring(mapping_.data(), tail_frames(format_.rate_hz), frame_bytes_of(format_))
      .copy_in(at, frames, count);
  tail.frames.store(at + count, std::memory_order_release);
}

void FilterTail::set_levels(std::uint64_t levels) {
  if (stream_ != 0) slot(stream_).levels.store(levels, kRelaxed);
}

void FilterTail::settle() {
  if (stream_ == 0) return;
  slot(stream_).stream.store(0, std::memory_order_release);
  stream_ = 0;
}

bool tail_owed(const Port& port, std::uint64_t stream, std::uint64_t end) {
  return port.server() && account(port, stream, end).has_value();
}

std::vector<std::byte> rescue_tail(Port& port, std::uint64_t stream, std::uint64_t end) {
  const auto known = account(port, stream, end);
  if (!known) return {};
  const auto& [format, frames, made, owed] = *known;
  const audio::PcmFormat loop = port.loop();
  // A filter that begins with the oldest frame whose place is a whole frame of the
  // loop too: then its frames lie where the lost one's would.
  const std::uint64_t kept = std::min(frames, tail_frames(format.rate_hz) * 3 / 4);
  const auto common = static_cast<std::uint64_t>(std::gcd(format.rate_hz, loop.rate_hz));
  const std::uint64_t unit = static_cast<std::uint64_t>(format.rate_hz) / common;
  const std::uint64_t oldest = frames - kept;
  std::uint64_t first = (oldest + unit - 1) / unit * unit;
  const std::uint64_t heard = audio::scale_frames_round(made, format.rate_hz, loop.rate_hz);
  // Rates with no common place that near: half a frame beside is nothing.
  if (first > heard) first = oldest;
  const std::uint64_t before = audio::scale_frames_round(first, loop.rate_hz, format.rate_hz);
  if (before > made) return {};

  const std::vector<std::byte> history = kept_frames(port, stream, format, first, frames - first);
  int error = 0;
  const auto converter = port.make_tail_converter(
      format, port.contract().tail[stream % 2].levels.load(kRelaxed), error);
  if (history.empty() || converter == nullptr) return {};

  const std::size_t in_bytes = frame_bytes_of(format), out_bytes = frame_bytes_of(loop);
  std::vector<std::byte> out(static_cast<std::size_t>(made - before + owed) * out_bytes);
  std::size_t taken = 0, given = 0;
  auto room = [&] { return out.size() / out_bytes - given; };
  while (taken < frames - first && room() > 0) {
    const auto step = converter->process(history.data() + taken * in_bytes, frames - first - taken,
                                         out.data() + given * out_bytes, room());
    if (step.input_frames == 0 && step.output_frames == 0) break;
    taken += step.input_frames;
    given += step.output_frames;
  }
  while (room() > 0) {
    const std::size_t more = converter->finish(out.data() + given * out_bytes, room());
    if (more == 0) break;
    given += more;
  }
  out.resize(given * out_bytes);
  const std::size_t known_bytes =
      std::min(out.size(), static_cast<std::size_t>(made - before) * out_bytes);
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(known_bytes));
  return out;
}

}  // namespace ossloop::device
