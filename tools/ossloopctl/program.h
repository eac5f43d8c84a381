// Whether a program can be preloaded, found out before it starts.
#pragma once

#include <string>

namespace ossloop::ctl {

// Follows `name` as execvp would, through the interpreters of scripts. False
// with one line in `why`: not found, not executable, static, set-user-ID or
// set-group-ID, with file capabilities, or made for another system than
// `library`.
bool can_preload(const std::string& name, const std::string& library, std::string& why);

}  // namespace ossloop::ctl
