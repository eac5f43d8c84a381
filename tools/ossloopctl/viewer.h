// The program that draws on a screen (tools/viewer/main.cc).
#pragma once

namespace ossloop::ctl {

// Goes on as the viewer, with the words that this program was given. Returns only if that
// fails: an exit status, after one line.
int become_viewer();

}  // namespace ossloop::ctl
