#include "viewer/meter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ossloop::view {
namespace {

constexpr double kMiddleDbfs = -18;
constexpr double kHighDbfs = -6;
constexpr int kLeastBar = 3;

constexpr char32_t kAcross[] = U" \u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588";
constexpr char32_t kUpward[] = U" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
constexpr char32_t kUpwardAscii[] = U" .:-=+*#@";
constexpr char32_t kHoldMark = U'\u2502';
constexpr int kEighths = 8;

// Of the place in a bar, from 0 to 1.
Style style_at(double fraction) {
  const double dbfs = kFloorDbfs * (1 - fraction);
  if (dbfs >= kHighDbfs) return Style::kHigh;
  return dbfs >= kMiddleDbfs ? Style::kMiddle : Style::kLow;
}

// How much of a cell that begins at `at` is filled, in eighths; in ASCII none or all.
int eighths(double filled_cells, int at, Bars bars) {
  const double part = std::clamp(filled_cells - at, 0.0, 1.0);
  return bars == Bars::kAscii ? (part >= 0.5 ? kEighths : 0)
                              : static_cast<int>(std::lround(part * kEighths));
}

void draw_column(Grid& grid, int row, int column, const Level& level, Bars bars) {
  const double fraction = fraction_of_bar(level.peak);
  const auto step = static_cast<int>(std::ceil(fraction * kEighths - 1e-9));
  const char32_t* const steps = bars == Bars::kAscii ? kUpwardAscii : kUpward;
  grid.put(row, column, step == 0 ? U'_' : steps[step], style_at(fraction));
}

}  // namespace

std::string decibels(double level) {
  if (level <= 0) return "-inf";
  // The sum has no negative zero.
  const double dbfs = std::round(200 * std::log10(level)) / 10 + 0.0;
  char text[16];
  std::snprintf(text, sizeof text, dbfs > 0 ? "%+.1f" : "%.1f", std::clamp(dbfs, -999.9, 999.9));
  return text;
}

double fraction_of_bar(double level) {
  if (level <= 0) return 0;
  return std::clamp(1 - 20 * std::log10(level) / kFloorDbfs, 0.0, 1.0);
}

void draw_bar(Grid& grid, int row, int column, int width, const Level& level, Bars bars) {
  if (width <= 0) return;
  const double filled = fraction_of_bar(level.peak) * width;
  for (int i = 0; i < width; ++i) {
    const int part = eighths(filled, i, bars);
    const char32_t character = bars == Bars::kAscii ? (part > 0 ? U'#' : U'-') : kAcross[part];
    grid.put(row, column + i, character, part > 0 ? style_at((i + 0.5) / width) : Style::kDim);
  }
  const double held = fraction_of_bar(level.held);
  if (held <= 0) return;
  const int mark = std::min(static_cast<int>(held * width), width - 1);
  grid.put(row, column + mark, bars == Bars::kAscii ? U'|' : kHoldMark,
           held >= 1 ? Style::kBad : Style::kHold);
}

Level loudest(const std::vector<Level>& levels) {
  Level most;
  for (const Level& level : levels) {
    most.peak = std::max(most.peak, level.peak);
    most.rms = std::max(most.rms, level.rms);
    most.held = std::max(most.held, level.held);
    most.highest = std::max(most.highest, level.highest);
  }
  return most;
}

void draw_levels(Grid& grid, int row, int column, int width, const std::vector<Level>& levels,
                 Bars bars) {
  const int count = static_cast<int>(levels.size());
  if (count == 0 || width <= 0) return;
  const int each = (width + 1) / count - 1;  // a blank between two
  if (count == 1 || each >= kLeastBar) {
    for (int i = 0; i < count; ++i) {
      draw_bar(grid, row, column + i * (each + 1), each, levels[static_cast<std::size_t>(i)], bars);
    }
  } else if (count <= width) {
    for (int i = 0; i < count; ++i) {
      draw_column(grid, row, column + i, levels[static_cast<std::size_t>(i)], bars);
    }
  } else {
    draw_bar(grid, row, column, width, loudest(levels), bars);
  }
}

}  // namespace ossloop::view
