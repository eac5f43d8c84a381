// What the commands of ossloopctl have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/runtime.h"
#include "control/commands.h"

namespace ossloop::ctl {

enum Status : int { kDone = 0, kFailed = 1, kUsage = 2 };

// Each adds its subcommand to `app`. When the words name it, it runs and leaves
// its exit status in `status`.
void add_create(CLI::App& app, int& status);
void add_destroy(CLI::App& app, int& status);
void add_list(CLI::App& app, int& status);
void add_status(CLI::App& app, int& status);
void add_set(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_play(CLI::App& app, int& status);
void add_record(CLI::App& app, int& status);
void add_monitor(CLI::App& app, int& status);
void add_plot(CLI::App& app, int& status);
void add_bridge(CLI::App& app, int& status);
void add_api(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);

// Prints what may stand in place of the last of `words`, which follow the tool's name: a
// line for each, a tab before what it means. Behind a colon stands what the shell knows
// itself: ":files", or ":program N" where the word N, from 0, is a program and the rest is
// its own. The completions of the shells (tools/completion) ask so.
void complete(const CLI::App& app, const std::vector<std::string>& words);

// Says why, as one line on standard error, and returns the exit status.
int failed(const std::string& why);
int wrong_usage(const std::string& why);

// What main() does: `run`, and what it throws told as one line.
int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv);

// "0 to 15".
std::string instance_range();

// Reads one of them. False with one line in `why`.
bool parse_instance(const std::string& word, int& number, std::string& why);

// Reads every word as key=value. False with one line in `why`.
bool parse_changes(const std::vector<std::string>& words, control::Changes& changes,
                   std::string& why);

// What CLI11 is to take for an option; the answer to anything else is one line that
// tells the range.
CLI::Validator number_in(double low, double high);
CLI::Validator whole_number_in(int low, int high);

// The policies and their values, for help texts.
std::string policy_help();

// Runs `command` with the configuration. A bad line in it ends the command: the
// user is to see it.
int with_configuration(const std::function<int(const config::Runtime&)>& command);

}  // namespace ossloop::ctl
