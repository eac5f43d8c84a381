#include "ossloopctl/side.h"

#include <stdlib.h>

#include "ossloopctl/command.h"
#include "ossloopctl/library.h"
#include "ossloopctl/offers.h"

namespace ossloop::ctl {

std::string SideChoice::device(bool server_by_default, std::string& why) const {
  int number = 0;
  if (!parse_instance(instance, number, why)) return {};
  return (server || (server_by_default && !client) ? "server" : "pcm") + std::to_string(number);
}

std::shared_ptr<SideChoice> add_side_options(CLI::App& command, bool server_by_default) {
  auto choice = std::make_shared<SideChoice>();
  const auto help = [](const char* side, bool by_default) {
    return std::string("Take the ") + side + " side" + (by_default ? " (the default)" : "");
  };
  CLI::Option* server =
      command.add_flag("--server", choice->server, help("server", server_by_default))
          ->option_text(" ");
  command.add_flag("--client", choice->client, help("client", !server_by_default))
      ->excludes(server)
      ->option_text(" ");
  offer(command.add_option("-i,--instance", choice->instance,
                           "Of this instance, " + instance_range() + "; default 0"),
        offer_instances)
      ->option_text("N");
  command.add_option("-w,--wait", choice->wait_seconds, "As the client, wait so long for a server")
      ->check(number_in(0, 86400))
      ->option_text("SECONDS");
  return choice;
}

void prepare_environment(const std::string& library, const std::string& device) {
  ::setenv("LD_PRELOAD", preload_list(library, ::getenv("LD_PRELOAD")).c_str(), 1);
  ::setenv("OSSLOOP_DSP", device.c_str(), 1);
}

}  // namespace ossloop::ctl
