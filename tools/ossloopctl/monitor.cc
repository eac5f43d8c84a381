// ossloopctl monitor: what the instances do, on the terminal's screen or in lines.
#include "ossloopctl/command.h"
#include "ossloopctl/monitor_words.h"
#include "ossloopctl/viewer.h"

namespace ossloop::ctl {

void add_monitor(CLI::App& app, int& status) {
  add_monitor_words(app, [&status](const MonitorWords& words) {
    status = words.want_screen() ? become_viewer() : monitor_in_lines(words);
  });
}

}  // namespace ossloop::ctl
