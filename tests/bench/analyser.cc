#include "analyser.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numbers>

#include "audio/codec.h"
#include "audio/pcm_format.h"

namespace bench {
namespace {

using namespace ossloop;
using std::numbers::pi;

std::unique_ptr<audio::Converter> converter(int from_hz, int to_hz, int afmt,
                                            audio::Converter::Options options) {
  int error = 0;
  auto made = audio::Converter::create({afmt, 1, from_hz}, {afmt, 1, to_hz}, options, error);
  if (made == nullptr) {
    std::fprintf(stderr, "no converter from %d to %d Hz: error %d\n", from_hz, to_hz, error);
    std::exit(1);
  }
  return made;
}

// Radix 2, in place.
void transform(std::vector<std::complex<double>>& values) {
  const std::size_t size = values.size();
  for (std::size_t i = 1, j = 0; i < size; ++i) {
    std::size_t bit = size >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) std::swap(values[i], values[j]);
  }
  for (std::size_t length = 2; length <= size; length <<= 1) {
    const auto turn = std::polar(1.0, -2 * pi / static_cast<double>(length));
    for (std::size_t start = 0; start < size; start += length) {
      std::complex<double> factor = 1;
      for (std::size_t i = start; i < start + length / 2; ++i) {
        const auto low = values[i];
        const auto high = values[i + length / 2] * factor;
        values[i] = low + high;
        values[i + length / 2] = low - high;
        factor *= turn;
      }
    }
  }
}

}  // namespace

double decibels(double ratio) { return ratio > 0 ? 20 * std::log10(ratio) : -999; }

Signal tone(double frequency_hz, int rate_hz, std::size_t frames, double amplitude) {
  Signal signal(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    // Whole turns are dropped first: the sine of a large number is a poor one.
    const double turns = std::fmod(static_cast<double>(i) * frequency_hz / rate_hz, 1.0);
    signal[i] = amplitude * std::sin(2 * pi * turns);
  }
  return signal;
}

Signal convert(const Signal& signal, int from_hz, int to_hz, int afmt,
               audio::Converter::Options options, std::size_t* held_frames) {
  const auto maker = converter(from_hz, to_hz, afmt, options);
  const audio::Codec& codec = *audio::find_codec(afmt);
  const auto bytes = static_cast<std::size_t>(audio::find_format(afmt)->bytes);
  std::vector<unsigned char> in(signal.size() * bytes);
  codec.encode(signal.data(), in.data(), signal.size());
  const std::size_t room =
      audio::scale_frames_round(signal.size(), to_hz, from_hz) + static_cast<std::size_t>(to_hz);
  std::vector<unsigned char> out(room * bytes);
  std::size_t taken = 0, made = 0;
  constexpr std::size_t kBlock = 480;
  while (taken < signal.size()) {
    const auto step =
        maker->process(in.data() + taken * bytes, std::min(kBlock, signal.size() - taken),
                       out.data() + made * bytes, room - made);
    if (step.input_frames == 0 && step.output_frames == 0) break;
    taken += step.input_frames;
    made += step.output_frames;
    if (held_frames != nullptr && taken >= signal.size() / 2) {
      *held_frames = maker->held_input_frames();
      held_frames = nullptr;
    }
  }
  while (const std::size_t more = maker->finish(out.data() + made * bytes, room - made))
    made += more;
  Signal result(made);
  codec.decode(out.data(), result.data(), made);
  return result;
}

Fit fit_tone(const Signal& signal, double frequency_hz, int rate_hz, std::size_t edge_frames) {
  const std::size_t end = signal.size() > edge_frames ? signal.size() - edge_frames : 0;
  double ss = 0, sc = 0, cc = 0, sy = 0, cy = 0;
  Signal sines, cosines;
  for (std::size_t i = edge_frames; i < end; ++i) {
    const double turns = std::fmod(static_cast<double>(i) * frequency_hz / rate_hz, 1.0);
    const double s = std::sin(2 * pi * turns), c = std::cos(2 * pi * turns);
    sines.push_back(s);
    cosines.push_back(c);
    ss += s * s;
    sc += s * c;
    cc += c * c;
    sy += s * signal[i];
    cy += c * signal[i];
  }
  const double determinant = ss * cc - sc * sc;
  const double a = (sy * cc - cy * sc) / determinant, b = (cy * ss - sy * sc) / determinant;
  Fit fit{};
  fit.amplitude = std::hypot(a, b);
  fit.delay_frames = -std::atan2(b, a) / (2 * pi * frequency_hz) * rate_hz;
  double sum = 0;
  for (std::size_t i = 0; i < sines.size(); ++i) {
    fit.residual.push_back(signal[edge_frames + i] - a * sines[i] - b * cosines[i]);
    sum += fit.residual.back() * fit.residual.back();
  }
  fit.residual_rms = std::sqrt(sum / static_cast<double>(std::max<std::size_t>(sines.size(), 1)));
  return fit;
}

