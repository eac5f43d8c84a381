// ossloopctl run: a program with the library preloaded.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/error_text.h"
#include "ossloopctl/alsa.h"
#include "ossloopctl/command.h"
#include "ossloopctl/library.h"
#include "ossloopctl/program.h"
#include "ossloopctl/side.h"

namespace ossloop::ctl {
namespace {

int start(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  return failed(words[0] + ": " + base::error_text(errno));
}

int run(const SideChoice& side, bool alsa, std::vector<std::string> words) {
  std::string why;
  const std::string device = side.device(false, why);
  if (device.empty()) return wrong_usage(why);
  // CLI11 takes an option that it does not know for the program.
  if (!words.empty() && words[0].starts_with('-')) {
    return wrong_usage("run: no option " + config::quote(words[0]));
  }
  if (words.empty()) return wrong_usage("run: no program; expected run [options] -- program ...");
  return with_configuration([&](const config::Runtime&) -> int {
    const std::string library = find_library(why);
    if (library.empty() || !can_preload(words[0], library, why)) return failed(why);
    if (alsa && !prepare_alsa(why)) return failed(why);
    prepare_environment(library, device);
    if (side.wait_seconds > 0) {
      ::setenv("OSSLOOP_OPEN_WAIT", std::to_string(side.wait_seconds).c_str(), 1);
    }
    return start(words);
  });
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "run", "Runs a program on the loop: /dev/dsp is a side of an instance for it");
  command->footer(
      "Words: [--alsa] [--server|--client] [-i N] [-w SECONDS] -- program [argument ...]");
  const auto side = add_side_options(*command, false);
  const auto alsa = std::make_shared<bool>(false);
  command->add_flag("--alsa", *alsa, "Be ALSA's default sound card, too")->option_text(" ");
  command->prefix_command();
  command->callback(
      [command, side, alsa, &status] { status = run(*side, *alsa, command->remaining()); });
}

}  // namespace ossloop::ctl
