#include "device/mapped_buffer.h"

#include <errno.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "config/policy.h"
#include "device/device_thread.h"
#include "stream/clock_speed.h"
#include "stream/position.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kNoPreroll = ~std::uint64_t{0};  // nothing given to the loop yet

std::uint64_t ahead(std::int64_t due, std::uint64_t position) {
  const std::uint64_t distance = static_cast<std::uint64_t>(due) - position;
  return distance >> 63 != 0 ? 0 : distance;
}

}  // namespace

MappedBuffer::MappedBuffer(OpenHalf& half, shm::MapFile file)
    : half_(half),
      file_(std::move(file)),
      recorded_(half.way() == kRead),
      stream_(half.own().mapped) {}

std::uint64_t MappedBuffer::buffer_bytes() const {
  const Buffering parts = half_.buffering();
  return static_cast<std::uint64_t>(parts.fragment_bytes) * parts.fragments;
}

// The length of the buffer's file. A new one is no longer than a buffer may be; one
// that another process of the open has made is what it is, which map() sees.
std::size_t MappedBuffer::file_bytes(bool anew) const {
  if (!anew && memory_.data() != nullptr) return memory_.bytes();
  const audio::PcmFormat format = half_.format();
  const std::uint64_t longest = longest_buffer_frames(format.rate_hz, half_.buffer_ms()) *
                                static_cast<std::uint64_t>(format.frame_bytes());
  const std::uint64_t bytes = anew ? std::min(buffer_bytes(), longest) : buffer_bytes();
  return static_cast<std::size_t>((bytes + kPage - 1) / kPage * kPage);
}

// Whole frames; and never more than we have mapped, whatever the segment says.
std::uint64_t MappedBuffer::buffer_frames() const {
  const auto frame_bytes = static_cast<std::uint64_t>(half_.format().frame_bytes());
  std::uint64_t bytes = buffer_bytes();
  if (memory_.data() != nullptr) bytes = std::min<std::uint64_t>(bytes, memory_.bytes());
  return std::max<std::uint64_t>(bytes / frame_bytes, 1);
}

std::uint64_t MappedBuffer::fragment_frames() const {
  return std::min(half_.fragment_frames(), buffer_frames());
}

// Our own way into the buffer; made if nobody of this open has it mapped. In the
// device thread.
int MappedBuffer::open_file(bool anew, std::size_t bytes) {
  if (!anew && memory_.data() != nullptr) return 0;
  int error = anew ? file_.make(bytes) : 0;
  if (error != 0) return error == -ENOENT || error == -EACCES ? -ENODEV : error;
  memory_ = file_.map(bytes, error);
  if (error == 0 && anew) {
    audio::fill_silence(half_.format(), memory_.data(), static_cast<std::size_t>(buffer_frames()));
  }
  return error;
}

void* MappedBuffer::map(const MapRequest& request, int& error) {
  // Looked at once: who shares the segment may change what it says meanwhile.
  const bool anew = !mapped();
  const std::size_t bytes = file_bytes(anew);
  error = request.bytes > bytes ? -EINVAL : 0;
  if (error != 0) return nullptr;
  // A private map of a sound card's memory is as shared as any: there is one card.
  const int flags = (request.flags & ~MAP_TYPE) | MAP_SHARED;
  void* address = nullptr;
  DeviceThread::instance().run([&] {
    error = open_file(anew, bytes);
    if (error == 0) {
      address = file_.map_as(request.address, request.bytes, request.protection, flags, error);
    }
  });
  if (error != 0 || !anew) return address;
  stream_.running.store(0, kRelaxed);
  stream_.ended.store(0, kRelaxed);
  rewind();
  stream_.mapped.store(1, kRelaxed);
  return address;
}

void MappedBuffer::unmap() {
  stop();
  stream_.mapped.store(0, kRelaxed);
}

void MappedBuffer::rewind() {
  stream_.position.store(0, kRelaxed);
  stream_.seen.store(0, kRelaxed);
}

void MappedBuffer::start(std::int64_t now_ns) {
  if (running()) return;
  rewind();
  stream_.preroll.store(kNoPreroll, kRelaxed);
  stream_.factor_milli.store(1000, kRelaxed);
  stream_.ppm.store(0, kRelaxed);
  set_clock({now_ns, 0});
  stream_.running.store(1, kRelaxed);
}

audio::Clock MappedBuffer::clock() const {
  return {stream_.anchor_ns.load(kRelaxed), stream_.base.load(kRelaxed),
          static_cast<std::uint32_t>(half_.format().rate_hz),
          sane<"clock">(stream_.factor_milli.load(kRelaxed)),
          sane<"ppm">(stream_.ppm.load(kRelaxed))};
}