double band_rms(const Signal& signal, int rate_hz, double low_hz, double high_hz) {
  std::size_t size = 1;
  while (size * 2 <= signal.size()) size *= 2;
  std::vector<std::complex<double>> values(size);
  double weight = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double turn = 2 * pi * static_cast<double>(i) / static_cast<double>(size);
    // Blackman and Harris's four terms: what leaks is 92 dB down.
    const double window = 0.35875 - 0.48829 * std::cos(turn) + 0.14128 * std::cos(2 * turn) -
                          0.01168 * std::cos(3 * turn);
    values[i] = signal[i] * window;
    weight += window * window;
  }
  transform(values);
  double power = 0;
  for (std::size_t i = 0; i <= size / 2; ++i) {
    const double frequency_hz = static_cast<double>(i) * rate_hz / static_cast<double>(size);
    if (frequency_hz < low_hz || frequency_hz >= high_hz) continue;
    power += std::norm(values[i]) * (i == 0 || i == size / 2 ? 1 : 2);
  }
  return std::sqrt(power / (weight * static_cast<double>(size)));
}

double distortion_db(int from_hz, int to_hz, int afmt, audio::Converter::Options options) {
  constexpr double kFrequency = 997;
  const auto edge = static_cast<std::size_t>(to_hz) / 8;
  const Signal sent = tone(kFrequency, from_hz, static_cast<std::size_t>(from_hz), 1);
  const Fit fit = fit_tone(convert(sent, from_hz, to_hz, afmt, options), kFrequency, to_hz, edge);
  return decibels(fit.residual_rms / (fit.amplitude * std::numbers::sqrt2 / 2));
}

Response response(int from_hz, int to_hz, audio::Quality quality, audio::Blocks blocks) {
  constexpr double kAmplitude = 0.5;
  constexpr int kTones = 48;
  const audio::Converter::Options options{quality, false, blocks};
  const double carried_hz = std::min(from_hz, to_hz) / 2.0;
  const double pass_hz = std::min(20000.0, 0.9 * carried_hz);
  const auto frames = static_cast<std::size_t>(from_hz) / 2;
  const auto edge = static_cast<std::size_t>(to_hz) / 10;
  Response result{0, 0, -999, -999, 0, 0};
  double least = 1e9, most = 0;
  auto louder = [](double& db, double rms) {
    db = std::max(db, decibels(rms / (kAmplitude * std::numbers::sqrt2 / 2)));
  };
  // A sweep in steps, the same ratio each, so low tones get their share.
  for (int i = 0; i < kTones; ++i) {
    const double frequency_hz = 20 * std::pow(pass_hz / 20, i / (kTones - 1.0));
    std::size_t held = 0;
    const Signal out = convert(tone(frequency_hz, from_hz, frames, kAmplitude), from_hz, to_hz,
                               audio::afmt::kS32Le, options, &held);
    const Fit fit = fit_tone(out, frequency_hz, to_hz, edge);
    least = std::min(least, fit.amplitude);
    most = std::max(most, fit.amplitude);
    result.delay_frames = std::max(result.delay_frames, std::abs(fit.delay_frames));
    result.held_ms = std::max(result.held_ms, static_cast<double>(held) * 1000 / from_hz);
    if (to_hz > from_hz) {
      louder(result.stop_band_db, band_rms(fit.residual, to_hz, carried_hz, to_hz / 2.0 + 1));
      louder(result.aliasing_db, band_rms(fit.residual, to_hz, 0, pass_hz));
    }
  }
  result.ripple_db = decibels(most / least);
  // Where the pass band really ends: half of the power is left.
  double heard_hz = 0.1 * carried_hz, lost_hz = carried_hz;
  while (lost_hz - heard_hz > 0.002 * carried_hz) {
    const double frequency_hz = (heard_hz + lost_hz) / 2;
    const Signal out = convert(tone(frequency_hz, from_hz, frames, kAmplitude), from_hz, to_hz,
                               audio::afmt::kS32Le, options);
    const bool heard =
        fit_tone(out, frequency_hz, to_hz, edge).amplitude > kAmplitude * std::sqrt(0.5);
    (heard ? heard_hz : lost_hz) = frequency_hz;
  }
  result.half_power_hz = heard_hz;
  // Tones that the lower rate cannot carry must not come out at all.
  for (int i = 0; to_hz < from_hz && i < kTones; ++i) {
    const double top_hz = 0.499 * from_hz;
    const double frequency_hz =
        carried_hz * 1.001 + (top_hz - carried_hz * 1.001) * i / (kTones - 1.0);
    const Signal out = convert(tone(frequency_hz, from_hz, frames, kAmplitude), from_hz, to_hz,
                               audio::afmt::kS32Le, options);
    const Signal steady(out.begin() + static_cast<std::ptrdiff_t>(edge),
                        out.end() - static_cast<std::ptrdiff_t>(edge));
    louder(result.stop_band_db, band_rms(steady, to_hz, 0, carried_hz + 1));
    louder(result.aliasing_db, band_rms(steady, to_hz, 0, pass_hz));
  }
  return result;
}

bool exact_length(int from_hz, int to_hz, audio::Quality quality, audio::Blocks blocks) {
  for (const std::size_t frames : {1, 2, 3, 147, 479, 480, 4801, 17231}) {
    const Signal out = convert(Signal(frames, 0.25), from_hz, to_hz, audio::afmt::kS32Le,
                               {quality, false, blocks});
    if (out.size() != audio::scale_frames_round(frames, to_hz, from_hz)) return false;
  }
  return true;
}

}  // namespace bench
