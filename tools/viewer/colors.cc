#include "viewer/colors.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ossloop::view {
namespace {

// At equal distances.
constexpr Color kRamp[] = {{0, 0, 8},      {24, 12, 64},   {72, 16, 112},
                           {132, 28, 112}, {188, 48, 84},  {232, 92, 40},
                           {252, 156, 24}, {252, 216, 84}, {255, 255, 224}};

// So few that a picture has no more colours than fit in a byte: that halves its file.
constexpr double kShades = 220;

std::uint8_t between(std::uint8_t from, std::uint8_t to, double part) {
  return static_cast<std::uint8_t>(std::lround(from + (to - from) * part));
}

}  // namespace

Color color_of(double dbfs) {
  constexpr std::size_t kSteps = std::size(kRamp) - 1;
  // NaN, too, is dark.
  const double part_of_all = dbfs > kLeastDbfs ? std::min(1 - dbfs / kLeastDbfs, 1.0) : 0;
  const double place = std::round(part_of_all * kShades) / kShades * kSteps;
  const auto step = std::min(static_cast<std::size_t>(place), kSteps - 1);
  const double part = place - static_cast<double>(step);
  const Color &from = kRamp[step], &to = kRamp[step + 1];
  return {between(from.red, to.red, part), between(from.green, to.green, part),
          between(from.blue, to.blue, part)};
}

}  // namespace ossloop::view
