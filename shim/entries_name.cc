// What programs ask about names and what is behind them.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/real.h"
#include "shim/router.h"

namespace {

using namespace ossloop::shim;
using ossloop::config::DeviceName;

OSSLOOP_REAL(stat);
OSSLOOP_REAL(stat64);
OSSLOOP_REAL(lstat);
OSSLOOP_REAL(lstat64);
OSSLOOP_REAL(fstat);
OSSLOOP_REAL(fstat64);
OSSLOOP_REAL(fstatat);
OSSLOOP_REAL(fstatat64);
OSSLOOP_REAL(statx);
OSSLOOP_REAL(access);
OSSLOOP_REAL(faccessat);
OSSLOOP_REAL(realpath);
OSSLOOP_REAL_AS(__realpath_chk, char*(const char*, char*, size_t));
OSSLOOP_REAL_AS(__xstat, int(int, const char*, struct stat*));
OSSLOOP_REAL_AS(__xstat64, int(int, const char*, struct stat64*));
OSSLOOP_REAL_AS(__lxstat, int(int, const char*, struct stat*));
OSSLOOP_REAL_AS(__lxstat64, int(int, const char*, struct stat64*));
OSSLOOP_REAL_AS(__fxstat, int(int, int, struct stat*));
OSSLOOP_REAL_AS(__fxstat64, int(int, int, struct stat64*));
OSSLOOP_REAL_AS(__fxstatat, int(int, int, const char*, struct stat*, int));
OSSLOOP_REAL_AS(__fxstatat64, int(int, int, const char*, struct stat64*, int));

// On LP64 the two structures are one.
static_assert(sizeof(struct stat) == sizeof(struct stat64));

// Describes the device that `path` names; false: not ours, ask libc.
bool describe(int dirfd, const char* path, struct stat& status, int& error) {
  DeviceName name;
  if (!names_device(dirfd, path, name)) return false;
  const EngineApi* engine = load_engine();
  if (engine == nullptr || name.kind == ossloop::config::DeviceKind::kDirectory) return false;
  error = engine->stat(&name, &status);
  return true;
}

template <typename Status, typename Next>
int stat_or(int dirfd, const char* path, bool follow, Status* status, Next next) {
  struct stat found;
  int error = 0;
  if (!describe(dirfd, path, found, error)) {
    const int result = next();
    DeviceName name;
    if (result == 0 || errno != ENOENT || !follow || !links_to_device(dirfd, path, name)) return result;
    const EngineApi* engine = load_engine();
    if (engine == nullptr) return result;
    error = engine->stat(&name, &found);
  }
  if (error == 0) ::memcpy(status, &found, sizeof found);
  return to_libc(error);
}

template <typename Status, typename Next>
int fstat_or(int fd, Status* status, Next next) {
  if (!is_ours(fd)) return next();
  struct stat found;
  const int error = loaded_engine()->fstat(fd, &found);
  if (error == 0) ::memcpy(status, &found, sizeof found);
  return to_libc(error);
}

void to_statx(const struct stat& from, struct statx& to) {
  ::memset(&to, 0, sizeof to);
  to.stx_mask = STATX_BASIC_STATS;
  to.stx_blksize = static_cast<unsigned>(from.st_blksize);
  to.stx_nlink = static_cast<unsigned>(from.st_nlink);
  to.stx_uid = from.st_uid;
  to.stx_gid = from.st_gid;
  to.stx_mode = static_cast<unsigned short>(from.st_mode);
  to.stx_ino = from.st_ino;
  to.stx_rdev_major = major(from.st_rdev);
  to.stx_rdev_minor = minor(from.st_rdev);
  to.stx_dev_major = major(from.st_dev);
  to.stx_dev_minor = minor(from.st_dev);
  to.stx_atime.tv_sec = from.st_atim.tv_sec;
  to.stx_mtime.tv_sec = from.st_mtim.tv_sec;
  to.stx_ctime.tv_sec = from.st_ctim.tv_sec;
}

template <typename Next>
int access_or(int dirfd, const char* path, int mode, Next next) {
  struct stat status;
  const int result = stat_or(dirfd, path, true, &status, [&] {
    status.st_mode = 0;
    return next();
  });
  if (result == 0 && S_ISCHR(status.st_mode) && major(status.st_rdev) == 14 && (mode & X_OK) != 0) {
    return to_libc(-EACCES);
  }
  return result;
}

template <typename Next>
char* realpath_or(const char* path, char* resolved, Next next) {
  DeviceName name;
  struct stat status;
  int error = 0;
  if (!describe(AT_FDCWD, path, status, error)) return next();
  if (error != 0) {
    errno = -error;
    return nullptr;
  }
  // A device has no further links; a canonical name of ours is the path itself
  // with its folder resolved.
  const char* slash = ::strrchr(path, '/');
  const char* last = slash != nullptr ? slash + 1 : path;
  char folder[PATH_MAX];
  const size_t length = slash != nullptr ? static_cast<size_t>(slash - path) : 0;
  if (length >= sizeof folder) return next();
  ::memcpy(folder, path, length);
  folder[length] = '\0';
  char base[PATH_MAX];
  if (real_realpath(slash == nullptr ? "." : length == 0 ? "/" : folder, base) == nullptr) {
    ::strcpy(base, folder);  // the virtual folders stand as they are written
  }
  const size_t total = ::strlen(base) + 1 + ::strlen(last) + 1;
  if (total > PATH_MAX) return next();
  char* to = resolved != nullptr ? resolved : static_cast<char*>(::malloc(total));
  if (to == nullptr) return nullptr;
  ::strcpy(to, base);
  ::strcat(to, "/");
  ::strcat(to, last);
  return to;
}

}  // namespace

