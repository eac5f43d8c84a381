// ossloopctl destroy: an instance goes.
#include <memory>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

int destroy(const std::string& word) {
  int number = 0;
  std::string why;
  if (!parse_instance(word, number, why)) return wrong_usage(why);
  return with_configuration([&](const config::Runtime& runtime) -> int {
    return control::destroy(runtime, number, why) < 0 ? failed(why) : kDone;
  });
}

}  // namespace

void add_destroy(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("destroy", "Removes an instance that nobody has open");
  const auto number = std::make_shared<std::string>();
  offer(command->add_option("N", *number, "The instance, " + instance_range()), offer_instances)
      ->required()
      ->option_text(" ");
  command->callback([number, &status] { status = destroy(*number); });
}

}  // namespace ossloop::ctl
