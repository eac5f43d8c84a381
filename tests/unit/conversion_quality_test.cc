#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "../bench/analyser.h"
#include "config/policy.h"

using namespace ossloop;
using audio::Blocks;
using audio::Quality;

namespace {

struct Pair {
  int from_hz, to_hz;
};
constexpr Pair kPairs[] = {{44100, 48000}, {48000, 44100}, {48000, 96000}, {96000, 48000},
                           {8000, 48000},  {48000, 8000},  {11025, 44100}, {44100, 192000}};
// In real time, and without a clock.
constexpr Blocks kBlocks[] = {Blocks::kShort, Blocks::kLong};

std::string named(const Pair& pair, Blocks blocks) {
  return std::to_string(pair.from_hz) + " to " + std::to_string(pair.to_hz) + " Hz, " +
         (blocks == Blocks::kLong ? "long blocks" : "short blocks");
}

}  // namespace

TEST_CASE("a full-scale tone keeps clean: -110 dB by default, -140 dB at very-high") {
  const Pair pair = GENERATE(from_range(std::begin(kPairs), std::end(kPairs)));
  const Blocks blocks = GENERATE(from_range(std::begin(kBlocks), std::end(kBlocks)));
  INFO(named(pair, blocks));
  for (const int afmt : {audio::afmt::kS32Le, audio::afmt::kFloat}) {
    CHECK(bench::distortion_db(pair.from_hz, pair.to_hz, afmt, {Quality::kHigh, false, blocks}) <
          -110);
    CHECK(bench::distortion_db(pair.from_hz, pair.to_hz, afmt,
                               {Quality::kVeryHigh, false, blocks}) < -140);
  }
}

TEST_CASE("of 16 bits only rounding remains, with dither and without") {
  const Pair pair = GENERATE(from_range(std::begin(kPairs), std::end(kPairs)));
  const Blocks blocks = GENERATE(from_range(std::begin(kBlocks), std::end(kBlocks)));
  INFO(named(pair, blocks));
  CHECK(bench::distortion_db(pair.from_hz, pair.to_hz, audio::afmt::kS16Le,
                             {Quality::kHigh, false, blocks}) < -94);
  CHECK(bench::distortion_db(pair.from_hz, pair.to_hz, audio::afmt::kS16Le,
                             {Quality::kHigh, true, blocks}) < -90);
}

TEST_CASE("the pass band is flat and in its place, and nothing comes from beyond it") {
  struct Limits {
    Quality quality;
    double ripple_db, beyond_db;
  };
  const Pair pair = GENERATE(from_range(std::begin(kPairs), std::end(kPairs)));
  const Blocks blocks = GENERATE(from_range(std::begin(kBlocks), std::end(kBlocks)));
  for (const auto& [quality, ripple_db, beyond_db] :
       {Limits{Quality::kMedium, 0.25, -100}, Limits{Quality::kHigh, 0.01, -120},
        Limits{Quality::kVeryHigh, 0.01, -160}}) {
    INFO(named(pair, blocks) << ", "
                             << config::kRow<"quality">.choices[static_cast<std::size_t>(quality)]);
    const bench::Response response = bench::response(pair.from_hz, pair.to_hz, quality, blocks);
    CHECK(response.ripple_db < ripple_db);
    CHECK(response.half_power_hz > 0.91 * std::min(pair.from_hz, pair.to_hz) / 2);
    CHECK(response.stop_band_db < beyond_db);
    CHECK(response.aliasing_db < beyond_db);
    CHECK(response.delay_frames < 0.001);
    CHECK(bench::exact_length(pair.from_hz, pair.to_hz, quality, blocks));
  }
}

TEST_CASE("converted sound is as loud as it was") {
  const bench::Signal sent = bench::tone(997, 44100, 44100, 0.9);
  const auto heard =
      bench::convert(sent, 44100, 48000, audio::afmt::kS32Le, {Quality::kHigh, false});
  const bench::Fit fit = bench::fit_tone(heard, 997, 48000, 4800);
  CHECK(std::abs(fit.delay_frames) < 0.001);
  CHECK(std::abs(bench::decibels(fit.amplitude / 0.9)) < 0.01);
}
