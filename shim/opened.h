// Opening by name, for every call that does.
#pragma once

#include <errno.h>
#include <fcntl.h>

#include "shim/place.h"
#include "shim/streams.h"

namespace ossloop::shim {

inline constexpr int kNotOurs = -1000000;

// A descriptor of a device or virtual folder, or -errno; kNotOurs if there is no
// engine.
int open_place(const Place& place, int flags);

// A descriptor, or -1 and errno. `next` asks libc.
template <typename Next>
int open_or(int dirfd, const char* path, int flags, Next next) {
  Place place;
  const int saved = errno;
  const bool link_itself =
      (flags & O_NOFOLLOW) != 0 || ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
  const Last last = link_itself ? Last::kLink : Last::kFollow;
  find_place(dirfd, path, last, place);
  // libc would make the file that a link to a device points to.
  const bool creating = (flags & O_CREAT) != 0;
  if (!place.ours && !place.rewritten && creating) find_place_late(dirfd, path, last, place);
  if (!place.ours) {
    const int fd = next(place.rewritten ? place.text : path);
    if (fd >= 0) return is_foreign(fd);
    if (errno != ENOENT || creating || place.rewritten) return fd;
    find_place_late(dirfd, path, last, place);
    if (place.rewritten) return is_foreign(next(place.text));
    if (!place.ours) return fd;
  }
  const int result = open_place(place, flags);
  if (result == kNotOurs) return is_foreign(next(path));
  errno = saved;
  number_changed(result);
  return to_libc(result);
}

}  // namespace ossloop::shim
