// A loop's clock and a card's, both made of numbers.
#include "bridge/clock_follower.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using ossloop::bridge::ClockFollower;

namespace {

struct Jitter {
  double mean_s = 0;    // of the latency that the measurements have too much
  double spread_s = 0;  // uniform, each way
};

// A card that runs `card_ppm` fast, and a loop that is trimmed.
class Rig {
 public:
  explicit Rig(double card_ppm, Jitter jitter = {}) : card_ppm_(card_ppm), jitter_(jitter) {}

  void card(double ppm) { card_ppm_ = ppm; }

  void run(double seconds) {
    std::uniform_real_distribution<double> noise(-1, 1);
    const double until_s = time_s_ + seconds;
    while (time_s_ < until_s) {
      const double step_s = static_cast<double>(follower_.interval_ns()) / 1e9;
      time_s_ += step_s;
      lead_s_ += step_s * (trim_ - card_ppm_) / 1e6;
      const double measured = lead_s_ + jitter_.mean_s + jitter_.spread_s * noise(chance_);
      trim_ = follower_.update(static_cast<std::int64_t>(time_s_ * 1e9), measured);
      most_lead_s_ = std::max(most_lead_s_, std::abs(lead_s_ - begun_s_));
      least_ppm_ = std::min(least_ppm_, trim_);
      most_ppm_ = std::max(most_ppm_, trim_);
    }
  }
  // From here on.
  void watch() {
    most_lead_s_ = 0;
    least_ppm_ = most_ppm_ = trim_;
  }

  ClockFollower& follower() { return follower_; }
  double most_lead_s() const { return most_lead_s_; }
  int least_ppm() const { return least_ppm_; }
  int most_ppm() const { return most_ppm_; }

 private:
  ClockFollower follower_;
  std::minstd_rand chance_{1};
  double card_ppm_;
  const Jitter jitter_;
  double time_s_ = 1;
  double begun_s_ = 0.04;
  double lead_s_ = 0.04;
  int trim_ = 0;
  double most_lead_s_ = 0;
  int least_ppm_ = 0, most_ppm_ = 0;
};

}  // namespace

TEST_CASE("the clock of a card is followed wherever the trim reaches") {
  for (const double ppm : {-900.0, -500.0, 0.0, 37.0, 500.0, 900.0}) {
    Rig rig(ppm);
    rig.run(20);
    CHECK(rig.follower().locked());
    CHECK(rig.follower().lock_s() < 10);
    rig.watch();
    rig.run(600);
    CHECK(rig.least_ppm() >= ppm - 4);
    CHECK(rig.most_ppm() <= ppm + 4);
    CHECK(rig.most_lead_s() < 0.002);
  }
}

TEST_CASE("jitter of a millisecond moves the clock by less than 40 ppm") {
  Rig rig(200, {.mean_s = 0.001, .spread_s = 0.001});
  rig.run(180);
  CHECK(rig.follower().locked());
  rig.watch();
  rig.run(600);
  CHECK(rig.least_ppm() >= 160);
  CHECK(rig.most_ppm() <= 240);
}

TEST_CASE("a server that tells of its card by whole periods is followed, too") {
  // Of 21 ms, as PipeWire may have.
  Rig rig(-300, {.mean_s = 0.01, .spread_s = 0.0105});
  rig.run(120);
  CHECK(rig.follower().locked());
  rig.watch();
  rig.run(600);
  CHECK(rig.least_ppm() > -1000);
  CHECK(rig.most_ppm() < 400);
  CHECK(rig.most_lead_s() < 0.012);
}

TEST_CASE("a card that changes its speed is followed with little sound on the way") {
  Rig rig(500);
  rig.run(60);
  rig.watch();
  rig.card(-500);
  rig.run(60);
  CHECK(rig.most_lead_s() < 0.010);
  rig.watch();
  rig.run(60);
  CHECK(rig.least_ppm() >= -510);
  CHECK(rig.most_ppm() <= -490);
}

TEST_CASE("what cannot be followed is left, and made up for without a swing") {
  Rig rig(3000);
  rig.run(30);
  CHECK(rig.most_ppm() == ClockFollower::kMostPpm);
  CHECK(!rig.follower().locked());
  rig.card(0);
  rig.run(120);
  rig.watch();
  rig.run(60);
  CHECK(std::abs(rig.most_ppm()) <= ClockFollower::kMostPpm);
}

TEST_CASE("the speed of a card is known after its stream has begun anew") {
  Rig rig(400);
  rig.run(60);
  rig.follower().restart();
  CHECK(!rig.follower().locked());
  rig.watch();
  rig.run(20);
  CHECK(rig.follower().locked());
  CHECK(rig.least_ppm() >= 350);
  CHECK(rig.most_ppm() <= 450);
}
