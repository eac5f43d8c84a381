// ossloopctl run: a program with the library preloaded.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/error_text.h"
#include "ossloopctl/alsa.h"
#include "ossloopctl/command.h"
#include "ossloopctl/hear.h"
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

struct Extras {
  bool alsa = false;
  bool hear = false;
  bool speak = false;
};

int run(const SideChoice& side, const Extras& extras, std::vector<std::string> words) {
  std::string why;
  const std::string device = side.device(false, why);
  if (device.empty()) return wrong_usage(why);
  // CLI11 takes an option that it does not know for the program.
  if (!words.empty() && words[0].starts_with('-')) {
    return wrong_usage("run: no option " + config::quote(words[0]));
  }
  if (words.empty()) return wrong_usage("run: no program; expected run [options] -- program ...");
  return with_configuration([&](const config::Runtime& runtime) -> int {
    const std::string library = find_library(why);
    if (library.empty() || !can_preload(words[0], library, why)) return failed(why);
    if (extras.alsa && !prepare_alsa(why)) return failed(why);
    if (extras.hear) {
      return run_heard(runtime, extras.speak, [&](const std::string& own) {
        prepare_environment(library, own);
        return start(words);
      });
    }
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
      "Words: [--alsa] [--server|--client] [-i N] [-w SECONDS] -- program [argument ...]\n"
      "or:    [--alsa] --hear [--speak] -- program [argument ...]");
  const auto side = add_side_options(*command, false);
  const auto extras = std::make_shared<Extras>();
  command->add_flag("--alsa", extras->alsa, "Be ALSA's default sound card, too")->option_text(" ");
  CLI::Option* hear =
      command->add_flag("--hear", extras->hear, "Be heard: an instance of its own, with a bridge")
          ->option_text(" ");
  for (const char* other : {"--server", "--client", "--instance"})
    hear->excludes(command->get_option(other));
  command->add_flag("--speak", extras->speak, "With the microphone, too")
      ->needs(hear)
      ->option_text(" ");
  command->prefix_command();
  command->callback(
      [command, side, extras, &status] { status = run(*side, *extras, command->remaining()); });
}

}  // namespace ossloop::ctl
