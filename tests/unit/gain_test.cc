#include "audio/gain.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using ossloop::audio::Gain;

namespace {

std::vector<double> applied(const Gain& gain, std::size_t frames, int channels) {
  std::vector<double> samples(frames * static_cast<std::size_t>(channels), 1.0);
  gain.apply(samples.data(), frames, channels);
  return samples;
}

}  // namespace

TEST_CASE("a new gain does nothing, and says so") {
  Gain gain;
  CHECK(gain.unity());
  gain.set(0.5, 1);
  CHECK_FALSE(gain.unity());
  gain.set(1, 1);
  CHECK(gain.unity());
}

TEST_CASE("factors go to the even and the odd channels") {
  Gain gain;
  gain.set(0.5, 0.25);
  CHECK(applied(gain, 2, 2) == std::vector<double>{0.5, 0.25, 0.5, 0.25});
  CHECK(applied(gain, 1, 3) == std::vector<double>{0.5, 0.25, 0.5});
  CHECK(applied(gain, 2, 1) == std::vector<double>{0.5, 0.5});
}

TEST_CASE("a glide goes from one value to the other by even steps and stays there") {
  Gain gain;
  gain.glide(0, 1, 4);
  CHECK_FALSE(gain.unity());
  CHECK(applied(gain, 5, 2) == std::vector<double>{1, 1, 0.75, 1, 0.5, 1, 0.25, 1, 0, 1});
}

TEST_CASE("a glide goes on where the frames that were taken end") {
  Gain gain;
  gain.glide(0, 0, 4);
  CHECK(applied(gain, 2, 1) == applied(gain, 2, 1));  // nothing was taken yet
  gain.take(3);
  CHECK(applied(gain, 2, 1) == std::vector<double>{0.25, 0});
  gain.take(100);
  CHECK(applied(gain, 1, 1) == std::vector<double>{0});
}

TEST_CASE("a glide begun in the middle of another begins where that one is") {
  Gain gain;
  gain.glide(0, 0, 4);
  gain.take(2);
  gain.glide(1, 1, 2);
  CHECK(applied(gain, 3, 1) == std::vector<double>{0.5, 0.75, 1});
  gain.take(2);
  CHECK(gain.unity());
}
