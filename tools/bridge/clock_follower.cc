#include "bridge/clock_follower.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ossloop::bridge {
namespace {

// The target is the mean of so many measurements.
constexpr int kFirstMeasurements = 12;
constexpr std::int64_t kQuickNs = 25'000'000;
constexpr std::int64_t kCalmNs = 200'000'000;
// The bandwidth falls from the first to the second as time goes by: so many cycles' worth.
constexpr double kQuickHz = 0.5, kCalmHz = 0.01, kCycles = 1.2;
// Critically damped is 2; a little less comes to rest sooner.
constexpr double kDamping = 1.5;
// A measurement is smoothed by a corner so many times the bandwidth.
constexpr double kSmoothing = 4;
// Some servers tell where their card is to a millisecond's part, others to a period of ten of
// them. Jitter is to move the clock by no more than this, so the loop is as slow as it asks for.
constexpr double kJitterPpm = 60;
constexpr double kJitterMemory = 0.05;
constexpr double kLongInterval = 0.05;
// At rest: the error stays below this for so long.
constexpr double kLockedErrorS = 0.001, kLockedForS = 2;
// Beyond this and twice the jitter the card has changed its speed: the loop becomes quick again.
constexpr double kLostErrorS = 0.003;
// What lies between two measurements is not more than this, whatever happened meanwhile.
constexpr double kLongestStepS = 1;

}  // namespace

void ClockFollower::restart() {
  measured_ = 0;
  sum_s_ = target_s_ = error_s_ = age_s_ = calm_s_ = lock_s_ = 0;
  locked_ = false;
}

double ClockFollower::bandwidth_hz() const {
  // What the smoothing leaves of the jitter grows with the root of the bandwidth.
  const double left = std::sqrt(std::numbers::pi * kSmoothing * kLongInterval);
  const double most =
      kJitterPpm / 1e6 / (kDamping * 2 * std::numbers::pi * std::max(jitter_s(), 1e-6) * left);
  const double limit_hz = std::cbrt(most * most);
  return std::clamp(std::min(kCycles / std::max(age_s_, 1e-3), limit_hz), kCalmHz, kQuickHz);
}

double ClockFollower::jitter_s() const { return std::sqrt(variance_); }

void ClockFollower::watch_jitter(double lead_s) {
  if (measured_ == 0) last_lead_s_ = lead_s;
  // Of two measurements in a row: what the clocks have drifted meanwhile is far less.
  const double step_s = lead_s - last_lead_s_;
  variance_ += (step_s * step_s / 2 - variance_) * kJitterMemory;
  last_lead_s_ = lead_s;
}

// A slow loop has as many measurements in a cycle as a quick one.
std::int64_t ClockFollower::interval_ns() const {
  if (measured_ < kFirstMeasurements) return kQuickNs;
  const double quick_ns = static_cast<double>(kQuickNs);
  return std::min(static_cast<std::int64_t>(quick_ns * kQuickHz / bandwidth_hz()), kCalmNs);
}

// True once it is known what to keep.
bool ClockFollower::settle(std::int64_t at_ns, double lead_s) {
  if (measured_ >= kFirstMeasurements) return true;
  if (measured_ == 0) began_ns_ = at_ns;
  sum_s_ += lead_s;
  ++measured_;
  target_s_ = sum_s_ / measured_;
  last_ns_ = at_ns;
  return false;
}

int ClockFollower::update(std::int64_t at_ns, double lead_s) {
  watch_jitter(lead_s);
  if (settle(at_ns, lead_s) && at_ns > last_ns_) {
    const double dt_s = std::min(static_cast<double>(at_ns - last_ns_) / 1e9, kLongestStepS);
    last_ns_ = at_ns;
    age_s_ += dt_s;
    const double omega = 2 * std::numbers::pi * bandwidth_hz();
    const double error_s = lead_s - target_s_;
    error_s_ += (error_s - error_s_) * (1 - std::exp(-omega * kSmoothing * dt_s));
    const double wanted = integral_ppm_ - 1e6 * kDamping * omega * error_s_;
    ppm_ = std::clamp(wanted, double{-kMostPpm}, double{kMostPpm});
    // Where it cannot be followed further, nothing is to be made up for later.
    if (ppm_ == wanted) integral_ppm_ -= 1e6 * omega * omega * error_s_ * dt_s;
    integral_ppm_ = std::clamp(integral_ppm_, double{-kMostPpm}, double{kMostPpm});
    watch_lock(dt_s);
  }
  // Whole millionths; what they leave is in the next ones.
  const double exact = std::clamp(ppm_ + rest_ppm_, double{-kMostPpm}, double{kMostPpm});
  const int rounded = static_cast<int>(std::lround(exact));
  rest_ppm_ = exact - rounded;
  return rounded;
}

void ClockFollower::watch_lock(double dt_s) {
  const double error_s = std::abs(error_s_);
  const bool lost = error_s > kLostErrorS + 2 * jitter_s();
  if (lost && age_s_ > kCycles / kQuickHz) age_s_ = 0;
  calm_s_ = error_s < kLockedErrorS ? calm_s_ + dt_s : 0;
  if (lost) locked_ = false;
  if (calm_s_ < kLockedForS || locked_) return;
  locked_ = true;
  if (lock_s_ == 0) lock_s_ = static_cast<double>(last_ns_ - began_ns_) / 1e9;
}

}  // namespace ossloop::bridge
