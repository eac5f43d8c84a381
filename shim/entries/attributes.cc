// What else a name or a descriptor has: extended attributes, limits, the file
// system it lies in, and those who watch it. What another node of /dev has, ours
// have too.
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/paths/path_lookup.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;
using ossloop::config::DeviceKind;

constexpr const char* kNeighbour = "/dev/null";

template <typename Next>
auto as_neighbour(const PathCall<Next>& call) {
  return by_existing_name(call, FollowLinks::kYes, [&](const EngineApi&, const PathLookup&) {
    const int result = call.next(kNeighbour);
    return result < 0 && errno != 0 ? -errno : result;
  });
}

// Only files and folders carry attributes of users.
template <typename Next>
ssize_t get_or(const PathCall<Next>& call, const char* attribute,
               FollowLinks last = FollowLinks::kYes) {
  return by_existing_name(call, last, [attribute](const EngineApi&, const PathLookup&) {
    return ::strncmp(attribute, "user.", 5) == 0 ? -ENODATA : -EOPNOTSUPP;
  });
}

}  // namespace

OSSLOOP_EXPORT ssize_t getxattr(const char* path, const char* name, void* value,
                                size_t bytes) noexcept {
  return get_or(path_call(OSSLOOP_REAL(getxattr), path, name, value, bytes), name);
}
OSSLOOP_EXPORT ssize_t lgetxattr(const char* path, const char* name, void* value,
                                 size_t bytes) noexcept {
  return get_or(path_call(OSSLOOP_REAL(lgetxattr), path, name, value, bytes), name,
                FollowLinks::kNo);
}
OSSLOOP_EXPORT ssize_t listxattr(const char* path, char* list, size_t bytes) noexcept {
  return refuse(path_call(OSSLOOP_REAL(listxattr), path, list, bytes), 0);
}
OSSLOOP_EXPORT ssize_t llistxattr(const char* path, char* list, size_t bytes) noexcept {
  return refuse(path_call(OSSLOOP_REAL(llistxattr), path, list, bytes), 0, FollowLinks::kNo);
}
OSSLOOP_EXPORT int setxattr(const char* path, const char* name, const void* value, size_t bytes,
                            int flags) noexcept {
  return refuse(path_call(OSSLOOP_REAL(setxattr), path, name, value, bytes, flags), -EPERM);
}
OSSLOOP_EXPORT int lsetxattr(const char* path, const char* name, const void* value, size_t bytes,
                             int flags) noexcept {
  return refuse(path_call(OSSLOOP_REAL(lsetxattr), path, name, value, bytes, flags), -EPERM,
                FollowLinks::kNo);
}
OSSLOOP_EXPORT int removexattr(const char* path, const char* name) noexcept {
  return refuse(path_call(OSSLOOP_REAL(removexattr), path, name), -EPERM);
}
OSSLOOP_EXPORT int lremovexattr(const char* path, const char* name) noexcept {
  return refuse(path_call(OSSLOOP_REAL(lremovexattr), path, name), -EPERM, FollowLinks::kNo);
}

// -1 with errno unchanged means "no limit": it has to come through as it is.
OSSLOOP_EXPORT long pathconf(const char* path, int name) noexcept {
  struct stat status;
  const int saved = errno;
  PathLookup place;
  look_up(AT_FDCWD, path, FollowLinks::kYes, place);
  if (!place.ours) resolve_after_enoent(AT_FDCWD, path, FollowLinks::kYes, place);
  if (!place.ours && !place.rewritten) return OSSLOOP_REAL(pathconf)(path, name);
  if (::stat(path, &status) != 0) return -1;
  errno = saved;
  return OSSLOOP_REAL(pathconf)(place.ours ? kNeighbour : place.text, name);
}
OSSLOOP_EXPORT long fpathconf(int fd, int name) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(pathconf)(kNeighbour, name) : OSSLOOP_REAL(fpathconf)(fd, name);
}

OSSLOOP_EXPORT int statfs(const char* path, struct statfs* status) noexcept {
  return as_neighbour(path_call(OSSLOOP_REAL(statfs), path, status));
}
OSSLOOP_EXPORT int statfs64(const char* path, struct statfs64* status) noexcept {
  return as_neighbour(path_call(OSSLOOP_REAL(statfs64), path, status));
}
OSSLOOP_EXPORT int fstatfs(int fd, struct statfs* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statfs)(kNeighbour, status) : OSSLOOP_REAL(fstatfs)(fd, status);
}
OSSLOOP_EXPORT int fstatfs64(int fd, struct statfs64* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statfs64)(kNeighbour, status)
                     : OSSLOOP_REAL(fstatfs64)(fd, status);
}
OSSLOOP_EXPORT int statvfs(const char* path, struct statvfs* status) noexcept {
  return as_neighbour(path_call(OSSLOOP_REAL(statvfs), path, status));
}
OSSLOOP_EXPORT int statvfs64(const char* path, struct statvfs64* status) noexcept {
  return as_neighbour(path_call(OSSLOOP_REAL(statvfs64), path, status));
}
OSSLOOP_EXPORT int fstatvfs(int fd, struct statvfs* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statvfs)(kNeighbour, status)
                     : OSSLOOP_REAL(fstatvfs)(fd, status);
}
OSSLOOP_EXPORT int fstatvfs64(int fd, struct statvfs64* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statvfs64)(kNeighbour, status)
                     : OSSLOOP_REAL(fstatvfs64)(fd, status);
}

// The node is opened and closed as the device is.
OSSLOOP_EXPORT int inotify_add_watch(int fd, const char* path, uint32_t events) noexcept {
  const auto watch = [&](const char* at) {
    return OSSLOOP_REAL(inotify_add_watch)(fd, at, events);
  };
  return by_existing_name(PathCall{AT_FDCWD, path, watch},
                          follow_if((events & IN_DONT_FOLLOW) == 0),
                          [&](const EngineApi& engine, const PathLookup& place) {
                            const bool folder = place.name.kind == DeviceKind::kDirectory;
                            if (!folder && (events & IN_ONLYDIR) != 0) return -ENOTDIR;
                            char node[PATH_MAX];
                            const int error = folder ? real_folder(engine, place, node, sizeof node)
                                                     : engine.node(&place.name, node, sizeof node);
                            if (error != 0) return error;
                            const int watched = watch(node);
                            return watched < 0 ? -errno : watched;
                          });
}

OSSLOOP_EXPORT int name_to_handle_at(int dirfd, const char* path, file_handle* handle, int* mount,
                                     int flags) noexcept {
  return refuse(path_call(OSSLOOP_REAL(name_to_handle_at), dirfd, path, handle, mount, flags),
                -EOPNOTSUPP, follow_if((flags & AT_SYMLINK_FOLLOW) != 0));
}
