#include "stream/fragments.h"

#include <algorithm>
#include <bit>

namespace ossloop::device {
namespace {

std::uint64_t bytes_of_ms(const audio::PcmFormat& format, std::uint64_t ms) {
  const std::uint64_t frames = (static_cast<std::uint64_t>(format.rate_hz) * ms + 999) / 1000;
  return std::max<std::uint64_t>(frames, 1) * static_cast<std::uint64_t>(format.frame_bytes());
}

// Frames of 3, 6 or 12 bytes do not divide a power of two.
std::uint64_t whole_frames(std::uint64_t bytes, const audio::PcmFormat& format) {
  const auto frame = static_cast<std::uint64_t>(format.frame_bytes());
  return std::max(bytes / frame * frame, frame);
}

Buffering fit(std::uint64_t fragment_bytes, std::uint64_t fragments, const audio::PcmFormat& format,
              std::uint32_t buffer_ms) {
  // A sixteenth over is allowed: the default is a power of two near the limit.
  const std::uint64_t longest = bytes_of_ms(format, buffer_ms) * 17 / 16;
  const std::uint64_t shortest = std::bit_ceil(bytes_of_ms(format, 1));
  std::uint64_t bytes = std::max(fragment_bytes, std::min(shortest, longest / 2));
  bytes = whole_frames(std::min(bytes, std::max<std::uint64_t>(longest / 2, 1)), format);
  const std::uint64_t most = std::max<std::uint64_t>(longest / bytes, 2);
  return {static_cast<std::uint32_t>(bytes),
          static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fragments, 2, most))};
}

}  // namespace

Buffering default_buffering(const audio::PcmFormat& format, std::uint32_t buffer_ms) {
  const std::uint64_t total = bytes_of_ms(format, buffer_ms);
  const std::uint64_t wanted = std::max<std::uint64_t>(total / 16, 1);
  // The nearer power of two, measured as a ratio.
  std::uint64_t bytes = std::bit_floor(wanted);
  if (wanted * wanted > 2 * bytes * bytes) bytes *= 2;
  return fit(bytes, (total + bytes / 2) / bytes, format, buffer_ms);
}

Buffering requested_buffering(std::uint32_t request, const audio::PcmFormat& format,
                              std::uint32_t buffer_ms) {
  const std::uint32_t shift = std::clamp<std::uint32_t>(request & 0xffff, 4, 24);
  const std::uint32_t count = request >> 16;
  const bool unlimited = count == 0 || count >= 0x7fff;
  return fit(std::uint64_t{1} << shift, unlimited ? 0xffffff : count, format, buffer_ms);
}

Buffering policy_buffering(int policy, const audio::PcmFormat& format, std::uint32_t buffer_ms) {
  struct Row {
    std::uint32_t fragment_ms, fragments;
  };
  // 5 is the default; the man pages of OSS leave the steps to the driver.
  constexpr Row kRows[11] = {{1, 2},   {2, 2},  {3, 3},  {5, 4},  {10, 8}, {0, 0},
                             {21, 16}, {43, 8}, {43, 8}, {85, 4}, {170, 2}};
  const Row row = kRows[std::clamp(policy, 0, 10)];
  if (row.fragments == 0) return default_buffering(format, buffer_ms);
  return fit(std::bit_ceil(bytes_of_ms(format, row.fragment_ms)), row.fragments, format, buffer_ms);
}

Buffering subdivided(const Buffering& buffering, std::uint32_t divisor,
                     const audio::PcmFormat& format) {
  const auto bytes = static_cast<std::uint32_t>(
      whole_frames(std::max(buffering.fragment_bytes / divisor, 16U), format));
  return {bytes, std::max(buffering.fragment_bytes * buffering.fragments / bytes, 2U)};
}

}  // namespace ossloop::device
