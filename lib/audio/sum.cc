#include "audio/sum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "audio/kernel.h"

namespace ossloop::audio {
namespace {

// All buffers of a block fit in a second-level cache even with 64 channels.
std::size_t block_of(int channels) {
  return std::clamp<std::size_t>(4096 / static_cast<std::size_t>(channels), 64, 1024);
}

void add_samples(const double* samples, double* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {  // vectorized: 1
    sum[i] += samples[i];
  }
}

std::int16_t sample_at(const std::byte* from, std::size_t i) {
  std::int16_t sample;
  std::memcpy(&sample, from + i * sizeof sample, sizeof sample);
  return sample;
}

OSSLOOP_WIDE void set_whole(const std::byte* from, std::int32_t* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {  // vectorized: 2
    sum[i] = sample_at(from, i);
  }
}

OSSLOOP_WIDE void add_whole(const std::byte* from, std::int32_t* sum, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {  // vectorized: 2
    sum[i] += sample_at(from, i);
  }
}

OSSLOOP_WIDE std::uint64_t saturate(const std::int32_t* sum, std::byte* out, std::size_t count) {
  std::uint32_t clipped = 0;
  for (std::size_t i = 0; i < count; ++i) {  // vectorized: 2
    const std::int32_t sample = std::clamp(sum[i], -32768, 32767);
    clipped += sample != sum[i] ? 1 : 0;
    const auto narrow = static_cast<std::int16_t>(sample);
    std::memcpy(out + i * sizeof narrow, &narrow, sizeof narrow);
  }
  return clipped;
}

}  // namespace

Sum::Sum(const PcmFormat& format)
    : format_(format),
      codec_(*find_codec(format.afmt)),
      block_frames_(block_of(format.channels)),
      whole_(format.afmt ==
             (std::endian::native == std::endian::little ? afmt::kS16Le : afmt::kS16Be)) {
  bytes_.resize(block_frames_ * static_cast<std::size_t>(format.frame_bytes()));
  if (whole_) {
    whole_sum_.resize(samples_of(block_frames_));
    return;
  }
  decoded_.resize(samples_of(block_frames_));
  sum_.resize(samples_of(block_frames_));
}

void Sum::add(std::size_t frames) {
  const std::size_t count = samples_of(frames);
  if (whole_) {
    if (std::exchange(empty_, false)) return set_whole(bytes_.data(), whole_sum_.data(), count);
    return add_whole(bytes_.data(), whole_sum_.data(), count);
  }
  if (std::exchange(empty_, false)) {
    codec_.decode(bytes_.data(), sum_.data(), count);
    return;
  }
  codec_.decode(bytes_.data(), decoded_.data(), count);
  add_samples(decoded_.data(), sum_.data(), count);
}

std::uint64_t Sum::take(void* out, std::size_t frames) {
  if (std::exchange(empty_, true)) {
    fill_silence(format_, out, frames);
    return 0;
  }
  if (whole_) return saturate(whole_sum_.data(), static_cast<std::byte*>(out), samples_of(frames));
  return codec_.encode(sum_.data(), out, samples_of(frames));
}

}  // namespace ossloop::audio
