// ossloopctl run: a program with the library preloaded.
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "ossloopctl/command.h"
#include "ossloopctl/library.h"
#include "ossloopctl/program.h"

namespace ossloop::ctl {
namespace {

struct Options {
  bool server = false;
  bool client = false;
  std::string instance = "0";
};

int start(std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  return failed(words[0] + ": " + std::strerror(errno));
}

int run(const Options& options, std::vector<std::string> words) {
  int number = 0;
  std::string why;
  if (!parse_instance(options.instance, number, why)) return wrong_usage(why);
  // CLI11 takes an option that it does not know for the program.
  if (!words.empty() && words[0].starts_with('-')) {
    return wrong_usage("run: no option '" + words[0] + "'");
  }
  if (words.empty()) return wrong_usage("run: no program; expected run [options] -- program ...");
  return with_configuration([&](const config::Runtime&) -> int {
    const std::string library = find_library(why);
    if (library.empty() || !can_preload(words[0], library, why)) return failed(why);
    const std::string device = (options.server ? "server" : "pcm") + std::to_string(number);
    ::setenv("LD_PRELOAD", preload_list(library, ::getenv("LD_PRELOAD")).c_str(), 1);
    ::setenv("OSSLOOP_DSP", device.c_str(), 1);
    return start(words);
  });
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "run", "Runs a program on the loop: /dev/dsp is a side of an instance for it");
  command->footer("Words: [--server|--client] [-i N] -- program [argument ...]");
  const auto options = std::make_shared<Options>();
  CLI::Option* server =
      command->add_flag("--server", options->server, "/dev/dsp is the server side")
          ->option_text(" ");
  command->add_flag("--client", options->client, "/dev/dsp is the client side (the default)")
      ->excludes(server)
      ->option_text(" ");
  command->add_option("-i,--instance", options->instance, "Of this instance, 0 to 15; default 0")
      ->option_text("N");
  command->prefix_command();
  command->callback([command, options, &status] { status = run(*options, command->remaining()); });
}

}  // namespace ossloop::ctl
