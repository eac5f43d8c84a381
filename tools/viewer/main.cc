// ossloop-view: what ossloopctl shows on a screen or as a picture, in a program of its own,
// since what it is made with (ncurses, libpng, an FFT) would make every start of ossloopctl
// longer by a fifth. ossloopctl starts it with its own words.
#include <stdlib.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "ossloopctl/command.h"
#include "viewer/monitor.h"
#include "viewer/plot.h"

namespace {

using namespace ossloop;

int run_viewer(int argc, char** argv) {
  if (!base::start_log(::getenv("OSSLOOP_LOG"))) base::start_log("off");
  CLI::App app("", "ossloopctl");
  app.require_subcommand(1);
  int status = ctl::kDone;
  ctl::add_monitor_words(app,
                         [&](const ctl::MonitorWords& words) { status = view::monitor(words); });
  ctl::add_plot_words(app, [&](const ctl::PlotWords& words) { status = view::plot(words); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // ossloopctl has read them before.
    return ctl::wrong_usage("ossloop-view is started by ossloopctl: " + std::string(error.what()));
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) { return ctl::run_guarded(run_viewer, argc, argv); }
