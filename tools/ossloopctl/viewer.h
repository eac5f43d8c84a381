// The program that draws, on a screen or into a picture (tools/viewer/main.cc).
#pragma once

#include <spawn.h>

#include <string>
#include <vector>

namespace ossloop::ctl {

// Goes on as the viewer, with the words that this program was given. Returns only if that
// fails: an exit status, after one line.
int become_viewer();

// Draws the sound in a file, in a process of its own that is not waited for; -1 with one
// line in `why`. `words` as of `ossloopctl plot`.
pid_t start_plot(const std::vector<std::string>& words, std::string& why);
// Waits for it. False: it failed, and has said why.
bool finish_plot(pid_t process, const std::string& picture);

}  // namespace ossloop::ctl
