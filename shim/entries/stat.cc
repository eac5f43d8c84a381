// What is behind a name or a descriptor: the stat family.
#include <fcntl.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "shim/paths/path_lookup.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

// On LP64 the two structures are one.
static_assert(sizeof(struct stat) == sizeof(struct stat64));

template <typename Next, typename Status>
int stat_or(const PathCall<Next>& call, Status* status, FollowLinks last = FollowLinks::kYes) {
  return by_name(call, last, [status](const EngineApi& engine, const PathLookup& place) {
    struct stat found;
    const int error = describe(engine, place, found);
    if (error != 0) return error;
    return copy_to_user(status, &found, sizeof found) ? 0 : -EFAULT;
  });
}

template <typename Status, typename Next>
int fstat_or(int fd, Status* status, Next next) {
  if (!is_ours(fd)) return next();
  struct stat found;
  int error = loaded_engine()->fstat(fd, &found);
  if (error == 0 && !copy_to_user(status, &found, sizeof found)) error = -EFAULT;
  return to_libc(error);
}

template <typename Next, typename Status>
int fstatat_or(const PathCall<Next>& call, Status* status, int flags) {
  if (!means_descriptor(call.path, flags)) return stat_or(call, status, follow_unless_told(flags));
  return fstat_or(call.dirfd, status, [&] { return call.next(call.path); });
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
  to.stx_atime = {from.st_atim.tv_sec, static_cast<unsigned>(from.st_atim.tv_nsec), {}};
  to.stx_mtime = {from.st_mtim.tv_sec, static_cast<unsigned>(from.st_mtim.tv_nsec), {}};
  to.stx_ctime = {from.st_ctim.tv_sec, static_cast<unsigned>(from.st_ctim.tv_nsec), {}};
}

}  // namespace

OSSLOOP_EXPORT int stat(const char* path, struct stat* status) noexcept {
  return stat_or(path_call(OSSLOOP_REAL(stat), path, status), status);
}
OSSLOOP_EXPORT int stat64(const char* path, struct stat64* status) noexcept {
  return stat_or(path_call(OSSLOOP_REAL(stat64), path, status), status);
}
OSSLOOP_EXPORT int lstat(const char* path, struct stat* status) noexcept {
  return stat_or(path_call(OSSLOOP_REAL(lstat), path, status), status, FollowLinks::kNo);
}
OSSLOOP_EXPORT int lstat64(const char* path, struct stat64* status) noexcept {
  return stat_or(path_call(OSSLOOP_REAL(lstat64), path, status), status, FollowLinks::kNo);
}
OSSLOOP_EXPORT int fstat(int fd, struct stat* status) noexcept {
  return fstat_or(fd, status, [&] { return OSSLOOP_REAL(fstat)(fd, status); });
}
OSSLOOP_EXPORT int fstat64(int fd, struct stat64* status) noexcept {
  return fstat_or(fd, status, [&] { return OSSLOOP_REAL(fstat64)(fd, status); });
}
OSSLOOP_EXPORT int fstatat(int dirfd, const char* path, struct stat* status, int flags) noexcept {
  return fstatat_or(path_call(OSSLOOP_REAL(fstatat), dirfd, path, status, flags), status, flags);
}
OSSLOOP_EXPORT int fstatat64(int dirfd, const char* path, struct stat64* status,
                             int flags) noexcept {
  return fstatat_or(path_call(OSSLOOP_REAL(fstatat64), dirfd, path, status, flags), status, flags);
}
OSSLOOP_EXPORT int statx(int dirfd, const char* path, int flags, unsigned mask,
                         struct statx* status) noexcept {
  struct stat found;
  bool asked = false;
  const auto next = [&](const char* at) {
    const int done = OSSLOOP_REAL(statx)(dirfd, at, flags, mask, status);
    // After a failure it may be ours to answer after all.
    asked = done == 0;
    return done;
  };
  const int result = fstatat_or(PathCall{dirfd, path, next}, &found, flags);
  if (result != 0 || asked) return result;
  struct statx answer;
  to_statx(found, answer);
  return copy_to_user(status, &answer, sizeof answer) ? 0 : to_libc(-EFAULT);
}

// What programs built against glibc before 2.33 call.
OSSLOOP_EXPORT int __xstat(int version, const char* path, struct stat* status) {
  return stat_or(path_call(bound(OSSLOOP_REAL(__xstat), version), path, status), status);
}
OSSLOOP_EXPORT int __xstat64(int version, const char* path, struct stat64* status) {
  return stat_or(path_call(bound(OSSLOOP_REAL(__xstat64), version), path, status), status);
}
OSSLOOP_EXPORT int __lxstat(int version, const char* path, struct stat* status) {
  return stat_or(path_call(bound(OSSLOOP_REAL(__lxstat), version), path, status), status,
                 FollowLinks::kNo);
}
OSSLOOP_EXPORT int __lxstat64(int version, const char* path, struct stat64* status) {
  return stat_or(path_call(bound(OSSLOOP_REAL(__lxstat64), version), path, status), status,
                 FollowLinks::kNo);
}
OSSLOOP_EXPORT int __fxstat(int version, int fd, struct stat* status) {
  return fstat_or(fd, status, [&] { return OSSLOOP_REAL(__fxstat)(version, fd, status); });
}
OSSLOOP_EXPORT int __fxstat64(int version, int fd, struct stat64* status) {
  return fstat_or(fd, status, [&] { return OSSLOOP_REAL(__fxstat64)(version, fd, status); });
}
OSSLOOP_EXPORT int __fxstatat(int version, int dirfd, const char* path, struct stat* status,
                              int flags) {
  return fstatat_or(path_call(bound(OSSLOOP_REAL(__fxstatat), version), dirfd, path, status, flags),
                    status, flags);
}
OSSLOOP_EXPORT int __fxstatat64(int version, int dirfd, const char* path, struct stat64* status,
                                int flags) {
  return fstatat_or(
      path_call(bound(OSSLOOP_REAL(__fxstatat64), version), dirfd, path, status, flags), status,
      flags);
}

// As libc makes it out of what stat() says.
OSSLOOP_EXPORT key_t ftok(const char* path, int project) noexcept {
  return by_name(path_call(OSSLOOP_REAL(ftok), path, project), FollowLinks::kYes,
                 [&](const EngineApi& engine, const PathLookup& place) {
                   struct stat found;
                   const int error = describe(engine, place, found);
                   if (error != 0) return static_cast<key_t>(error);
                   return static_cast<key_t>((found.st_ino & 0xffff) | (found.st_dev & 0xff) << 16 |
                                             (static_cast<unsigned>(project) & 0x7f) << 24);
                 });
}
