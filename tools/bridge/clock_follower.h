// The delay-locked loop that keeps the clock of a loop in step with that of a sound card.
//
// The loop's clock is its oscillator: each measured lead of that clock over the card is
// smoothed, and answered by a trim in proportion to it and to its integral (a loop of second
// order). It is quick at first, and then so slow that the jitter of the measurements moves the
// clock by less than anybody hears. Time is what the caller says.
#pragma once

#include <cstdint>

namespace ossloop::bridge {

class ClockFollower {
 public:
  // Not beyond what a loop's clock can be trimmed by (device::kMostTrimPpm).
  static constexpr int kMostPpm = 1000;

  // Another stream of the same card: its lead is measured anew, its speed is known.
  void restart();

  // Takes a lead in seconds, measured at `at_ns`. Returns the trim, in millionths: negative
  // where the loop is to be slower.
  int update(std::int64_t at_ns, double lead_s);

  // The lead that is kept: what it was on the average of the first measurements. 0 until then.
  double target_s() const { return target_s_; }
  // Smoothed, from the target.
  double error_s() const { return error_s_; }
  double ppm() const { return ppm_; }
  // Has the lead come to rest? And so long after the restart for the first time.
  bool locked() const { return locked_; }
  double lock_s() const { return lock_s_; }
  // How often to measure; a little more seldom does no harm.
  std::int64_t interval_ns() const;

 private:
  double bandwidth_hz() const;
  double jitter_s() const;
  void watch_jitter(double lead_s);
  bool settle(std::int64_t at_ns, double lead_s);
  void watch_lock(double dt_s);

  // Of the card's speed; it outlives restarts.
  double integral_ppm_ = 0;
  double ppm_ = 0;
  double rest_ppm_ = 0;  // what rounding has left
  std::int64_t began_ns_ = 0;
  std::int64_t last_ns_ = 0;
  int measured_ = 0;
  double sum_s_ = 0;
  double last_lead_s_ = 0;
  double variance_ = 0;  // of the measurements
  double target_s_ = 0;
  double error_s_ = 0;
  double age_s_ = 0;  // since the loop was last made quick
  double calm_s_ = 0;
  bool locked_ = false;
  double lock_s_ = 0;
};

}  // namespace ossloop::bridge
