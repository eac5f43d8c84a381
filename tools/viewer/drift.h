// How fast sound goes, beside how fast it should.
#pragma once

#include <cstdint>
#include <optional>

namespace ossloop::view {

// Measures the pace of a position by the monotonic clock. It begins anew with another
// stream or rate, and forgets what lies longer back than a minute or so.
class DriftMeter {
 public:
  struct Sample {
    std::uint64_t stream = 0;
    std::uint64_t position_frames = 0;
    std::int64_t time_ns = 0;
    double rate_hz = 0;  // as it should be
  };
  void update(const Sample& sample);
  // Nothing is to be measured now.
  void stop() { begun_ = false; }

  // In millionths of the rate, faster is more; nothing before kLeastNs have passed.
  std::optional<double> ppm() const;

  static constexpr std::int64_t kLeastNs = 2'000'000'000;
  static constexpr std::int64_t kMostNs = 60'000'000'000;

 private:
  bool begun_ = false;
  Sample first_, middle_, last_;
};

}  // namespace ossloop::view
