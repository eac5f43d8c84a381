#include "viewer/drift.h"

namespace ossloop::view {

void DriftMeter::update(const Sample& sample) {
  const bool same = begun_ && sample.stream == last_.stream && sample.rate_hz == last_.rate_hz &&
                    sample.position_frames >= last_.position_frames &&
                    sample.time_ns > last_.time_ns;
  last_ = sample;
  if (!same) {
    first_ = middle_ = sample;
    begun_ = true;
  } else if (sample.time_ns - middle_.time_ns > kMostNs / 2) {
    first_ = middle_;
    middle_ = sample;
  }
}

std::optional<double> DriftMeter::ppm() const {
  const std::int64_t passed_ns = last_.time_ns - first_.time_ns;
  if (!begun_ || passed_ns < kLeastNs || last_.rate_hz <= 0) return std::nullopt;
  const double expected = static_cast<double>(passed_ns) / 1e9 * last_.rate_hz;
  const auto moved = static_cast<double>(last_.position_frames - first_.position_frames);
  return (moved / expected - 1) * 1e6;
}

}  // namespace ossloop::view