OSSLOOP_EXPORT int stat(const char* path, struct stat* status) noexcept {
  return stat_or(AT_FDCWD, path, true, status, [&] { return real_stat(path, status); });
}
OSSLOOP_EXPORT int stat64(const char* path, struct stat64* status) noexcept {
  return stat_or(AT_FDCWD, path, true, status, [&] { return real_stat64(path, status); });
}
OSSLOOP_EXPORT int lstat(const char* path, struct stat* status) noexcept {
  return stat_or(AT_FDCWD, path, false, status, [&] { return real_lstat(path, status); });
}
OSSLOOP_EXPORT int lstat64(const char* path, struct stat64* status) noexcept {
  return stat_or(AT_FDCWD, path, false, status, [&] { return real_lstat64(path, status); });
}
OSSLOOP_EXPORT int fstat(int fd, struct stat* status) noexcept {
  return fstat_or(fd, status, [&] { return real_fstat(fd, status); });
}
OSSLOOP_EXPORT int fstat64(int fd, struct stat64* status) noexcept {
  return fstat_or(fd, status, [&] { return real_fstat64(fd, status); });
}
OSSLOOP_EXPORT int fstatat(int dirfd, const char* path, struct stat* status, int flags) noexcept {
  if (path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0) {
    return fstat_or(dirfd, status, [&] { return real_fstatat(dirfd, path, status, flags); });
  }
  return stat_or(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, status,
                 [&] { return real_fstatat(dirfd, path, status, flags); });
}
OSSLOOP_EXPORT int fstatat64(int dirfd, const char* path, struct stat64* status,
                             int flags) noexcept {
  if (path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0) {
    return fstat_or(dirfd, status, [&] { return real_fstatat64(dirfd, path, status, flags); });
  }
  return stat_or(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, status,
                 [&] { return real_fstatat64(dirfd, path, status, flags); });
}
OSSLOOP_EXPORT int statx(int dirfd, const char* path, int flags, unsigned mask,
                         struct statx* status) noexcept {
  struct stat found;
  bool asked = false;
  auto next = [&] {
    asked = true;
    return real_statx(dirfd, path, flags, mask, status);
  };
  const bool empty = path != nullptr && *path == '\0' && (flags & AT_EMPTY_PATH) != 0;
  const int result = empty ? fstat_or(dirfd, &found, next)
                           : stat_or(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, &found, next);
  if (result == 0 && !asked) to_statx(found, *status);
  return result;
}

// What programs built against glibc before 2.33 call.
OSSLOOP_EXPORT int __xstat(int version, const char* path, struct stat* status) {
  return stat_or(AT_FDCWD, path, true, status, [&] { return real___xstat(version, path, status); });
}
OSSLOOP_EXPORT int __xstat64(int version, const char* path, struct stat64* status) {
  return stat_or(AT_FDCWD, path, true, status, [&] { return real___xstat64(version, path, status); });
}
OSSLOOP_EXPORT int __lxstat(int version, const char* path, struct stat* status) {
  return stat_or(AT_FDCWD, path, false, status, [&] { return real___lxstat(version, path, status); });
}
OSSLOOP_EXPORT int __lxstat64(int version, const char* path, struct stat64* status) {
  return stat_or(AT_FDCWD, path, false, status,
                 [&] { return real___lxstat64(version, path, status); });
}
OSSLOOP_EXPORT int __fxstat(int version, int fd, struct stat* status) {
  return fstat_or(fd, status, [&] { return real___fxstat(version, fd, status); });
}
OSSLOOP_EXPORT int __fxstat64(int version, int fd, struct stat64* status) {
  return fstat_or(fd, status, [&] { return real___fxstat64(version, fd, status); });
}
OSSLOOP_EXPORT int __fxstatat(int version, int dirfd, const char* path, struct stat* status,
                              int flags) {
  return stat_or(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, status,
                 [&] { return real___fxstatat(version, dirfd, path, status, flags); });
}
OSSLOOP_EXPORT int __fxstatat64(int version, int dirfd, const char* path, struct stat64* status,
                                int flags) {
  return stat_or(dirfd, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, status,
                 [&] { return real___fxstatat64(version, dirfd, path, status, flags); });
}

OSSLOOP_EXPORT int access(const char* path, int mode) noexcept {
  return access_or(AT_FDCWD, path, mode, [&] { return real_access(path, mode); });
}
OSSLOOP_EXPORT int faccessat(int dirfd, const char* path, int mode, int flags) noexcept {
  return access_or(dirfd, path, mode, [&] { return real_faccessat(dirfd, path, mode, flags); });
}
OSSLOOP_EXPORT char* realpath(const char* path, char* resolved) noexcept {
  return realpath_or(path, resolved, [&] { return real_realpath(path, resolved); });
}
OSSLOOP_EXPORT char* __realpath_chk(const char* path, char* resolved, size_t size) {
  return realpath_or(path, resolved, [&] { return real___realpath_chk(path, resolved, size); });
}
