// Open-file-description locks on single bytes, which a file need not hold: the kernel keeps
// them over dup, fork and exec, and drops them with the last descriptor, kill -9 included.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

namespace ossloop::shm {

// `type`: F_WRLCK keeps everybody else out, F_RDLCK those that want it alone; F_UNLCK. 0,
// -EBUSY, or why the system refuses locks.
int lock_byte(int fd, off_t byte, short type = F_WRLCK);
// What a description other than fd's own has there: F_UNLCK if nothing.
short lock_of_other(int fd, off_t byte);
// The same of any description, its own among them.
short lock_of_any(int fd, off_t byte);
inline bool is_locked(int fd, off_t byte) { return lock_of_other(fd, byte) != F_UNLCK; }

}  // namespace ossloop::shm
