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

template <typename Result, typename Next>
Result as_neighbour(const char* path, Next next) {
  return by_name<Result>(AT_FDCWD, path, FollowLinks::kYes, next,
                         [&](const EngineApi& engine, const PathLookup& place) -> Result {
                           const int error = exists(engine, place);
                           if (error != 0) return error;
                           const Result result = next(kNeighbour);
                           return result < 0 && errno != 0 ? -errno : result;
                         });
}

bool for_users(const char* attribute) { return ::strncmp(attribute, "user.", 5) == 0; }

// Only files and folders carry attributes of users.
template <typename Next>
ssize_t get_or(const char* path, FollowLinks last, const char* attribute, Next next) {
  return by_name<ssize_t>(AT_FDCWD, path, last, next,
                          [&](const EngineApi& engine, const PathLookup& place) -> ssize_t {
                            const int error = exists(engine, place);
                            if (error != 0) return error;
                            return for_users(attribute) ? -ENODATA : -EOPNOTSUPP;
                          });
}

template <typename Next>
ssize_t list_or(const char* path, FollowLinks last, Next next) {
  return by_name<ssize_t>(AT_FDCWD, path, last, next,
                          [&](const EngineApi& engine, const PathLookup& place) -> ssize_t {
                            return exists(engine, place);
                          });
}

template <typename Next>
int change_or(const char* path, FollowLinks last, Next next) {
  return by_name<int>(AT_FDCWD, path, last, next,
                      [&](const EngineApi& engine, const PathLookup& place) -> int {
                        const int error = exists(engine, place);
                        return error != 0 ? error : -EPERM;
                      });
}

}  // namespace

OSSLOOP_EXPORT ssize_t getxattr(const char* path, const char* name, void* value,
                                size_t bytes) noexcept {
  return get_or(path, FollowLinks::kYes, name,
                [&](const char* at) { return OSSLOOP_REAL(getxattr)(at, name, value, bytes); });
}
OSSLOOP_EXPORT ssize_t lgetxattr(const char* path, const char* name, void* value,
                                 size_t bytes) noexcept {
  return get_or(path, FollowLinks::kNo, name,
                [&](const char* at) { return OSSLOOP_REAL(lgetxattr)(at, name, value, bytes); });
}
OSSLOOP_EXPORT ssize_t listxattr(const char* path, char* list, size_t bytes) noexcept {
  return list_or(path, FollowLinks::kYes,
                 [&](const char* at) { return OSSLOOP_REAL(listxattr)(at, list, bytes); });
}
OSSLOOP_EXPORT ssize_t llistxattr(const char* path, char* list, size_t bytes) noexcept {
  return list_or(path, FollowLinks::kNo,
                 [&](const char* at) { return OSSLOOP_REAL(llistxattr)(at, list, bytes); });
}
OSSLOOP_EXPORT int setxattr(const char* path, const char* name, const void* value, size_t bytes,
                            int flags) noexcept {
  return change_or(path, FollowLinks::kYes, [&](const char* at) {
    return OSSLOOP_REAL(setxattr)(at, name, value, bytes, flags);
  });
}
OSSLOOP_EXPORT int lsetxattr(const char* path, const char* name, const void* value, size_t bytes,
                             int flags) noexcept {
  return change_or(path, FollowLinks::kNo, [&](const char* at) {
    return OSSLOOP_REAL(lsetxattr)(at, name, value, bytes, flags);
  });
}
OSSLOOP_EXPORT int removexattr(const char* path, const char* name) noexcept {
  return change_or(path, FollowLinks::kYes,
                   [&](const char* at) { return OSSLOOP_REAL(removexattr)(at, name); });
}
OSSLOOP_EXPORT int lremovexattr(const char* path, const char* name) noexcept {
  return change_or(path, FollowLinks::kNo,
                   [&](const char* at) { return OSSLOOP_REAL(lremovexattr)(at, name); });
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
  return as_neighbour<int>(path, [&](const char* at) { return OSSLOOP_REAL(statfs)(at, status); });
}
OSSLOOP_EXPORT int statfs64(const char* path, struct statfs64* status) noexcept {
  return as_neighbour<int>(path,
                           [&](const char* at) { return OSSLOOP_REAL(statfs64)(at, status); });
}
OSSLOOP_EXPORT int fstatfs(int fd, struct statfs* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statfs)(kNeighbour, status) : OSSLOOP_REAL(fstatfs)(fd, status);
}
OSSLOOP_EXPORT int fstatfs64(int fd, struct statfs64* status) noexcept {
  return is_ours(fd) ? OSSLOOP_REAL(statfs64)(kNeighbour, status)
                     : OSSLOOP_REAL(fstatfs64)(fd, status);
}
OSSLOOP_EXPORT int statvfs(const char* path, struct statvfs* status) noexcept {
  return as_neighbour<int>(path, [&](const char* at) { return OSSLOOP_REAL(statvfs)(at, status); });
}
OSSLOOP_EXPORT int statvfs64(const char* path, struct statvfs64* status) noexcept {
  return as_neighbour<int>(path,
                           [&](const char* at) { return OSSLOOP_REAL(statvfs64)(at, status); });
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
  const FollowLinks last = (events & IN_DONT_FOLLOW) != 0 ? FollowLinks::kNo : FollowLinks::kYes;
  return by_name<int>(
      AT_FDCWD, path, last,
      [&](const char* at) { return OSSLOOP_REAL(inotify_add_watch)(fd, at, events); },
      [&](const EngineApi& engine, const PathLookup& place) -> int {
        int error = exists(engine, place);
        if (error != 0) return error;
        const bool folder = place.name.kind == DeviceKind::kDirectory;
        if (!folder && (events & IN_ONLYDIR) != 0) return -ENOTDIR;
        char node[PATH_MAX];
        error = folder ? real_folder(engine, place, node, sizeof node)
                       : engine.node(&place.name, node, sizeof node);
        if (error != 0) return error;
        const int watch = OSSLOOP_REAL(inotify_add_watch)(fd, node, events);
        return watch < 0 ? -errno : watch;
      });
}

OSSLOOP_EXPORT int name_to_handle_at(int dirfd, const char* path, file_handle* handle, int* mount,
                                     int flags) noexcept {
  const FollowLinks last = (flags & AT_SYMLINK_FOLLOW) != 0 ? FollowLinks::kYes : FollowLinks::kNo;
  return by_name<int>(
      dirfd, path, last,
      [&](const char* at) {
        return OSSLOOP_REAL(name_to_handle_at)(dirfd, at, handle, mount, flags);
      },
      [&](const EngineApi& engine, const PathLookup& place) -> int {
        const int error = exists(engine, place);
        return error != 0 ? error : -EOPNOTSUPP;
      });
}
