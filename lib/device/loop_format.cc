#include "device/loop_format.h"

#include <algorithm>

namespace ossloop::device {

std::uint64_t pack(const audio::PcmFormat& format, std::uint16_t frozen_by_stream,
                   std::uint16_t serial) {
  return static_cast<std::uint64_t>(format.rate_hz) | static_cast<std::uint64_t>(format.channels) << 20 |
         static_cast<std::uint64_t>(audio::format_index(format.afmt)) << 27 |
         static_cast<std::uint64_t>(frozen_by_stream) << 32 | static_cast<std::uint64_t>(serial) << 48;
}

audio::PcmFormat unpack_format(std::uint64_t word) {
  const auto formats = audio::sample_formats();
  const std::size_t index = (word >> 27) & 0x1f;
  audio::PcmFormat format{};
  format.afmt = formats[std::min(index, formats.size() - 1)].afmt;
  format.channels = std::clamp(static_cast<int>((word >> 20) & 0x7f), 1, kMaxChannels);
  format.rate_hz = std::clamp(static_cast<int>(word & 0xfffff), kMinRateHz, kMaxRateHz);
  return format;
}

}  // namespace ossloop::device
