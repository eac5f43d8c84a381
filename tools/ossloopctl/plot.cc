// ossloopctl plot: a picture of a sound.
#include "ossloopctl/command.h"
#include "ossloopctl/plot_words.h"
#include "ossloopctl/viewer.h"

namespace ossloop::ctl {

void add_plot(CLI::App& app, int& status) {
  add_plot_words(app, [&status](const PlotWords& words) {
    std::string why;
    status = check(words, why) ? become_viewer() : wrong_usage(why);
  });
}

}  // namespace ossloop::ctl
