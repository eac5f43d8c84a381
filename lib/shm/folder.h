// The runtime folder: where the segments and nodes of one user lie.
#pragma once

#include <sys/types.h>

#include <string>

namespace ossloop::shm {

// Makes the folder if it is missing and checks whose it is: ours (or root's or
// the group's with a shared mode), a real folder, not open to everybody.
// 0 or -errno, with the reason in `why`. `create` false only checks, and a missing
// folder needs no reason.
int prepare_folder(const std::string& path, mode_t file_mode, bool create, std::string& why);
// Logs the reason.
int prepare_folder(const std::string& path, mode_t file_mode, bool create);

}  // namespace ossloop::shm
