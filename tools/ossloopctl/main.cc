// ossloopctl: makes, shows, changes and removes loops, and runs programs on them.
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "config/config.h"
#include "ossloopctl/command.h"
#include "ossloopctl/device.h"

namespace {

using namespace ossloop;

// CLI11 explains over several lines; one is enough.
std::string one_line(std::string text) {
  text.erase(text.find_last_not_of("\n ") + 1);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// The words as typed, less a "--" before the program that `run` starts: CLI11
// would take it for the end of the subcommand.
std::vector<std::string> words_of(const CLI::App& run, int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty() || words[0] != "run") return words;
  for (std::size_t i = 1; i < words.size() && words[i].starts_with('-'); ++i) {
    if (words[i] == "--") {
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    const CLI::Option* option = run.get_option_no_throw(words[i]);
    if (option != nullptr && option->get_items_expected() > 0) ++i;
  }
  return words;
}

std::string explain(const CLI::App& app, const CLI::ParseError& error, const std::string& command) {
  const auto chosen = app.get_subcommands();
  if (!chosen.empty()) {
    const std::vector<std::string> rest = chosen[0]->remaining();
    const bool unexpected =
        dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !rest.empty();
    if (unexpected) return command + ": " + config::quote(rest[0]) + " is not expected";
    const std::string text = command + ": " + one_line(error.what());
    // CLI11 says "--wait: 1 required FLOAT missing".
    const bool valueless = dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr;
    return valueless ? text.substr(0, text.rfind(':')) + ": no value" : text;
  }
  if (command.starts_with('-')) return "no option " + config::quote(command);
  std::string names;
  for (const CLI::App* subcommand : app.get_subcommands({})) {
    names += (names.empty() ? "" : ", ") + subcommand->get_name();
  }
  return (command.empty() ? "no command" : "no command " + config::quote(command)) +
         "; expected one of " + names;
}

int parse_and_run(CLI::App& app, const std::vector<std::string>& words, const int& status) {
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return ctl::wrong_usage(explain(app, error, words.empty() ? "" : words[0]) +
                            "; 'ossloopctl --help' tells more");
  }
  return status;
}

int run_tool(int argc, char** argv) {
  ctl::remember_words(argv);
  // What fails is told once, in our own words, unless the user asks for the log.
  if (!base::start_log(::getenv("OSSLOOP_LOG"))) {
    base::start_log("off");
    ::unsetenv("OSSLOOP_LOG");
  }

  CLI::App app("Makes, shows, changes and removes loopback sound devices.", "ossloopctl");
  app.set_version_flag("--version", "ossloopctl " OSSLOOP_VERSION);
  app.require_subcommand(1);
  app.footer("Exit status: 0, 1 if it failed, 2 if the command line is wrong.");
  int status = ctl::kDone;
  for (const auto add :
       {ctl::add_create, ctl::add_destroy, ctl::add_list, ctl::add_status, ctl::add_set,
        ctl::add_run, ctl::add_play, ctl::add_record, ctl::add_monitor, ctl::add_plot,
        ctl::add_bridge, ctl::add_api, ctl::add_completion}) {
    add(app, status);
  }
  // Nobody types it: it is no command.
  if (argc > 1 && std::string_view(argv[1]) == "complete") {
    ctl::complete(app, {argv + 2, argv + argc});
  } else {
    status = parse_and_run(app, words_of(*app.get_subcommand("run"), argc, argv), status);
  }
  if (!std::cout.flush()) return ctl::failed("cannot write to standard output");
  return status;
}

}  // namespace

int main(int argc, char** argv) { return ctl::run_guarded(run_tool, argc, argv); }
