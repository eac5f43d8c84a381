#include "viewer/plot_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "viewer/colors.h"
#include "viewer/meter.h"
#include "viewer/ticks.h"

namespace ossloop::view {
namespace {

constexpr Color kPaper{22, 24, 28};
constexpr Color kLanePaper{12, 13, 16};
constexpr Color kInk{222, 226, 230};
constexpr Color kFaint{150, 156, 164};
constexpr Color kGridLine{52, 57, 64};
constexpr Color kWave{96, 190, 255};
constexpr Color kOver{255, 80, 64};

constexpr int kLeft = 84, kRight = 92, kTop = 52, kBottom = 44;
constexpr int kGap = 10;         // below a lane
constexpr int kChannelGap = 16;  // and below a channel
constexpr int kMark = 6;         // of an axis
constexpr int kLegendWidth = 16;

// Of one channel; the more there are the smaller each is.
int waveform_height_for(int channels) { return std::clamp(480 / channels, 64, 200) / 2 * 2 + 1; }
int spectrogram_height_for(int channels) { return std::clamp(1200 / channels, 160, 480); }

double in_dbfs(double power) { return power > 0 ? 10 * std::log10(power) : -1000; }

std::string transform_text(const PlotPlan& plan, std::size_t frames) {
  char text[96];
  std::snprintf(text, sizeof text, "%s window of %zu frames, %.4g Hz a bin",
                plan.window == Window::kHann ? "Hann" : "Blackman", frames,
                static_cast<double>(plan.rate_hz) / static_cast<double>(frames));
  return text;
}

void put_right(Picture& picture, int right, int middle, const std::string& text, Color color) {
  picture.text(right - text_width(text), middle - kLetterHeight / 2, text, color);
}

}  // namespace

PlotPage::PlotPage(const PlotPlan& plan)
    : plan_(plan),
      waveform_height_(waveform_height_for(plan.channels)),
      spectrogram_height_(spectrogram_height_for(plan.channels)) {
  const auto columns = static_cast<std::size_t>(plot_width());
  const auto channels = static_cast<std::size_t>(plan.channels);
  for (std::size_t i = 0; i < channels; ++i) envelopes_.emplace_back(8 * columns);
  if (!plan.spectrogram) return;
  transform_ = std::make_unique<Transform>(transform_frames(plan.rate_hz), plan.window);
  for (std::size_t i = 0; i < channels; ++i) {
    spectrograms_.emplace_back(*transform_, static_cast<std::size_t>(spectrogram_height_),
                               2 * columns);
  }
}

int PlotPage::plot_width() const { return plan_.width - kLeft - kRight; }

void PlotPage::add(const float* samples, std::size_t frames) {
  const auto stride = static_cast<std::size_t>(plan_.channels);
  for (std::size_t i = 0; i < stride; ++i) {
    envelopes_[i].add(samples + i, frames, stride);
    if (plan_.spectrogram) spectrograms_[i].add(samples + i, frames, stride);
  }
}

PlotPage::Lane PlotPage::waveform_lane(int channel) const {
  const int each = (plan_.waveform ? waveform_height_ + kGap : 0) +
                   (plan_.spectrogram ? spectrogram_height_ + kGap : 0) + kChannelGap;
  return {kTop + kLetterHeight + 4 + channel * (each + kLetterHeight), waveform_height_};
}

PlotPage::Lane PlotPage::spectrogram_lane(int channel) const {
  const Lane above = waveform_lane(channel);
  return {above.top + (plan_.waveform ? waveform_height_ + kGap : 0), spectrogram_height_};
}

int PlotPage::height() const {
  return waveform_lane(plan_.channels).top - kLetterHeight - 4 - kChannelGap + kBottom;
}

double PlotPage::seconds() const {
  return static_cast<double>(envelopes_.front().frames()) / plan_.rate_hz;
}

void PlotPage::draw_title(Picture& picture, const std::string& title) const {
  const auto room = static_cast<std::size_t>((plan_.width - 16) / kLetterWidth);
  picture.text(8, 8, title.substr(0, room), kInk);
  const std::string about = std::to_string(plan_.rate_hz) + " Hz, " +
                            std::to_string(plan_.channels) +
                            (plan_.channels == 1 ? " channel, " : " channels, ") +
                            std::to_string(envelopes_.front().frames()) + " frames";
  const std::string more =
      plan_.spectrogram ? about + "; " + transform_text(plan_, transform_->frames()) : about;
  picture.text(8, 8 + kLetterHeight + 6, more.size() <= room ? more : about, kFaint);
}

// Above its lanes, so that it hides nothing.
void PlotPage::draw_label(Picture& picture, int channel) const {
  const Envelope& envelope = envelopes_[static_cast<std::size_t>(channel)];
  const std::string levels =
      "peak " + decibels(envelope.peak()) + ", RMS " + decibels(envelope.rms()) + " dBFS";
  const std::string whole = "channel " + std::to_string(channel + 1) + ": " + levels;
  const bool fits = text_width(whole) <= plan_.width - kLeft;
  picture.text(kLeft, waveform_lane(channel).top - kLetterHeight - 4, fits ? whole : levels,
               envelope.peak() > 1 ? kOver : kInk);
}

void PlotPage::draw_waveform(Picture& picture, int channel) const {
  const Lane lane = waveform_lane(channel);
  const Envelope& envelope = envelopes_[static_cast<std::size_t>(channel)];
  const int half = lane.height / 2;
  const int middle = lane.top + half;
  picture.fill(kLeft, lane.top, plot_width(), lane.height, kLanePaper);
  for (const int dbfs : {0, -6, -12}) {
    const int distance = static_cast<int>(std::lround(half * std::pow(10, dbfs / 20.0)));
    const bool labelled = dbfs == 0 || (dbfs == -6 && half >= 3 * kLetterHeight);
    for (const int y : {middle - distance, middle + distance}) {
      picture.fill(kLeft, y, plot_width(), 1, kGridLine);
      if (labelled) put_right(picture, kLeft - kMark - 4, y, std::to_string(dbfs), kFaint);
    }
  }
  picture.fill(kLeft, middle, plot_width(), 1, kGridLine);
  put_right(picture, kLeft - kMark - 4, middle, "dBFS", kFaint);
  if (envelope.frames() == 0) return;
  const auto place = [&](float sample) {
    return middle - static_cast<int>(
                        std::lround(std::clamp(sample, -1.0F, 1.0F) * static_cast<float>(half)));
  };
  int before_top = 0, before_bottom = 0;
  for (int x = 0; x < plot_width(); ++x) {
    const double width = plot_width();
    const Envelope::Range range = envelope.over(x / width, (x + 1) / width);
    const int top = place(range.largest), bottom = place(range.least);
    const bool over = range.largest > 1 || range.least < -1;
    // No hole where the line is steep.
    const int from = x > 0 ? std::min(top, before_bottom + 1) : top;
    const int to = x > 0 ? std::max(bottom, before_top - 1) : bottom;
    picture.fill(kLeft + x, from, 1, to - from + 1, over ? kOver : kWave);
    before_top = top;
    before_bottom = bottom;
  }
}

void PlotPage::draw_legend(Picture& picture, const Lane& lane) const {
  const int x = plan_.width - kRight + kGap;
  for (int y = 0; y < lane.height; ++y) {
    const double dbfs = kLeastDbfs * y / (lane.height - 1);
    picture.fill(x, lane.top + y, kLegendWidth, 1, color_of(dbfs));
  }
  picture.text(x, lane.top - kLetterHeight - 10, "dBFS", kFaint);
  const int step = lane.height >= 240 ? 20 : lane.height >= 120 ? 40 : 60;
  for (int dbfs = 0; dbfs >= kLeastDbfs; dbfs -= step) {
    const int y = lane.top + static_cast<int>(std::lround((lane.height - 1) * dbfs / kLeastDbfs));
    picture.fill(x + kLegendWidth, y, kMark / 2, 1, kFaint);
    picture.text(x + kLegendWidth + kMark, y - kLetterHeight / 2, std::to_string(dbfs), kFaint);
  }
}

void PlotPage::draw_spectrogram(Picture& picture, int channel) const {
  const Lane lane = spectrogram_lane(channel);
  const Spectrogram& spectrogram = spectrograms_[static_cast<std::size_t>(channel)];
  picture.fill(kLeft, lane.top, plot_width(), lane.height, color_of(kLeastDbfs));
  const double width = plot_width();
  for (int x = 0; x < plot_width() && envelopes_.front().frames() > 0; ++x) {
    for (int y = 0; y < lane.height; ++y) {
      const auto row = static_cast<std::size_t>(lane.height - 1 - y);
      const double dbfs = in_dbfs(spectrogram.power(x / width, (x + 1) / width, row));
      picture.set(kLeft + x, lane.top + y, color_of(dbfs));
    }
  }
  const double most_hz = plan_.rate_hz / 2.0;
  for (const Tick& tick : frequency_ticks(most_hz, std::max(lane.height / 44, 2))) {
    const int y = lane.top + lane.height - 1 -
                  static_cast<int>(std::lround((lane.height - 1) * tick.value / most_hz));
    picture.fill(kLeft - kMark, y, kMark, 1, kFaint);
    // Beside the lane's edges, not beyond them.
    const int middle =
        std::clamp(y, lane.top + kLetterHeight / 2, lane.top + lane.height - kLetterHeight / 2);
    put_right(picture, kLeft - kMark - 4, middle, tick.label, kFaint);
  }
  draw_legend(picture, lane);
}

void PlotPage::draw_time(Picture& picture) const {
  const Lane last =
      plan_.spectrogram ? spectrogram_lane(plan_.channels - 1) : waveform_lane(plan_.channels - 1);
  const int y = last.top + last.height + 2;
  for (const Tick& tick : time_ticks(seconds(), plot_width() / 110)) {
    const double part = seconds() > 0 ? tick.value / seconds() : 0;
    const int x = kLeft + static_cast<int>(std::lround((plot_width() - 1) * part));
    picture.fill(x, y, 1, kMark, kFaint);
    picture.text(x - text_width(tick.label) / 2, y + kMark + 4, tick.label, kFaint);
  }
  picture.text(plan_.width - kRight + 4 * kLetterWidth, y + kMark + 4,
               seconds() < 60     ? "s"
               : seconds() < 3600 ? "min"
                                  : "h",
               kFaint);
}

Picture PlotPage::draw(const std::string& title) {
  for (Spectrogram& spectrogram : spectrograms_) spectrogram.finish();
  Picture picture(plan_.width, height(), kPaper);
  draw_title(picture, title);
  for (int channel = 0; channel < plan_.channels; ++channel) {
    draw_label(picture, channel);
    if (plan_.waveform) draw_waveform(picture, channel);
    if (plan_.spectrogram) draw_spectrogram(picture, channel);
  }
  draw_time(picture);
  return picture;
}

}  // namespace ossloop::view
