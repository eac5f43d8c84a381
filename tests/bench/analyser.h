// The project's own look at what a conversion does to sound: test tones, what is
// left of them (least squares), and where the rest lies (a Fourier transform).
#pragma once

#include <cstdint>
#include <vector>

#include "audio/converter.h"

namespace bench {

using Signal = std::vector<double>;  // one channel, full scale ±1

// `amplitude` 1 is full scale.
Signal tone(double frequency_hz, int rate_hz, std::size_t frames, double amplitude);

// The whole signal through a converter, the tail included. Both sides `afmt`.
// `held_frames`, if wanted: what the filter held in the middle of it.
Signal convert(const Signal& signal, int from_hz, int to_hz, int afmt,
               ossloop::audio::Converter::Options options, std::size_t* held_frames = nullptr);

// The tone of a known frequency that fits best, and what remains without it. The
// edges, where the filter meets silence, are left out.
struct Fit {
  double amplitude;
  double delay_frames;  // of the tone, against one that began with the first frame
  Signal residual;
  double residual_rms;
};
Fit fit_tone(const Signal& signal, double frequency_hz, int rate_hz, std::size_t edge_frames);

// Root mean square of what lies from `low_hz` up to `high_hz`.
double band_rms(const Signal& signal, int rate_hz, double low_hz, double high_hz);

double decibels(double ratio);

// Total harmonic distortion and noise of a full-scale tone of 997 Hz.
double distortion_db(int from_hz, int to_hz, int afmt, ossloop::audio::Converter::Options options);

// What a conversion does to tones all over the band. The pass band is 20 Hz to
// 20 kHz, at most 0.9 of what the lower rate can carry: for every quality, also for
// those that begin to fade before its end.
struct Response {
  double ripple_db;      // of the pass band, greatest to least
  double half_power_hz;  // where a tone has lost 3 dB
  double stop_band_db;   // the loudest that is left, or made, beyond what the lower rate can carry
  double aliasing_db;    // the loudest of it in the pass band
  double delay_frames;   // greatest misplacement of a tone, in frames of the output
  double held_ms;        // sound inside the filter
};
Response response(int from_hz, int to_hz, ossloop::audio::Quality quality,
                  ossloop::audio::Blocks blocks);

// Does every count of frames come out as round(frames * to / from)?
bool exact_length(int from_hz, int to_hz, ossloop::audio::Quality quality,
                  ossloop::audio::Blocks blocks);

}  // namespace bench