void MappedBuffer::set_clock(const audio::Clock& clock) {
  stream_.anchor_ns.store(clock.anchor_ns, kRelaxed);
  stream_.base.store(clock.base, kRelaxed);
}

// With clock=free too: only time can tell when the program has filled its buffer.
audio::Clock MappedBuffer::at_present_speed(std::int64_t now_ns) {
  const std::uint32_t factor = config::clock_factor_milli(half_.contract().policy);
  const auto ppm = clock_ppm(half_.contract(), half_.direction());
  audio::Clock present = clock();
  if (present.factor_milli == factor && present.ppm == ppm) return present;
  present = present.with_speed(now_ns, factor, ppm);
  set_clock(present);
  stream_.factor_milli.store(factor, kRelaxed);
  stream_.ppm.store(ppm, kRelaxed);
  return present;
}

// Everything that has passed is moved at once: the program may overwrite it. But the
// loop sees it only when there is so much that a late tick starves nobody.
void MappedBuffer::play(std::int64_t now_ns, std::int64_t tick_ns, const Transfer& write,
                        const std::function<void(bool)>& show) {
  if (!running() || memory_.data() == nullptr) return;
  audio::Clock time = at_present_speed(now_ns);
  const auto frame_bytes = static_cast<std::uint64_t>(half_.format().frame_bytes());
  const std::uint64_t buffer = buffer_frames();
  std::uint64_t at = position();
  std::uint64_t passed = ahead(time.frames_at(now_ns), at);
  if (passed > buffer) {  // what went round while nobody looked is lost
    at += passed - buffer;
    passed = buffer;
  }
  std::uint64_t preroll = stream_.preroll.load(kRelaxed);
  if (preroll == kNoPreroll) {
    const auto two_ticks = static_cast<std::uint64_t>(2 * tick_ns * time.rate_hz / 1'000'000'000);
    preroll = std::min(std::max(fragment_frames(), two_ticks), buffer / 2);
    show(false);
  }
  for (bool progressed = false; passed > 0; progressed = true) {
    const std::uint64_t piece = std::min(passed, buffer - at % buffer);
    const TransferResult step = write(memory_.data() + at % buffer * frame_bytes,
                                      static_cast<std::size_t>(piece * frame_bytes), progressed);
    const std::uint64_t moved = step.moved / frame_bytes;
    at += moved;
    passed -= moved;
    if (preroll > 0 && preroll <= moved) show(true);
    preroll -= std::min(preroll, moved);
    if (moved == piece) continue;
    if (step.error != 0) {
      at += passed;
      preroll = kNoPreroll;
    } else {
      time.base = as_signed(as_position(time.base) - passed);
      set_clock(time);
    }
    break;
  }
  stream_.preroll.store(preroll, kRelaxed);
  stream_.position.store(at, kRelaxed);
}

void MappedBuffer::record(std::int64_t now_ns, bool free_clock, const Transfer& read) {
  if (!running() || memory_.data() == nullptr) return;
  audio::Clock time = at_present_speed(now_ns);
  const auto frame_bytes = static_cast<std::uint64_t>(half_.format().frame_bytes());
  const std::uint64_t buffer = buffer_frames();
  std::uint64_t at = position();
  // The loop's own clock says what is due; where it has none, ours does.
  std::uint64_t due = free_clock ? std::min(ahead(time.frames_at(now_ns), at), buffer) : buffer;
  for (bool progressed = false; due > 0; progressed = true) {
    const std::uint64_t piece = std::min(due, buffer - at % buffer);
    const TransferResult step = read(memory_.data() + at % buffer * frame_bytes,
                                     static_cast<std::size_t>(piece * frame_bytes), progressed);
    const std::uint64_t moved = step.moved / frame_bytes;
    at += moved;
    due -= moved;
    if (step.error == -ECONNRESET) stream_.ended.store(1, kRelaxed);
    if (moved < piece) break;
  }
  if (free_clock && due > 0) {
    time.base = as_signed(as_position(time.base) - due);
    set_clock(time);
  }
  stream_.position.store(at, kRelaxed);
}

std::uint64_t MappedBuffer::reached(std::int64_t now_ns) const {
  if (recorded_ || !running()) return position();
  return position() + std::min(ahead(clock().frames_at(now_ns), position()), buffer_frames());
}

bool MappedBuffer::ready(std::int64_t now_ns) const {
  const std::uint64_t fragment = fragment_frames();
  return reached(now_ns) / fragment != seen() / fragment || stream_.ended.load(kRelaxed) != 0;
}

std::uint64_t MappedBuffer::exchange_seen(std::uint64_t frames) {
  return std::min(stream_.seen.exchange(frames, kRelaxed), frames);
}

bool MappedBuffer::take_end() {
  if (!recorded_ || seen() != position()) return false;
  return stream_.ended.exchange(0, kRelaxed) != 0;
}

}  // namespace ossloop::device
