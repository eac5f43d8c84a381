#include "viewer/ticks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ossloop::view {
namespace {

// 1, 2 or 5 times a power of ten.
double round_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

double time_step(double least) {
  // Of a clock, up to which tens are round.
  constexpr double kClock[] = {60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200};
  if (least <= 10) return round_step(least);
  for (const double step : {10.0, 20.0, 30.0}) {
    if (step >= least) return step;
  }
  for (const double step : kClock) {
    if (step >= least) return step;
  }
  return std::ceil(least / 86400) * 86400;
}

template <typename Label>
std::vector<Tick> ticks(double most, double step, Label label) {
  std::vector<Tick> found;
  for (int i = 0; i * step <= most * (1 + 1e-9); ++i) found.push_back({i * step, label(i * step)});
  return found;
}

std::string number(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

int decimals_for(double step) {
  return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
}

}  // namespace

std::vector<Tick> frequency_ticks(double most_hz, int count) {
  if (most_hz <= 0) return {};
  const double step = round_step(most_hz / std::max(count, 1));
  return ticks(most_hz, step, [&](double hz) {
    if (hz == 0) return std::string("0 Hz");
    return number(hz / 1000, decimals_for(step / 1000)) + "k";
  });
}

std::vector<Tick> time_ticks(double most_seconds, int count) {
  if (most_seconds <= 0) return {{0, "0"}};
  const double step = time_step(most_seconds / std::max(count, 1));
  return ticks(most_seconds, step, [&](double seconds) {
    if (most_seconds < 60) return seconds == 0 ? "0" : number(seconds, decimals_for(step));
    const auto whole = static_cast<long>(std::lround(seconds));
    char text[32];
    if (most_seconds >= 3600) {
      std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
                    whole % 60);
    } else {
      std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
    }
    return std::string(text);
  });
}

}  // namespace ossloop::view
