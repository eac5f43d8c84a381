// The side of an instance that a program, or this tool itself, takes.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace ossloop::ctl {

struct SideChoice {
  bool server = false;
  bool client = false;
  std::string instance = "0";
  double wait_seconds = 0;

  // "server3" or "pcm3", as OSSLOOP_DSP takes it. Empty with one line in `why`.
  // Neither flag: the server if `server_by_default`.
  std::string device(bool server_by_default, std::string& why) const;
};

// Adds --server, --client, -i and --wait to `command`.
std::shared_ptr<SideChoice> add_side_options(CLI::App& command, bool server_by_default);

// Sets the environment of a program on `device`: the library preloaded, every
// device name without a number standing for `device`.
void prepare_environment(const std::string& library, const std::string& device);

}  // namespace ossloop::ctl
