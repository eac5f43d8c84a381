// The folders in which our names lie: /dev, which is real, and those below it,
// which exist nowhere. A program that opens or enters one of these gets an empty
// folder of the runtime folder, and we fill in what it lists and where it is.
#pragma once

#include <stddef.h>

#include "config/device_path.h"

namespace ossloop::shim {

enum class Folder : unsigned char { kNone, kDev, kSound, kOss, kLoop };

inline bool is_virtual(Folder folder) { return folder > Folder::kDev; }
// "/dev/oss"; nullptr for kNone.
const char* text_of(Folder folder);
Folder folder_of(const config::DeviceName& name);
config::DeviceName name_of(Folder folder);

// A folder of libc's view that has ours in it: is it /dev?
bool is_dev(int dirfd, const char* path);

// Where the process is, as far as it is in a virtual folder. Asked of the kernel
// once after each change.
Folder working_folder();
void working_folder_changed();
// What a folder's descriptor is; kDev and kNone look alike here.
Folder folder_of_descriptor(int fd);

// A name that `folder` has, or false at the end. `position` begins at 0 and goes
// on from call to call. Real entries of /dev are passed over.
struct FolderEntry {
  char text[24];
  config::DeviceName name;
};
bool next_entry(Folder folder, long& position, FolderEntry& entry);
// Does `folder` have this name? The family's answer, whether or not the instance
// exists.
bool find_entry(Folder folder, const char* text, size_t length, config::DeviceName& name);
// Puts an instance's number, 0 to 99, behind a text.
void append_number(char* text, int number);

}  // namespace ossloop::shim
