// What the instances do, a line each, again and again.
#include <time.h>

#include <cmath>
#include <iostream>
#include <limits>

#include "ossloopctl/command.h"
#include "ossloopctl/monitor_words.h"
#include "ossloopctl/show.h"

namespace ossloop::ctl {
namespace {

constexpr int kLinesPerHeading = 24;
constexpr double kUsualIntervalSeconds = 1;

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

int print_lines(const MonitorWords& words, const config::Runtime& runtime, int number) {
  const int count = words.count.value_or(std::numeric_limits<int>::max());
  const double interval_seconds = words.interval_seconds.value_or(kUsualIntervalSeconds);
  timespec next{};
  ::clock_gettime(CLOCK_MONOTONIC, &next);
  int lines = 0;
  for (int round = 0; round < count; ++round) {
    if (round > 0) next = sleep_until_next(next, interval_seconds);
    auto views = control::look_at_all(runtime);
    if (words.instance) {
      std::erase_if(views,
                    [&](const control::InstanceView& view) { return view.number != number; });
      if (views.empty()) return failed("there is no instance " + std::to_string(number));
    }
    const double time = unix_time();
    if (words.json) {
      Json line{{"time", time}, {"instances", to_json(views)}};
      std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    }
    for (const control::InstanceView& view : views) {
      if (words.json) break;
      if (lines++ % kLinesPerHeading == 0) print_monitor_heading(std::cout);
      print_monitor_line(std::cout, time, view);
    }
    // One whole line at a time, and no work for a reader that has gone.
    if (!std::cout.flush()) break;
  }
  return kDone;
}

}  // namespace

int monitor_in_lines(const MonitorWords& words) {
  int number = 0;
  std::string why;
  if (words.instance && !parse_instance(*words.instance, number, why)) return wrong_usage(why);
  return with_configuration([&](const config::Runtime& runtime) -> int {
    if (control::check_folder(runtime, false, why) < 0) return failed(why);
    return print_lines(words, runtime, number);
  });
}

}  // namespace ossloop::ctl
