// All about one row of the monitor.
#pragma once

#include "control/view.h"
#include "viewer/grid.h"
#include "viewer/rows.h"

namespace ossloop::view {

// In `height` lines from `top` on: who it is, a meter for each channel, counters, mixer and
// policies, as many as fit.
void draw_details(Grid& grid, int top, int height, const Row& row,
                  const control::InstanceView& view, Bars bars);

}  // namespace ossloop::view
