// Where an axis has its marks, and what stands beside them.
#pragma once

#include <string>
#include <vector>

namespace ossloop::view {

struct Tick {
  double value;
  std::string label;
};

// From 0 to the most, at round numbers, at most `count` steps: "0 Hz", "2.5k", "5.0k".
std::vector<Tick> frequency_ticks(double most_hz, int count);
// "0.5" in seconds below a minute, else "1:30" or "1:00:30".
std::vector<Tick> time_ticks(double most_seconds, int count);

}  // namespace ossloop::view
