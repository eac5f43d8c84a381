#pragma once

#include "ossloopctl/plot_words.h"

namespace ossloop::view {

// ossloopctl plot: draws a file, or what is heard of an instance. Returns an exit status.
int plot(const ctl::PlotWords& words);

}  // namespace ossloop::view
