#include "ossloopctl/alsa.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "ossloopctl/library.h"

namespace ossloop::ctl {
namespace {

constexpr const char* kLibrary = "libasound.so.2";
constexpr const char* kPlugin = "alsa-lib/libasound_module_pcm_ossloop.so";

}  // namespace

// A program that can be preloaded is of the same kind as this one, and so is its ALSA.
bool prepare_alsa(std::string& why) {
  const std::string folder = find_data("alsa.conf", why);
  if (folder.empty()) return false;
  if (::dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    why = std::string("--alsa: ") + kLibrary + " is not installed (Debian: libasound2)";
    return false;
  }
  const std::string library = find_library(why);
  if (library.empty()) return false;
  const std::string beside = library.substr(0, library.rfind('/') + 1);
  if (::access((beside + kPlugin).c_str(), R_OK) != 0) {
    why = "--alsa: " + beside + kPlugin + " is missing: ossloop was built without ALSA";
    return false;
  }
  ::setenv("ALSA_CONFIG_PATH", (folder + "/alsa.conf").c_str(), 1);
  ::setenv("OSSLOOP_ALSA_FOLDER", folder.c_str(), 1);
  ::setenv("OSSLOOP_ALSA_PLUGINS", (beside + "alsa-lib").c_str(), 1);
  return true;
}

}  // namespace ossloop::ctl
