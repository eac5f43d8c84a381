#include "audio/pcm_format.h"

#include <algorithm>
#include <cstring>

namespace ossloop::audio {

int supported_formats_mask() {
  int mask = 0;
  for (const SampleFormat& format : kSampleFormats) mask |= format.afmt;
  return mask;
}

bool valid(const PcmFormat& format) {
  return find_format(format.afmt) != nullptr && format.channels >= 1 &&
         format.channels <= kMaxChannels && format.rate_hz >= kMinRateHz &&
         format.rate_hz <= kMaxRateHz;
}

void fill_silence(const PcmFormat& format, void* out, std::size_t frames) {
  const SampleFormat* row = find_format(format.afmt);
  if (row == nullptr || format.channels <= 0) return;
  const std::size_t samples = frames * static_cast<std::size_t>(format.channels);
  const auto bytes = static_cast<std::size_t>(row->bytes);
  if (std::all_of(row->silence.begin(), row->silence.begin() + row->bytes,
                  [&](std::uint8_t byte) { return byte == row->silence[0]; })) {
    std::memset(out, row->silence[0], samples * bytes);
    return;
  }
  auto* to = static_cast<unsigned char*>(out);
  for (std::size_t i = 0; i < samples; ++i, to += bytes) {
    std::memcpy(to, row->silence.data(), bytes);
  }
}

}  // namespace ossloop::audio
