#include <catch2/catch.hpp>

#include "../bench/analyser.h"

using namespace ossloop;

namespace {

struct Pair {
  int from_hz, to_hz;
};
constexpr Pair kPairs[] = {{44100, 48000}, {48000, 44100}, {48000, 96000}, {8000, 48000},
                           {48000, 8000},  {11025, 44100}, {44100, 192000}};

}  // namespace

TEST_CASE("a full-scale tone keeps clean: -110 dB by default, -140 dB at very-high") {
  for (const auto& [from_hz, to_hz] : kPairs) {
    INFO(from_hz << " to " << to_hz << " Hz");
    for (const int afmt : {audio::afmt::kS32Le, audio::afmt::kFloat}) {
      CHECK(bench::distortion_db(from_hz, to_hz, afmt, {audio::Quality::kHigh, false}) < -110);
      CHECK(bench::distortion_db(from_hz, to_hz, afmt, {audio::Quality::kVeryHigh, false}) < -140);
    }
  }
}

TEST_CASE("of 16 bits only rounding remains, with dither and without") {
  for (const auto& [from_hz, to_hz] : kPairs) {
    INFO(from_hz << " to " << to_hz << " Hz");
    CHECK(bench::distortion_db(from_hz, to_hz, audio::afmt::kS16Le,
                               {audio::Quality::kHigh, false}) < -94);
    CHECK(bench::distortion_db(from_hz, to_hz, audio::afmt::kS16Le, {audio::Quality::kHigh, true}) <
          -90);
  }
}

TEST_CASE("converted sound stays where it was") {
  const bench::Signal sent = bench::tone(997, 44100, 44100, 0.9);
  const auto heard =
      bench::convert(sent, 44100, 48000, audio::afmt::kS32Le, {audio::Quality::kHigh, false});
  const bench::Fit fit = bench::fit_tone(heard, 997, 48000, 4800);
  CHECK(std::abs(fit.delay_frames) < 0.001);
  CHECK(std::abs(bench::decibels(fit.amplitude / 0.9)) < 0.01);
}
