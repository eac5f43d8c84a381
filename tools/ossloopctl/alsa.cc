#include "ossloopctl/alsa.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "ossloopctl/library.h"

namespace ossloop::ctl {
namespace {

constexpr const char* kLibrary = "libasound.so.2";
constexpr const char* kPlugin = "libasound_module_pcm_oss.so";

// Where the ALSA of this machine looks for its plugins; empty where it has none. A program
// that can be preloaded is of the same kind as this one, and so is its ALSA.
std::string plugin_folder() {
  void* const library = ::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return {};
  if (const char* chosen = ::getenv("ALSA_PLUGIN_DIR"); chosen != nullptr) return chosen;
  Dl_info info{};
  void* const known = ::dlsym(library, "snd_pcm_open");
  if (known == nullptr || ::dladdr(known, &info) == 0) return {};
  const std::string path = real_path(info.dli_fname);
  return path.substr(0, path.rfind('/')) + "/alsa-lib";
}

}  // namespace

bool prepare_alsa(std::string& why) {
  const std::string folder = find_data("alsa.conf", why);
  if (folder.empty()) return false;
  const std::string plugins = plugin_folder();
  if (plugins.empty()) {
    why = std::string("--alsa: ") + kLibrary + " is not installed (Debian: libasound2)";
    return false;
  }
  const std::string plugin = plugins + "/" + kPlugin;
  if (::access(plugin.c_str(), R_OK) != 0) {
    why = "--alsa: " + plugin + " is not installed (Debian: libasound2-plugins)";
    return false;
  }
  ::setenv("ALSA_CONFIG_PATH", (folder + "/alsa.conf").c_str(), 1);
  ::setenv("OSSLOOP_ALSA_FOLDER", folder.c_str(), 1);
  return true;
}

}  // namespace ossloop::ctl
