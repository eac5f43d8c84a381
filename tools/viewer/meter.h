// Levels as bars and as text.
#pragma once

#include <string>
#include <vector>

#include "viewer/grid.h"

namespace ossloop::view {

// One channel, of full scale.
struct Level {
  double peak = 0;
  double rms = 0;
  double held = 0;     // the largest peak of the last seconds
  double highest = 0;  // and since it was last set back
};

// What bars are drawn with: parts of a block, or ASCII.
enum class Bars { kBlocks, kAscii };

// The least that a meter shows.
inline constexpr double kFloorDbfs = -60;

// "-6.0", "-inf"; full scale and more is "0.0", "+1.2".
std::string decibels(double level);

// 0 at the floor and below, 1 at full scale and above.
double fraction_of_bar(double level);

// A bar from left to right, with a mark at what is held.
void draw_bar(Grid& grid, int row, int column, int width, const Level& level, Bars bars);

// All channels in one line of `width`: a bar each where there is room for that, else a
// character each, else the loudest one's bar.
void draw_levels(Grid& grid, int row, int column, int width, const std::vector<Level>& levels,
                 Bars bars);

Level loudest(const std::vector<Level>& levels);

}  // namespace ossloop::view
