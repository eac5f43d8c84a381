// ossloopctl status: all about an instance, or about every one.
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"
#include "ossloopctl/show.h"

namespace ossloop::ctl {
namespace {

int status_of_one(const config::Runtime& runtime, int number, bool json) {
  const control::InstanceView view = control::look(runtime, number);
  if (!view.exists()) return failed("there is no instance " + std::to_string(number));
  if (json) {
    print_json(std::cout, to_json(view));
  } else {
    print_status(std::cout, view);
  }
  return kDone;
}

int status_of_all(const config::Runtime& runtime, bool json) {
  const auto views = control::look_at_all(runtime);
  if (json) {
    print_json(std::cout, to_json(views));
    return kDone;
  }
  for (const control::InstanceView& view : views) print_status(std::cout, view);
  return kDone;
}

int show_status(const std::optional<std::string>& word, bool json) {
  int number = 0;
  std::string why;
  if (word && !parse_instance(*word, number, why)) return wrong_usage(why);
  return with_configuration([&](const config::Runtime& runtime) -> int {
    if (control::check_folder(runtime, false, why) < 0) return failed(why);
    return word ? status_of_one(runtime, number, json) : status_of_all(runtime, json);
  });
}

}  // namespace

void add_status(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("status", "Tells all about one instance, or about each");
  const auto number = std::make_shared<std::optional<std::string>>();
  const auto json = std::make_shared<bool>(false);
  offer(command->add_option("N", *number, "The instance, " + instance_range()), offer_instances)
      ->option_text(" ");
  command->add_flag("--json", *json, "As JSON: an object with N, an array without");
  command->callback([number, json, &status] { status = show_status(*number, *json); });
}

}  // namespace ossloop::ctl
