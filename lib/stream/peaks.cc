#include "stream/peaks.h"

#include <algorithm>
#include <cmath>

#include "audio/codec.h"

namespace ossloop::device {
namespace {

constexpr std::size_t kBlockSamples = 4096;

}  // namespace

void find_peaks(abi::Segment& segment, abi::DirectionIndex direction, const RingPiece& piece,
                const audio::PcmFormat& loop, const RingLimits& limits, std::int64_t now_ns,
                std::uint16_t (&peaks)[kPeakChannels]) {
  std::fill(std::begin(peaks), std::end(peaks), std::uint16_t{0});
  const ProducerFlow flow(segment, direction);
  const abi::Producer& producer = segment.direction[direction].producer;
  const std::uint64_t end = flow.played(limits, now_ns);
  const std::uint64_t base = producer.base.load(std::memory_order_relaxed);
  const auto window = static_cast<std::uint64_t>(loop.rate_hz / 10);
  // How far back the ring still holds what was played.
  const std::uint64_t kept =
      limits.capacity_frames - std::min(flow.written() - end, limits.capacity_frames);
  std::uint64_t at = end - std::min({window, end - std::min(base, end), kept});
  if (!flow.streaming() && flow.written() == end) return;

  const audio::Codec& codec = *audio::find_codec(loop.afmt);
  const auto channels = static_cast<std::size_t>(loop.channels);
  double loudest[kPeakChannels] = {};
  double samples[kBlockSamples];
  while (at < end) {
    auto frames =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - at, kBlockSamples / channels));
    const std::byte* const from = piece(at, frames);
    if (from == nullptr) return;
    codec.decode(from, samples, frames * channels);
    for (std::size_t i = 0; i < frames * channels; ++i) {
      double& most = loudest[i % channels];
      most = std::max(most, std::fabs(samples[i]));
    }
    if (flow.written() - at > limits.capacity_frames) return;  // overwritten meanwhile
    at += frames;
  }
  for (std::size_t i = 0; i < channels; ++i) {
    peaks[i] = static_cast<std::uint16_t>(std::lround(std::min(loudest[i], 1.0) * kFullPeak));
  }
}

}  // namespace ossloop::device
