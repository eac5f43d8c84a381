// ossloopctl completion: what a shell needs to complete the words of this tool.
#include <iostream>
#include <memory>

#include "completion/scripts.h"
#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

std::string shell_names() {
  std::string names;
  for (const CompletionScript& script : kCompletionScripts) {
    names += (names.empty() ? "" : ", ") + std::string(script.shell);
  }
  return names;
}

Offers offer_shells(const std::string&, std::size_t) {
  Offers offers;
  for (const CompletionScript& script : kCompletionScripts) {
    offers.words.push_back({std::string(script.shell), ""});
  }
  return offers;
}

int print_script(const std::string& shell) {
  for (const CompletionScript& script : kCompletionScripts) {
    if (script.shell != shell) continue;
    std::cout << script.text;
    return kDone;
  }
  return wrong_usage("completion: no shell " + config::quote(shell) + "; expected one of " +
                     shell_names());
}

}  // namespace

void add_completion(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("completion", "Prints the script that completes this tool in a shell");
  const auto shell = std::make_shared<std::string>();
  offer(command->add_option("SHELL", *shell, "One of " + shell_names()), offer_shells)
      ->required()
      ->option_text(" ");
  command->footer("It is installed with the tool. Otherwise: source <(ossloopctl completion bash)");
  command->callback([shell, &status] { status = print_script(*shell); });
}

}  // namespace ossloop::ctl
