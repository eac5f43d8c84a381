// What the words of `monitor` say, and its way to tell it in lines.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

namespace ossloop::ctl {

struct MonitorWords {
  std::optional<std::string> instance;
  std::optional<double> interval_seconds;
  std::optional<int> count;
  bool json = false;
  bool lines = false;

  // Nothing that only lines can be, and a terminal at both ends.
  bool want_screen() const;
};

// Adds the subcommand; `run` is called when the words name it.
void add_monitor_words(CLI::App& app, const std::function<void(const MonitorWords&)>& run);

// Prints lines, or JSON, until Ctrl-C or the count. Returns an exit status.
int monitor_in_lines(const MonitorWords& words);

}  // namespace ossloop::ctl
