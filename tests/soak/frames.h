// What one side writes and the other expects: every frame carries the number of its
// stream and its own, from 1 on, in the top 16 bits of each sample. Where rates are
// converted (--ramp) its place is told by a level: one channel rises and falls eight
// times a second, the other stands at the number of the stream.
#pragma once

#include <cmath>

#include "../bench/stream.h"

namespace soak {

using namespace ossloop::oss;

class Frames {
 public:
  Frames(const bench::Stream& stream, bool ramp) : stream_(stream), ramp_(ramp) {}

  std::size_t frame_bytes() const { return stream_.frame_bytes; }

  void put(std::byte* at, std::int64_t number, int id) const {
    if (ramp_) {
      put_sample(at, 0, std::llround(triangle(number - 1) * 0x1p31));
      put_sample(at, 1, static_cast<std::int64_t>(id) << 24);
      return;
    }
    put_sample(at, 0, static_cast<std::int64_t>(static_cast<std::int16_t>(number & 0xffff)) << 16);
    put_sample(at, 1, static_cast<std::int64_t>(id << 8 | (number >> 16 & 0xff)) << 16);
  }

  // What such a frame tells; no sender has the number 0: silence does.
  struct Place {
    int id;
    std::int64_t number;
  };
  Place place(const std::byte* at) const {
    const std::int64_t left = sample(at, 0), right = sample(at, 1);
    return {static_cast<int>(right >> 24),
            static_cast<std::uint16_t>(left >> 16) | (right >> 16 & 0xff) << 16};
  }

  // Full scale is 2^31.
  std::int64_t sample(const std::byte* at, int channel) const {
    switch (stream_.format) {
      case AFMT_S16_LE:
        return static_cast<std::int64_t>(load<std::int16_t>(at, channel)) << 16;
      case AFMT_S24_LE:
        return static_cast<std::int64_t>(load<std::int32_t>(at, channel)) << 8;
      case AFMT_FLOAT:
        return std::llround(static_cast<double>(load<float>(at, channel)) * 0x1p31);
      default:
        return load<std::int32_t>(at, channel);
    }
  }

  // In shares of full scale; a frame too many or too few changes it by kSlope / rate.
  static constexpr double kSlope = 16;
  double triangle(std::int64_t frame) const {
    const double turns =
        std::fmod(kTurnsHz * static_cast<double>(frame) / stream_.rate_hz + 0.25, 1.0);
    return kAmplitude * (4 * std::abs(turns - 0.5) - 1);
  }
  // Far enough from where a filter rounds the corners.
  bool straight(std::int64_t frame) const {
    const double milliseconds =
        std::fmod(1000.0 * static_cast<double>(frame) / stream_.rate_hz, 62.5);
    return frame > stream_.rate_hz / 16 && std::abs(milliseconds - 31.25) > 15;
  }

 private:
  static constexpr double kAmplitude = 0.5;
  static constexpr double kTurnsHz = 8;
  static_assert(kSlope == 4 * kAmplitude * kTurnsHz);

  template <typename Sample>
  static Sample load(const std::byte* at, int channel) {
    Sample value;
    std::memcpy(&value, at + static_cast<std::size_t>(channel) * sizeof value, sizeof value);
    return value;
  }
  template <typename Sample>
  static void store(std::byte* at, int channel, Sample value) {
    std::memcpy(at + static_cast<std::size_t>(channel) * sizeof value, &value, sizeof value);
  }
  void put_sample(std::byte* at, int channel, std::int64_t value) const {
    switch (stream_.format) {
      case AFMT_S16_LE:
        store(at, channel, static_cast<std::int16_t>(value >> 16));
        break;
      case AFMT_S24_LE:
        store(at, channel, static_cast<std::int32_t>(value >> 8));
        break;
      case AFMT_FLOAT:
        store(at, channel, static_cast<float>(static_cast<double>(value) * 0x1p-31));
        break;
      default:
        store(at, channel, static_cast<std::int32_t>(value));
        break;
    }
  }

  bench::Stream stream_;
  bool ramp_;
};

}  // namespace soak
