// A waveform and a spectrogram for each channel, with axes: one picture.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/envelope.h"
#include "viewer/picture.h"
#include "viewer/spectrogram.h"

namespace ossloop::view {

struct PlotPlan {
  int channels = 1;
  int rate_hz = 48000;
  int width = 1200;
  bool waveform = true;
  bool spectrogram = true;
  Window window = Window::kBlackman;
};

// Hears a sound of any length in little memory, then draws it.
class PlotPage {
 public:
  explicit PlotPage(const PlotPlan& plan);

  // Interleaved.
  void add(const float* samples, std::size_t frames);
  // Once, after all of it. `title` is of ASCII.
  Picture draw(const std::string& title);

 private:
  struct Lane {
    int top, height;
  };

  int lanes_of_each() const { return (plan_.waveform ? 1 : 0) + (plan_.spectrogram ? 1 : 0); }
  Lane waveform_lane(int channel) const;
  Lane spectrogram_lane(int channel) const;
  int plot_width() const;
  int height() const;
  void draw_title(Picture& picture, const std::string& title) const;
  void draw_waveform(Picture& picture, int channel) const;
  void draw_spectrogram(Picture& picture, int channel) const;
  void draw_label(Picture& picture, int channel) const;
  void draw_legend(Picture& picture, const Lane& lane) const;
  void draw_time(Picture& picture) const;
  double seconds() const;

  const PlotPlan plan_;
  int waveform_height_, spectrogram_height_;
  std::vector<Envelope> envelopes_;
  std::unique_ptr<Transform> transform_;
  std::vector<Spectrogram> spectrograms_;
};

}  // namespace ossloop::view
