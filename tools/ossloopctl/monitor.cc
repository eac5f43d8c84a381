// ossloopctl monitor: what the instances do, again and again.
#include <time.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"
#include "ossloopctl/show.h"

namespace ossloop::ctl {
namespace {

constexpr int kLinesPerHeading = 24;

struct Options {
  std::optional<std::string> instance;
  double interval_seconds = 1;
  int count = std::numeric_limits<int>::max();
  bool json = false;
};

timespec sleep_until_next(timespec next, double seconds) {
  const auto ns = static_cast<long>(std::lround(std::fmod(seconds, 1) * 1e9)) + next.tv_nsec;
  next.tv_sec += static_cast<time_t>(seconds) + ns / 1'000'000'000;
  next.tv_nsec = ns % 1'000'000'000;
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr) == EINTR) {
  }
  return next;
}

double unix_time() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + std::floor(static_cast<double>(now.tv_nsec) / 1e6) / 1e3;
}

int monitor(const Options& options, const config::Runtime& runtime, int number) {
  timespec next{};
  ::clock_gettime(CLOCK_MONOTONIC, &next);
  int lines = 0;
  for (int round = 0; round < options.count; ++round) {
    if (round > 0) next = sleep_until_next(next, options.interval_seconds);
    auto views = control::look_at_all(runtime);
    if (options.instance) {
      std::erase_if(views,
                    [&](const control::InstanceView& view) { return view.number != number; });
      if (views.empty()) return failed("there is no instance " + std::to_string(number));
    }
    const double time = unix_time();
    if (options.json) {
      Json line{{"time", time}, {"instances", to_json(views)}};
      std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    }
    for (const control::InstanceView& view : views) {
      if (options.json) break;
      if (lines++ % kLinesPerHeading == 0) print_monitor_heading(std::cout);
      print_monitor_line(std::cout, time, view);
    }
    // One whole line at a time, and no work for a reader that has gone.
    if (!std::cout.flush()) break;
  }
  return kDone;
}

int start(const Options& options) {
  int number = 0;
  std::string why;
  if (options.instance && !parse_instance(*options.instance, number, why)) {
    return wrong_usage(why);
  }
  return with_configuration([&](const config::Runtime& runtime) -> int {
    if (control::check_folder(runtime, false, why) < 0) return failed(why);
    return monitor(options, runtime, number);
  });
}

}  // namespace

void add_monitor(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("monitor", "Prints what instances do, a line each, until Ctrl-C");
  const auto options = std::make_shared<Options>();
  offer(command->add_option("N", options->instance, "Only this instance, " + instance_range()),
        offer_instances)
      ->option_text(" ");
  command
      ->add_option("-t,--interval", options->interval_seconds,
                   "Between lines, 0.01 to 3600; default 1")
      ->check(number_in(0.01, 3600))
      ->option_text("SECONDS");
  command->add_option("-n,--count", options->count, "End after so many lines of each instance")
      ->check(whole_number_in(1, std::numeric_limits<int>::max()))
      ->option_text("N");
  command->add_flag("--json", options->json,
                    "As JSON: an object with time and instances in each line");
  command->callback([options, &status] { status = start(*options); });
}

}  // namespace ossloop::ctl
