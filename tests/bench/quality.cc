// Measures what each quality of the rate conversion does to sound, as JSON:
//
//   quality [--quick 1]
#include <algorithm>
#include <cstdio>

#include "analyser.h"
#include "config/policy.h"
#include "measure.h"

int main(int count, char** words) {
  using namespace ossloop;
  const bench::Arguments arguments(count, words);
  const bool quick = arguments.number("--quick", 0) != 0;
  struct Pair {
    int from_hz, to_hz;
  };
  constexpr Pair kPairs[] = {{44100, 48000}, {48000, 44100}, {48000, 96000}, {96000, 48000},
                             {8000, 48000},  {48000, 8000},  {11025, 44100}, {44100, 192000}};
  std::printf("[");
  bool first = true;
  for (const Pair& pair : kPairs) {
    for (int number = quick ? 3 : 0; number <= (quick ? 3 : 4); ++number) {
      const auto quality = static_cast<audio::Quality>(number);
      constexpr auto kShort = audio::Blocks::kShort, kLong = audio::Blocks::kLong;
      const bench::Response real_time = bench::response(pair.from_hz, pair.to_hz, quality, kShort);
      const bench::Response no_clock = bench::response(pair.from_hz, pair.to_hz, quality, kLong);
      // The worse of both.
      const auto distortion_db = [&](int afmt, bool dither) {
        return std::max(
            bench::distortion_db(pair.from_hz, pair.to_hz, afmt, {quality, dither, kShort}),
            bench::distortion_db(pair.from_hz, pair.to_hz, afmt, {quality, dither, kLong}));
      };
      const bool exact = bench::exact_length(pair.from_hz, pair.to_hz, quality, kShort) &&
                         bench::exact_length(pair.from_hz, pair.to_hz, quality, kLong);
      std::printf(
          "%s{\"from_hz\": %d, \"to_hz\": %d, \"quality\": \"%s\", \"thd_n_s32_db\": %.1f, "
          "\"thd_n_float_db\": %.1f, \"thd_n_s16_tpdf_db\": %.1f, \"ripple_db\": %.4f, "
          "\"half_power_hz\": %.0f, \"stop_band_db\": %.1f, \"aliasing_db\": %.1f, "
          "\"misplaced_frames\": %.6f, \"held_ms\": %.2f, \"held_free_ms\": %.2f, "
          "\"exact_length\": %s}",
          first ? "" : ",\n ", pair.from_hz, pair.to_hz,
          config::kRow<"quality">.choices[static_cast<std::size_t>(quality)].data(),
          distortion_db(audio::afmt::kS32Le, false), distortion_db(audio::afmt::kFloat, false),
          distortion_db(audio::afmt::kS16Le, true),
          std::max(real_time.ripple_db, no_clock.ripple_db),
          std::min(real_time.half_power_hz, no_clock.half_power_hz),
          std::max(real_time.stop_band_db, no_clock.stop_band_db),
          std::max(real_time.aliasing_db, no_clock.aliasing_db),
          std::max(real_time.delay_frames, no_clock.delay_frames), real_time.held_ms,
          no_clock.held_ms, exact ? "true" : "false");
      first = false;
      if (quick) break;
    }
    if (quick) break;
  }
  std::printf("]\n");
}
