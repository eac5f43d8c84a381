// ossloopctl set: other policies for an instance, running or not.
#include <iostream>
#include <memory>

#include "control/view.h"
#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

// A converter is made when a program opens its side or chooses its format, and
// keeps what it was made with.
void tell_what_waits(const config::Runtime& runtime, int number, const control::Changes& changes) {
  if (!control::look(runtime, number).in_use()) return;
  for (const config::Key& key : config::kKeys) {
    if (key.effect != config::Effect::kAtOpen || !changes.names(key.name)) continue;
    std::cout << key.name << " takes effect at the next open\n";
  }
}

int set(const std::string& word, const std::vector<std::string>& words) {
  int number = 0;
  control::Changes changes;
  std::string why;
  if (!parse_instance(word, number, why)) return wrong_usage(why);
  if (!parse_changes(words, changes, why)) return wrong_usage(why);
  if (changes.empty()) return wrong_usage("set: nothing to set; expected key=value");
  return with_configuration([&](const config::Runtime& runtime) -> int {
    if (control::set(runtime, number, changes, why) < 0) return failed(why);
    tell_what_waits(runtime, number, changes);
    return kDone;
  });
}

}  // namespace

void add_set(CLI::App& app, int& status) {
  CLI::App* command =
      app.add_subcommand("set", "Changes policies of an instance, also while it runs");
  const auto number = std::make_shared<std::string>();
  const auto words = std::make_shared<std::vector<std::string>>();
  offer(command->add_option("N", *number, "The instance, " + instance_range()), offer_instances)
      ->required()
      ->option_text(" ");
  offer(command->add_option("words", *words, "key=value ..."), offer_policies)->option_text(" ");
  command->footer(policy_help());
  command->callback([number, words, &status] { status = set(*number, *words); });
}

}  // namespace ossloop::ctl
