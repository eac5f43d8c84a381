// ossloopctl create: a new instance.
#include <iostream>
#include <memory>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

int create(std::vector<std::string> words) {
  int number = control::kFirstFree;
  control::Changes changes;
  std::string why;
  if (!words.empty() && words.front().find('=') == std::string::npos) {
    if (!parse_instance(words.front(), number, why)) return wrong_usage(why);
    words.erase(words.begin());
  }
  if (!parse_changes(words, changes, why)) return wrong_usage(why);
  return with_configuration([&](const config::Runtime& runtime) -> int {
    number = control::create(runtime, number, changes, why);
    if (number < 0) return failed(why);
    std::cout << number << "\n";
    return kDone;
  });
}

}  // namespace

void add_create(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "create", "Makes instance N, or the first free one, and prints its number");
  const auto words = std::make_shared<std::vector<std::string>>();
  offer(command->add_option("words", *words, "[N] [key=value ...]"), offer_new_instance)
      ->option_text(" ");
  command->footer(policy_help());
  command->callback([words, &status] { status = create(*words); });
}

}  // namespace ossloop::ctl
