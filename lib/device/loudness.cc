#include "device/loudness.h"

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

void Loudness::join(const Loudness& other) {
  if (channels.size() < other.channels.size()) channels.resize(other.channels.size());
  for (std::size_t i = 0; i < other.channels.size(); ++i) {
    Channel& channel = channels[i];
    channel.peak = std::max(channel.peak, other.channels[i].peak);
    channel.rms = std::hypot(channel.rms, other.channels[i].rms);
  }
}

Loudness loudness_of(const shm::Segment& segment, abi::DirectionIndex direction, std::uint32_t slot,
                     std::int64_t now_ns) {
  Loudness loudness;
  abi::Segment& contract = segment.contract();
  ProducerFlow flow(contract, direction, slot);
  flow.follow_waited();
  const auto buffer_ms = config::get<"buffer_ms", std::uint32_t>(contract.policy);
  const Section last = flow.section(flow.sections());
  if (last.number == 0) return loudness;
  const std::uint64_t end = flow.played(limits_of(last, buffer_ms), now_ns);
  const Section section = section_before(flow, end);
  const RingLimits limits = limits_of(section, buffer_ms);
  const auto channels = static_cast<std::size_t>(section.format.channels);
  loudness.channels.resize(channels);
  if (limits.capacity_frames == 0) return loudness;
  if (!flow.streaming() && flow.written() == end) return loudness;
  const std::uint64_t base = std::max(section.frame, flow.base());
  const auto window = static_cast<std::uint64_t>(section.format.rate_hz / 10);
  // How far back the ring still holds what was played.
  const std::uint64_t held = flow.written() - end;
  const std::uint64_t kept = limits.capacity_frames - std::min(held, limits.capacity_frames);
  const std::uint64_t begin = end - std::min({window, end - std::min(base, end), kept});

  const audio::Codec& codec = *audio::find_codec(section.format.afmt);
  std::vector<Loudness::Channel> found(channels);  // the squares in place of their root
  std::vector<std::byte> bytes;
  std::vector<double> samples;
  for (std::uint64_t at = begin; at < end;) {
    const auto frames = static_cast<std::size_t>(
        std::min<std::uint64_t>(end - at, kBlockBytes / limits.frame_bytes));
    bytes.resize(frames * limits.frame_bytes);
    samples.resize(frames * channels);
    if (!copy(segment, section, at, bytes)) return loudness;
    codec.decode(bytes.data(), samples.data(), samples.size());
    for (std::size_t c = 0; c < channels; ++c) {
      Loudness::Channel channel = found[c];
      for (std::size_t i = c; i < samples.size(); i += channels) {
        channel.peak = std::max(channel.peak, std::fabs(samples[i]));
        channel.rms += samples[i] * samples[i];
      }
      found[c] = channel;
    }
    if (flow.written() - at > limits.capacity_frames) return loudness;  // overwritten
    at += frames;
  }
  const Factors factors = factors_of(flow.levels().producer);
  for (std::size_t i = 0; i < channels && begin < end; ++i) {
    const double factor = i % 2 == 0 ? factors.left : factors.right;
    loudness.channels[i] = {found[i].peak * factor,
                            std::sqrt(found[i].rms / static_cast<double>(end - begin)) * factor};
  }
  return loudness;
}

Loudness loudness_of(const shm::Segment& segment, abi::DirectionIndex direction,
                     std::int64_t now_ns) {
  if (direction == abi::kServerToClient) return loudness_of(segment, direction, 0, now_ns);
  Loudness all;
  for (std::uint32_t slot = 0; slot < abi::kClients; ++slot)
    all.join(loudness_of(segment, direction, slot, now_ns));
  return all;
}

void tell_peaks(const Loudness& loudness, std::uint16_t (&peaks)[kPeakChannels]) {
  std::fill(std::begin(peaks), std::end(peaks), std::uint16_t{0});
  for (std::size_t i = 0; i < std::min(loudness.channels.size(), kPeakChannels); ++i) {
    const double peak = std::min(loudness.channels[i].peak, 1.0);
    peaks[i] = static_cast<std::uint16_t>(std::lround(peak * kFullPeak));
  }
}

}  // namespace ossloop::device
