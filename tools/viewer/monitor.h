#pragma once

#include "ossloopctl/monitor_words.h"

namespace ossloop::view {

// On the screen of the terminal; where there is none to be had, in lines. Returns an exit
// status.
int monitor(const ctl::MonitorWords& words);

}  // namespace ossloop::view
