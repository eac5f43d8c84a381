// Where the preloaded file is.
#pragma once

#include <string>

namespace ossloop::ctl {

// The absolute path of libossloop.so, found from where this tool lies: beside it
// in a build tree, in the library folder when installed. Empty with one line in
// `why`. Needs no /proc.
std::string find_library(std::string& why);

// LD_PRELOAD with `library` first and what it holds now behind; another
// libossloop.so there gives way.
std::string preload_list(const std::string& library, const char* present);

// The folder of the data file of that name, found in the same way. Empty with one line in
// `why`.
std::string find_data(const std::string& name, std::string& why);

// The program of that name that was installed with this one. Empty: it was not.
std::string find_beside(const std::string& name);

// The program that draws, found in the same way (ossloopctl/viewer.h).
std::string find_viewer(std::string& why);

// Links followed; empty where that leads nowhere.
std::string real_path(const std::string& path);

}  // namespace ossloop::ctl
