// stdio on devices.
//
// libc's streams call the kernel from inside, past every preloaded library. So a
// stream on a device is one whose reads and writes are functions of ours
// (fopencookie), with the real descriptor put in, so that fileno() tells it. The
// standard streams are variables: they are exchanged while their number is a
// device's.
#pragma once

#include <stdio.h>

namespace ossloop::shim {

// What fopen()'s `mode` means to open(); -1 if it is none.
int open_flags_of(const char* mode);

// A stream on the device `fd`, which it closes in the end. nullptr with errno;
// `fd` is left open then.
FILE* make_stream(int fd, const char* mode);
bool is_stream(FILE* file);
// Gives a stream of ours, whose descriptor is closed, another one.
FILE* change_stream(FILE* file, int fd, const char* mode);

// Number 0, 1 or 2 may stand for something else from now on.
void settle_standard_stream(int fd);
inline void number_changed(int fd) {
  if (static_cast<unsigned>(fd) <= 2) settle_standard_stream(fd);
}
// Puts libc's own stream back in its place: it has to be there to be opened anew.
FILE* original_of(FILE* file);

// Writes out what the program's exit would write when the devices are closed.
void flush_streams();

}  // namespace ossloop::shim
