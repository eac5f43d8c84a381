// Folders being read in which we have entries.
#pragma once

#include <dirent.h>

#include "shim/paths/virtual_directory.h"

namespace ossloop::shim {

// `dir` lists `folder`: after its own entries ours follow. False: no memory.
bool add_listing(DIR* dir, Folder folder);
// kNone for every other folder.
Folder listed_folder(DIR* dir);
void forget_listing(DIR* dir);

// What comes after libc's last entry; nullptr at the end.
dirent* next_listed(DIR* dir);
void rewind_listing(DIR* dir);
// A place among our entries, and back to it. tell: -1 while libc's are not over;
// seek: false for a place that is not ours.
long tell_listing(DIR* dir);
bool seek_listing(DIR* dir, long place);
// Are libc's entries over?
bool at_injected_entries(DIR* dir);

}  // namespace ossloop::shim
