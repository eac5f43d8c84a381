// Opening by name, for every call that does.
#pragma once

#include <errno.h>
#include <fcntl.h>

#include "shim/paths/path_lookup.h"
#include "shim/stdio_streams.h"

namespace ossloop::shim {

inline constexpr int kNotOurs = -1000000;

// A descriptor of a device or virtual folder, or -errno; kNotOurs if there is no
// engine.
int open_place(const PathLookup& place, int flags);

// A descriptor, or -1 and errno.
template <typename Next>
int open_or(const PathCall<Next>& call, int flags) {
  const auto& [dirfd, path, next] = call;
  PathLookup place;
  const int saved = errno;
  const bool link_itself =
      (flags & O_NOFOLLOW) != 0 || ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
  const FollowLinks last = follow_if(!link_itself);
  look_up(dirfd, path, last, place);
  // libc would make the file that a link to a device points to.
  const bool creating = (flags & O_CREAT) != 0;
  if (!place.ours && !place.rewritten && creating) resolve_after_enoent(dirfd, path, last, place);
  if (!place.ours) {
    const int fd = next(place.rewritten ? place.text : path);
    if (fd >= 0 || errno != ENOENT || creating || place.rewritten) return register_foreign(fd);
    resolve_after_enoent(dirfd, path, last, place);
    if (place.rewritten) return register_foreign(next(place.text));
    if (!place.ours) return fd;
  }
  const int result = open_place(place, flags);
  if (result == kNotOurs) return register_foreign(next(path));
  errno = saved;
  number_changed(result);
  return to_libc(result);
}

}  // namespace ossloop::shim
