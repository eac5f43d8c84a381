#include "ossloopctl/library.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace ossloop::ctl {
namespace {

constexpr const char* kName = "libossloop.so";
constexpr const char* kViewer = "ossloop-view";

std::string own_folder() {
  // As the kernel was asked to run it, a folder of PATH included.
  const auto* called = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const std::string path = real_path(called != nullptr ? called : "");
  return path.substr(0, path.rfind('/') + 1);
}

}  // namespace

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
  return real != nullptr ? real.get() : "";
}

std::string find_beside(const std::string& name) {
  const std::string path = own_folder() + name;
  return path[0] == '/' && ::access(path.c_str(), X_OK) == 0 ? path : "";
}

std::string find_data(const std::string& name, std::string& why) {
  const std::string own = own_folder();
  for (const std::string& folder :
       {own + OSSLOOP_DATA_FROM_BIN, own + "../share/ossloop", std::string(OSSLOOP_DATA_FOLDER)}) {
    std::string path = folder[0] == '/' ? real_path(folder) : "";
    if (!path.empty() && ::access((path + "/" + name).c_str(), R_OK) == 0) return path;
  }
  why = name + " is neither in " + own + "../share/ossloop nor in " OSSLOOP_DATA_FOLDER;
  return {};
}

std::string find_viewer(std::string& why) {
  const std::string own = own_folder();
  for (const std::string& folder : {own + OSSLOOP_LIBEXEC_FROM_BIN, own + "../libexec/ossloop",
                                    std::string(OSSLOOP_LIBEXEC_FOLDER)}) {
    const std::string path = folder[0] == '/' ? real_path(folder + "/" + kViewer) : "";
    if (!path.empty() && ::access(path.c_str(), X_OK) == 0) return path;
  }
  why = std::string(kViewer) + ", which draws, is neither in " + own +
        "../libexec/ossloop nor in " OSSLOOP_LIBEXEC_FOLDER;
  return {};
}

std::string find_library(std::string& why) {
  const std::string own = own_folder();
  for (const std::string& folder :
       {own + OSSLOOP_LIBRARY_FROM_BIN, own + "../lib", std::string(OSSLOOP_LIBRARY_FOLDER)}) {
    std::string path = folder[0] == '/' ? real_path(folder) : "";
    if (path.empty() || ::access((path + "/" + kName).c_str(), R_OK) != 0) continue;
    path += std::string("/") + kName;
    if (path.find_first_of(" :") == std::string::npos) return path;
    why = path + ": LD_PRELOAD cannot name a path with a blank or a colon";
    return {};
  }
  why = std::string(kName) + " is neither in " + own + "../lib nor in " OSSLOOP_LIBRARY_FOLDER;
  return {};
}

std::string preload_list(const std::string& library, const char* present) {
  std::string list = library;
  std::string rest = present != nullptr ? present : "";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(" :"), rest.size());
    const std::string entry = rest.substr(0, end);
    rest.erase(0, end + 1);
    const std::string base = entry.substr(entry.rfind('/') + 1);
    if (!entry.empty() && base != kName) list += ":" + entry;
  }
  return list;
}

}  // namespace ossloop::ctl
