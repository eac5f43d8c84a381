// Measures what each quality of the rate conversion does to sound, as JSON:
//
//   quality [--quick 1]
#include <cstdio>

#include "analyser.h"
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
      const bench::Response response = bench::response(pair.from_hz, pair.to_hz, quality);
      const double wide_db =
          bench::distortion_db(pair.from_hz, pair.to_hz, audio::afmt::kS32Le, {quality, false});
      const double float_db =
          bench::distortion_db(pair.from_hz, pair.to_hz, audio::afmt::kFloat, {quality, false});
      const double narrow_db =
          bench::distortion_db(pair.from_hz, pair.to_hz, audio::afmt::kS16Le, {quality, true});
      std::printf(
          "%s{\"from_hz\": %d, \"to_hz\": %d, \"quality\": \"%s\", \"thd_n_s32_db\": %.1f, "
          "\"thd_n_float_db\": %.1f, \"thd_n_s16_tpdf_db\": %.1f, \"ripple_db\": %.4f, "
          "\"stop_band_db\": %.1f, \"aliasing_db\": %.1f, \"misplaced_frames\": %.6f, "
          "\"held_ms\": %.2f, \"exact_length\": %s}",
          first ? "" : ",\n ", pair.from_hz, pair.to_hz, audio::quality_name(quality), wide_db,
          float_db, narrow_db, response.ripple_db, response.stop_band_db, response.aliasing_db,
          response.delay_frames, response.held_ms,
          bench::exact_length(pair.from_hz, pair.to_hz, quality) ? "true" : "false");
      first = false;
      if (quick) break;
    }
    if (quick) break;
  }
  std::printf("]\n");
}
