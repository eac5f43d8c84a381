#include "device/peaks.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/codec.h"
#include "config/policy.h"
#include "device/device_thread.h"
#include "device/ring_view.h"
#include "stream/flow.h"
#include "stream/levels.h"
#include "stream/ring_size.h"

namespace ossloop::device {
namespace {

constexpr std::size_t kBlockBytes = 1 << 16;

// The section that `position` is behind the first frame of; else the oldest known.
Section section_before(const Flow& flow, std::uint64_t position) {
  const std::uint64_t last = flow.sections();
  Section section = flow.section(last);
  for (std::uint64_t number = last; number > 1 && last - number < abi::kMarks - 1; --number) {
    if (section.frame < position) break;
    section = flow.section(number - 1);
  }
  return section;
}

// Not mapped: the ring may be given back meanwhile.
bool copy(const shm::Segment& segment, const Section& section, std::uint64_t position,
          std::vector<std::byte>& to) {
  const std::uint64_t at = section.byte_of(position) % section.ring_bytes;
  const auto first =
      static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), section.ring_bytes - at));
  int error = 0;
  DeviceThread::instance().run([&] {
    error = segment.read_ring(section.ring_offset + at, to.data(), first);
    if (error == 0 && first < to.size()) {
      error = segment.read_ring(section.ring_offset, to.data() + first, to.size() - first);
    }
  });
  return error == 0;
}

}  // namespace

int find_peaks(const shm::Segment& segment, abi::DirectionIndex direction, std::int64_t now_ns,
               std::uint16_t (&peaks)[kPeakChannels]) {
  std::fill(std::begin(peaks), std::end(peaks), std::uint16_t{0});
  abi::Segment& contract = segment.contract();
  const ProducerFlow flow(contract, direction);
  const auto buffer_ms = config::get<"buffer_ms", std::uint32_t>(contract.policy);
  const Section last = flow.section(flow.sections());
  if (last.number == 0) return 1;
  const std::uint64_t end = flow.played(limits_of(last, buffer_ms), now_ns);
  const Section section = section_before(flow, end);
  const RingLimits limits = limits_of(section, buffer_ms);
  const auto channels = static_cast<std::size_t>(section.format.channels);
  if (limits.capacity_frames == 0) return section.format.channels;
  if (!flow.streaming() && flow.written() == end) return section.format.channels;
  const std::uint64_t base = std::max(section.frame, flow.base());
  const auto window = static_cast<std::uint64_t>(section.format.rate_hz / 10);
  // How far back the ring still holds what was played.
  const std::uint64_t held = flow.written() - end;
  const std::uint64_t kept = limits.capacity_frames - std::min(held, limits.capacity_frames);
  std::uint64_t at = end - std::min({window, end - std::min(base, end), kept});

  const audio::Codec& codec = *audio::find_codec(section.format.afmt);
  double loudest[kPeakChannels] = {};
  std::vector<std::byte> bytes;
  std::vector<double> samples;
  while (at < end) {
    const auto frames = static_cast<std::size_t>(
        std::min<std::uint64_t>(end - at, kBlockBytes / limits.frame_bytes));
    bytes.resize(frames * limits.frame_bytes);
    samples.resize(frames * channels);
    if (!copy(segment, section, at, bytes)) return section.format.channels;
    codec.decode(bytes.data(), samples.data(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      double& most = loudest[i % channels];
      most = std::max(most, std::fabs(samples[i]));
    }
    if (flow.written() - at > limits.capacity_frames)
      return section.format.channels;  // overwritten
    at += frames;
  }
  const Factors factors = factors_of(flow.levels().producer);
  for (std::size_t i = 0; i < channels; ++i) {
    const double level = loudest[i] * (i % 2 == 0 ? factors.left : factors.right);
    peaks[i] = static_cast<std::uint16_t>(std::lround(std::min(level, 1.0) * kFullPeak));
  }
  return section.format.channels;
}

}  // namespace ossloop::device
