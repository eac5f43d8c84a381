// ossloopctl list: a line for each instance.
#include <iostream>
#include <memory>

#include "ossloopctl/command.h"
#include "ossloopctl/show.h"

namespace ossloop::ctl {
namespace {

int list(bool json) {
  return with_configuration([&](const config::Runtime& runtime) -> int {
    std::string why;
    if (control::check_folder(runtime, false, why) < 0) return failed(why);
    const auto views = control::look_at_all(runtime);
    if (json) {
      print_json(std::cout, to_json(views));
    } else {
      print_table(std::cout, views);
    }
    return kDone;
  });
}

}  // namespace

void add_list(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("list", "Lists the instances");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "As JSON: an array with all that 'status' tells");
  command->callback([json, &status] { status = list(*json); });
}

}  // namespace ossloop::ctl
