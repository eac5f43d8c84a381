#include "ossloopctl/bridge_program.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "base/error_text.h"
#include "control/view.h"
#include "ossloopctl/library.h"
#include "ossloopctl/side.h"

namespace ossloop::ctl {
namespace {

constexpr const char* kName = "ossloop-bridge";

std::vector<std::string> words_of(const bridge::Options& options, int number, int ready_fd) {
  std::vector<std::string> words{kName, "--instance=" + std::to_string(number),
                                 "--to=" + options.to,
                                 "--latency=" + std::to_string(options.latency_ms)};
  if (!options.device.empty()) words.push_back("--device=" + options.device);
  if (options.in) words.emplace_back("--in");
  if (options.out) words.emplace_back("--out");
  if (options.verbose) words.emplace_back("--verbose");
  if (ready_fd >= 0) words.push_back("--ready=" + std::to_string(ready_fd));
  return words;
}

// The card that ALSA has beside the loop: where the loop is its default, that is not the one.
void leave_own_alsa() {
  if (::getenv("OSSLOOP_ALSA_FOLDER") == nullptr) return;
  for (const char* name : {"ALSA_CONFIG_PATH", "OSSLOOP_ALSA_FOLDER", "OSSLOOP_ALSA_PLUGINS"})
    ::unsetenv(name);
}

}  // namespace

void become_bridge(const config::Runtime& runtime, const bridge::Options& options, int number,
                   int ready_fd, std::string& why) {
  const std::string path = find_beside(kName);
  if (path.empty()) {
    why = std::string(kName) + " is not installed (package ossloop-bridge)";
    return;
  }
  const std::string library = find_library(why);
  if (library.empty() || control::check_folder(runtime, true, why) < 0) return;
  prepare_environment(library, "server" + std::to_string(number));
  leave_own_alsa();
  // What fails is told once, in its own words, unless the user asks for the log.
  ::setenv("OSSLOOP_LOG", "off", 0);
  std::vector<std::string> words = words_of(options, number, ready_fd);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(path.c_str(), arguments.data());
  why = path + ": " + base::error_text(errno);
}

}  // namespace ossloop::ctl
