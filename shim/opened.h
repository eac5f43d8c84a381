// Opening by name, for every call that does.
#pragma once

#include <errno.h>
#include <fcntl.h>

#include "shim/router.h"
#include "shim/streams.h"

namespace ossloop::shim {

inline constexpr int kNotOurs = -1000000;

// The descriptor or -errno of a device, kNotOurs for any other path.
int try_device(int dirfd, const char* path, int flags);
// The same after libc said ENOENT: a link to a device leads to nothing in the
// file system.
int try_link(int dirfd, const char* path, int flags);

// A descriptor, or -1 and errno. `next` asks libc.
template <typename Next>
int open_or(int dirfd, const char* path, int flags, Next next) {
  const int saved = errno;
  int result = try_device(dirfd, path, flags);
  if (result == kNotOurs) {
    const int fd = next();
    if (fd >= 0) {
      is_foreign(fd);
      return fd;
    }
    if (errno != ENOENT || (flags & O_NOFOLLOW) != 0) return fd;
    result = try_link(dirfd, path, flags);
    if (result == kNotOurs) return fd;
  }
  errno = saved;
  number_changed(result);
  return to_libc(result);
}

}  // namespace ossloop::shim
