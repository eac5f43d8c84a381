#include "ossloopctl/monitor_words.h"

#include <unistd.h>

#include <limits>
#include <memory>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {

bool MonitorWords::want_screen() const {
  return !json && !lines && !count && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

void add_monitor_words(CLI::App& app, const std::function<void(const MonitorWords&)>& run) {
  CLI::App* command = app.add_subcommand("monitor", "Shows what instances do, until q or Ctrl-C");
  command->footer(
      "On a terminal it fills the screen; ? tells its keys. Elsewhere, and with --lines,\n"
      "--count or --json, it prints a line for each instance again and again.");
  const auto words = std::make_shared<MonitorWords>();
  offer(command->add_option("N", words->instance, "Only this instance, " + instance_range()),
        offer_instances)
      ->option_text(" ");
  command
      ->add_option("-t,--interval", words->interval_seconds,
                   "Between looks, 0.01 to 3600; default 1, on the screen 0.25")
      ->check(number_in(0.01, 3600))
      ->option_text("SECONDS");
  command->add_option("-n,--count", words->count, "End after so many lines of each instance")
      ->check(whole_number_in(1, std::numeric_limits<int>::max()))
      ->option_text("N");
  command->add_flag("--lines", words->lines, "Lines on a terminal, too")->option_text(" ");
  command->add_flag("--json", words->json,
                    "As JSON: an object with time and instances in each line");
  command->callback([words, run] { run(*words); });
}

}  // namespace ossloop::ctl
