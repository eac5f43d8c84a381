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

}  // namespace ossloop::ctl
