#include "viewer/plot_page.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <numbers>
#include <set>

#include "viewer/colors.h"
#include "viewer/glyphs.h"
#include "viewer/ticks.h"

using namespace ossloop::view;

namespace {

std::vector<float> sine(double hz, double rate_hz, std::size_t frames, float amplitude = 1) {
  std::vector<float> samples(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    samples[i] =
        amplitude * static_cast<float>(std::sin(2 * std::numbers::pi * hz / rate_hz * double(i)));
  }
  return samples;
}

}  // namespace

TEST_CASE("an envelope holds every peak, however long the sound") {
  for (const std::size_t frames : {1UL, 2UL, 99UL, 100UL, 101UL, 12345UL, 1000000UL}) {
    for (const std::size_t at : {0UL, frames / 3, frames - 1}) {
      Envelope envelope(100);
      std::vector<float> samples(frames);
      samples[at] = -0.75F;
      // In pieces, as they come.
      for (std::size_t i = 0; i < frames; i += 777) {
        envelope.add(samples.data() + i, std::min<std::size_t>(777, frames - i), 1);
      }
      CAPTURE(frames, at);
      CHECK(envelope.frames() == frames);
      CHECK(envelope.peak() == 0.75);
      CHECK(envelope.rms() == Approx(0.75 / std::sqrt(frames)));
      int found = 0;
      for (int i = 0; i < 50; ++i) {
        if (envelope.over(i / 50.0, (i + 1) / 50.0).least != -0.75F) continue;
        ++found;
        const double place = (static_cast<double>(at) + 0.5) / static_cast<double>(frames) * 50;
        if (frames > 100) CHECK(std::abs(i + 0.5 - place) < 1.6);
      }
      CHECK(found > 0);
    }
  }
}

TEST_CASE("a sine of full scale has 0 dBFS at its place, by either window and at any length") {
  for (const Window window : {Window::kBlackman, Window::kHann}) {
    for (const std::size_t frames : {3000UL, 48000UL, 400000UL}) {
      Transform transform(2048, window);
      Spectrogram spectrogram(transform, 256, 64);
      const std::vector<float> samples = sine(6000, 48000, frames);
      for (std::size_t i = 0; i < frames; i += 4096) {
        spectrogram.add(samples.data() + i, std::min<std::size_t>(4096, frames - i), 1);
      }
      spectrogram.finish();
      CAPTURE(frames);
      for (const double begin : {0.0, 0.25, 0.5, 0.9}) {
        CHECK(10 * std::log10(spectrogram.power(begin, begin + 0.1, 64)) == Approx(0).margin(0.1));
        for (const std::size_t row : {0UL, 20UL, 100UL, 255UL}) {
          CHECK(10 * std::log10(spectrogram.power(begin, begin + 0.1, row)) < -90);
        }
      }
    }
  }
}

TEST_CASE("where a sound begins and ends in full there is no click") {
  Transform transform(2048, Window::kBlackman);
  Spectrogram spectrogram(transform, 128, 64);
  const std::vector<float> samples = sine(1000, 48000, 48000);
  spectrogram.add(samples.data(), samples.size(), 1);
  spectrogram.finish();
  CHECK(spectrogram.power(0, 0.01, 100) < 1e-9);
  CHECK(spectrogram.power(0.99, 1, 100) < 1e-9);
}

TEST_CASE("a spectrogram takes sounds of any few frames") {
  Transform transform(2048, Window::kHann);
  for (const std::size_t frames : {1UL, 2UL, 3UL, 1023UL, 2047UL, 2048UL, 2049UL}) {
    Spectrogram spectrogram(transform, 16, 8);
    const std::vector<float> samples(frames, 1.0F);
    spectrogram.add(samples.data(), frames, 1);
    spectrogram.finish();
    for (std::size_t row = 0; row < 16; ++row) CHECK(spectrogram.power(0, 1, row) >= 0);
    CHECK(spectrogram.power(0, 1, 0) > 0);
  }
}

TEST_CASE("axes have round numbers") {
  const auto labels = [](const std::vector<Tick>& ticks) {
    std::string text;
    for (const Tick& tick : ticks) text += tick.label + " ";
    return text;
  };
  CHECK(labels(frequency_ticks(24000, 6)) == "0 Hz 5k 10k 15k 20k ");
  CHECK(labels(frequency_ticks(4000, 8)) == "0 Hz 0.5k 1.0k 1.5k 2.0k 2.5k 3.0k 3.5k 4.0k ");
  CHECK(labels(time_ticks(2, 5)) == "0 0.5 1.0 1.5 2.0 ");
  CHECK(labels(time_ticks(60, 4)) == "0:00 0:20 0:40 1:00 ");
  CHECK(labels(time_ticks(3 * 3600, 4)) == "0:00:00 1:00:00 2:00:00 3:00:00 ");
  CHECK(labels(time_ticks(0, 4)) == "0 ");
  for (double most = 0.00001; most < 1e7; most *= 1.7) CHECK(time_ticks(most, 9).size() <= 10);
}

TEST_CASE("a louder colour is a lighter one") {
  double before = -1;
  for (double dbfs = kLeastDbfs; dbfs <= 0; dbfs += 0.5) {
    const Color color = color_of(dbfs);
    const double light = 0.2126 * color.red + 0.7152 * color.green + 0.0722 * color.blue;
    CHECK(light > before - 0.5);
    before = std::max(before, light);
  }
  CHECK(color_of(-500) == color_of(kLeastDbfs));
  CHECK(color_of(20) == color_of(0));
}

TEST_CASE("every letter is another") {
  std::set<std::string> seen;
  for (char c = ' '; c <= '~'; ++c) {
    CHECK(std::strlen(glyph_of(c)) == kGlyphWidth * kGlyphHeight);
    CHECK(seen.insert(glyph_of(c)).second);
  }
  CHECK(glyph_of('\x7f') == glyph_of('?'));
}

TEST_CASE("a picture is drawn of any number of channels and frames") {
  for (const int channels : {1, 2, 3, 8, 64}) {
    for (const std::size_t frames : {0UL, 1UL, 5000UL}) {
      PlotPage page({.channels = channels, .rate_hz = 8000, .width = 320});
      const std::vector<float> samples(frames * static_cast<std::size_t>(channels), 2.0F);
      page.add(samples.data(), frames);
      const Picture picture = page.draw("a title that is by far too long for such a picture");
      CHECK(picture.width() == 320);
      CHECK(picture.height() > 100 * channels);
    }
  }
}
