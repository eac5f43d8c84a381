// ossloopctl bridge: an instance at a sound server.
#include <memory>

#include "ossloopctl/bridge_program.h"
#include "ossloopctl/command.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {
namespace {

int start(bridge::Options options) {
  int number = 0;
  std::string why;
  if (!parse_instance(options.instance, number, why)) return wrong_usage(why);
  if (!options.in) options.out = true;
  return with_configuration([&](const config::Runtime& runtime) -> int {
    become_bridge(runtime, options, number, -1, why);
    return failed("bridge: " + why);
  });
}

}  // namespace

void add_bridge(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "bridge", "Joins an instance to a sound server: what clients play is heard");
  command->footer("It takes the server side, and ends with Ctrl-C.");
  const auto options = std::make_shared<bridge::Options>();
  offer(command->add_option("N", options->instance,
                            "The instance, " + instance_range() + "; default 0"),
        offer_instances)
      ->option_text(" ");
  command->add_flag("--out", options->out, "Clients play to the card (the default)")
      ->option_text(" ");
  command->add_flag("--in", options->in, "Clients record from the card; both need duplex=on")
      ->option_text(" ");
  command->add_option("--to", options->to, "pulse, alsa or auto: pulse if a server answers")
      ->check(CLI::IsMember({"pulse", "alsa", "auto"}))
      ->option_text("KIND");
  command->add_option("--device", options->device, "The sink or source, or ALSA's name of a PCM")
      ->option_text("NAME");
  command
      ->add_option("--latency", options->latency_ms,
                   "Of sound ahead of the card, in milliseconds; default 30")
      ->check(whole_number_in(bridge::kShortestLatencyMs, bridge::kLongestLatencyMs))
      ->option_text("MS");
  command->add_flag("-v,--verbose", options->verbose, "Tell streams and how they keep step")
      ->option_text(" ");
  command->callback([options, &status] { status = start(*options); });
}

}  // namespace ossloop::ctl
