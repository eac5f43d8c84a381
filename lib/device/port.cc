#include "device/port.h"

#include <algorithm>
#include <utility>

#include "base/wide.h"
#include "config/policy.h"
#include "device/device_thread.h"
#include "stream/format_word.h"
#include "stream/levels.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

std::uint64_t scale(std::uint64_t frames, int to, int from, bool up) {
  if (to == from) return frames;
  const base::Int128 product = static_cast<base::Int128>(frames) * to;
  return static_cast<std::uint64_t>((product + (up ? from - 1 : 0)) / from);
}

}  // namespace

Port::Port(std::shared_ptr<shm::Segment> segment, abi::SideIndex index)
    : segment_(std::move(segment)),
      index_(index),
      buffer_ms_(config::get<"buffer_ms", std::uint32_t>(contract().policy)) {
  refresh();
}

audio::PcmFormat Port::shared_format() const {
  return unpack_format(server() ? contract().loop.word.load(std::memory_order_acquire)
                                : side().format.load(kRelaxed));
}

void Port::refresh() {
  take_loop(contract().loop.word.load(std::memory_order_acquire));
  if (!server()) format_word_.store(side().format.load(kRelaxed), kRelaxed);
}

void Port::take_loop(std::uint64_t word) {
  loop_word_.store(word, kRelaxed);
  if (server()) format_word_.store(word, kRelaxed);
}

void Port::set_format(const audio::PcmFormat& format) {
  side().format.store(pack(format, 0, 0), kRelaxed);
  side().setting_serial.fetch_add(1, kRelaxed);
  refresh();
}

Buffering Port::buffering() const {
  const auto frame = static_cast<std::uint32_t>(format().frame_bytes());
  return {std::clamp<std::uint32_t>(side().fragment_bytes.load(kRelaxed), frame, 1U << 28),
          std::clamp<std::uint32_t>(side().fragments.load(kRelaxed), 2, 1U << 20)};
}

void Port::set_buffering(const Buffering& buffering) {
  side().fragment_bytes.store(buffering.fragment_bytes, kRelaxed);
  side().fragments.store(buffering.fragments, kRelaxed);
  publish_buffer();
}

void Port::publish_buffer() {
  ++buffer_changes_;
  const audio::PcmFormat loop = unpack_format(loop_word_.load(kRelaxed));
  const std::uint64_t frames = scale(buffer_frames(), loop.rate_hz, format().rate_hz, true);
  const std::uint64_t longest = longest_buffer_frames(loop.rate_hz, buffer_ms_);
  side().buffer_frames.store(
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(frames, 1, longest)), kRelaxed);
}

std::uint64_t Port::buffer_frames() const {
  const Buffering parts = buffering();
  const audio::PcmFormat present = format();
  return std::min(static_cast<std::uint64_t>(parts.fragment_bytes) * parts.fragments /
                      static_cast<std::uint64_t>(present.frame_bytes()),
                  longest_buffer_frames(present.rate_hz, buffer_ms_));
}

std::uint64_t Port::fragment_frames() const {
  return std::max<std::uint64_t>(
      buffering().fragment_bytes / static_cast<std::uint64_t>(format().frame_bytes()), 1);
}

std::uint64_t Port::worth_a_sleep(std::uint64_t frames) const {
  constexpr std::uint64_t kShortestMs = 10;
  const auto rate_hz = static_cast<std::uint64_t>(format().rate_hz);
  return frames * 1000 < kShortestMs * rate_hz ? 0 : to_loop_down(frames);
}

int Port::follow_loop() {
  const audio::PcmFormat loop = unpack_format(loop_word_.load(kRelaxed));
  if (loop == loop_ && ring_) return 0;
  const std::size_t bytes = ring_bytes(loop, buffer_ms_);
  int error = 0;
  shm::Mapping mapping;
  DeviceThread::instance().run([&] { mapping = segment_->map_ring(bytes, error); });
  if (mapping.data() == nullptr) return error;
  loop_ = loop;
  mapping_ = std::move(mapping);
  limits_ = {ring_frames(loop.rate_hz, buffer_ms_), longest_buffer_frames(loop.rate_hz, buffer_ms_),
             loop.rate_hz};
  ring_ = shm::Ring(mapping_.data(), limits_.capacity_frames,
                    static_cast<std::size_t>(loop.frame_bytes()));
  publish_buffer();
  return 0;
}

void Port::give_back_memory() const { segment_->give_back(ring_bytes(kServerDefault, buffer_ms_)); }

std::uint64_t Port::to_loop_up(std::uint64_t frames) const {
  return scale(frames, loop_.rate_hz, format().rate_hz, true);
}
std::uint64_t Port::to_loop_down(std::uint64_t frames) const {
  return scale(frames, loop_.rate_hz, format().rate_hz, false);
}
std::uint64_t Port::to_program_up(std::uint64_t frames) const {
  return scale(frames, format().rate_hz, loop_.rate_hz, true);
}
std::uint64_t Port::to_program_down(std::uint64_t frames) const {
  return scale(frames, format().rate_hz, loop_.rate_hz, false);
}

audio::Converter::Options Port::converter_options() const {
  audio::Converter::Options options;
  const abi::Policy& policy = contract().policy;
  static_assert(config::kRow<"quality">.maximum ==
                static_cast<std::int64_t>(audio::Quality::kVeryHigh));
  options.quality = config::get<"quality", audio::Quality>(policy);
  options.dither = config::get<"dither", bool>(policy);
  const bool paced = config::get<"clock">(policy) != config::kFreeClock;
  options.blocks = paced ? audio::Blocks::kShort : audio::Blocks::kLong;
  return options;
}

std::unique_ptr<audio::Converter> Port::make_converter(bool to_ring, int& error) const {
  auto converter = to_ring ? audio::Converter::create(format(), loop_, converter_options(), error)
                           : audio::Converter::create(loop_, format(), converter_options(), error);
  if (converter == nullptr) return converter;
  applied_levels_[to_ring] = levels(to_ring);
  const Factors factors = factors_of(applied_levels_[to_ring]);
  converter->set_gain(factors.left, factors.right);
  return converter;
}

void Port::count_clipped(audio::Converter& converter, bool to_ring) const {
  const std::uint64_t clipped = converter.take_clipped();
  if (clipped == 0) return;
  const bool from_client = to_ring != server();
  contract().clips.samples[from_client ? abi::kClientToServer : abi::kServerToClient].fetch_add(
      clipped, kRelaxed);
}

std::unique_ptr<audio::Converter> Port::make_tail_converter(const audio::PcmFormat& from,
                                                            std::uint64_t levels_then,
                                                            int& error) const {
  auto converter = audio::Converter::create(from, loop_, converter_options(), error);
  if (converter == nullptr) return converter;
  const Factors factors = factors_of(levels_then);
  converter->set_gain(factors.left, factors.right);
  return converter;
}

std::uint64_t Port::levels(bool to_ring) const {
  const std::uint32_t own = (to_ring ? side().play_volume : side().record_volume).load(kRelaxed);
  return server() ? own_levels(own) : mixed_levels(own, contract().mixer, to_ring);
}

bool Port::follow_levels(audio::Converter& converter, bool to_ring) const {
  const std::uint64_t now = levels(to_ring);
  if (now == applied_levels_[to_ring]) return false;
  applied_levels_[to_ring] = now;
  const Factors factors = factors_of(now);
  converter.glide_gain(factors.left, factors.right);
  return true;
}

}  // namespace ossloop::device
