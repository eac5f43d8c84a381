// Changing what a name stands for. A device of ours cannot be changed: to a user
// it is a node in a /dev that belongs to root; to root it is one that is immutable.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shim/paths/path_lookup.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;
using ossloop::config::DeviceKind;

bool is_folder(const PathLookup& place) { return place.name.kind == DeviceKind::kDirectory; }

// In a folder that only root may write to.
int removal_refused() { return ::geteuid() != 0 ? -EACCES : -EPERM; }

bool in_dev(const char* path) { return path != nullptr && ::strncmp(path, "/dev/", 5) == 0; }

int same_owner(uid_t user, gid_t group) {
  return user == static_cast<uid_t>(-1) && group == static_cast<gid_t>(-1) ? 0 : -EPERM;
}

// Whoever may write to a device may say that it was used just now.
int times_refused(const timespec* times) {
  if (times == nullptr) return 0;
  if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  return times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW ? 0 : -EPERM;
}

// Answers `error` if the path is ours and there, whatever that is.
template <typename Next, typename Answer>
int refuse(int dirfd, const char* path, FollowLinks last, Next next, Answer answer) {
  return by_name<int>(dirfd, path, last, next,
                      [&](const EngineApi& engine, const PathLookup& place) -> int {
                        const int error = exists(engine, place);
                        return error != 0 ? error : answer(place);
                      });
}

template <typename Next>
int refuse(int dirfd, const char* path, FollowLinks last, Next next, int error) {
  return refuse(dirfd, path, last, next, [error](const PathLookup&) { return error; });
}

template <typename Next>
int remove_or(int dirfd, const char* path, bool as_folder, Next next) {
  return refuse(dirfd, path, FollowLinks::kNo, next, [&](const PathLookup& place) {
    if (::geteuid() != 0) return -EACCES;
    if (as_folder) return is_folder(place) ? -ENOTEMPTY : -ENOTDIR;
    return is_folder(place) ? -EISDIR : -EPERM;
  });
}

template <typename Next>
int truncate_or(const char* path, off64_t length, Next next) {
  return refuse(AT_FDCWD, path, FollowLinks::kYes, next, [&](const PathLookup& place) {
    return length < 0 ? -EINVAL : is_folder(place) ? -EISDIR : -EINVAL;
  });
}

// Makes a new name for something: `next` must not be asked if either is ours.
template <typename Next>
int rename_or(int from_folder, const char* from, int to_folder, const char* to, Next next) {
  return refuse(
      from_folder, from, FollowLinks::kNo,
      [&](const char* at) {
        return refuse(
            to_folder, to, FollowLinks::kNo, [&](const char* there) { return next(at, there); },
            -EXDEV);
      },
      [&](const PathLookup&) { return in_dev(to) ? removal_refused() : -EXDEV; });
}

template <typename Next>
int link_or(int from_folder, const char* from, FollowLinks last, int to_folder, const char* to,
            Next next) {
  return refuse(
      to_folder, to, FollowLinks::kNo,
      [&](const char* there) {
        return refuse(
            from_folder, from, last, [&](const char* at) { return next(at, there); },
            [&](const PathLookup&) { return in_dev(to) ? removal_refused() : -EXDEV; });
      },
      -EEXIST);
}

FollowLinks follow_unless(int flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? FollowLinks::kNo : FollowLinks::kYes;
}

bool means_our_descriptor(int fd, const char* path, int flags) {
  return readable_text(path) && *path == '\0' && (flags & AT_EMPTY_PATH) != 0 && is_ours(fd);
}

}  // namespace

OSSLOOP_EXPORT int chmod(const char* path, mode_t mode) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kYes,
      [&](const char* at) { return OSSLOOP_REAL(chmod)(at, mode); }, -EPERM);
}
OSSLOOP_EXPORT int lchmod(const char* path, mode_t mode) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(lchmod)(at, mode); }, -EPERM);
}
OSSLOOP_EXPORT int fchmodat(int dirfd, const char* path, mode_t mode, int flags) noexcept {
  return refuse(
      dirfd, path, follow_unless(flags),
      [&](const char* at) { return OSSLOOP_REAL(fchmodat)(dirfd, at, mode, flags); }, -EPERM);
}
OSSLOOP_EXPORT int fchmod(int fd, mode_t mode) noexcept {
  return is_ours(fd) ? to_libc(-EPERM) : OSSLOOP_REAL(fchmod)(fd, mode);
}

OSSLOOP_EXPORT int chown(const char* path, uid_t user, gid_t group) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kYes,
      [&](const char* at) { return OSSLOOP_REAL(chown)(at, user, group); },
      same_owner(user, group));
}
OSSLOOP_EXPORT int lchown(const char* path, uid_t user, gid_t group) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(lchown)(at, user, group); },
      same_owner(user, group));
}
OSSLOOP_EXPORT int fchownat(int dirfd, const char* path, uid_t user, gid_t group,
                            int flags) noexcept {
  if (means_our_descriptor(dirfd, path, flags)) return to_libc(same_owner(user, group));
  return refuse(
      dirfd, path, follow_unless(flags),
      [&](const char* at) { return OSSLOOP_REAL(fchownat)(dirfd, at, user, group, flags); },
      same_owner(user, group));
}
OSSLOOP_EXPORT int fchown(int fd, uid_t user, gid_t group) noexcept {
  return is_ours(fd) ? to_libc(same_owner(user, group)) : OSSLOOP_REAL(fchown)(fd, user, group);
}

OSSLOOP_EXPORT int utime(const char* path, const utimbuf* times) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kYes,
      [&](const char* at) { return OSSLOOP_REAL(utime)(at, times); },
      times == nullptr ? 0 : -EPERM);
}
OSSLOOP_EXPORT int utimes(const char* path, const timeval times[2]) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kYes,
      [&](const char* at) { return OSSLOOP_REAL(utimes)(at, times); },
      times == nullptr ? 0 : -EPERM);
}
OSSLOOP_EXPORT int lutimes(const char* path, const timeval times[2]) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(lutimes)(at, times); },
      times == nullptr ? 0 : -EPERM);
}
OSSLOOP_EXPORT int futimes(int fd, const timeval times[2]) noexcept {
  if (!is_ours(fd)) return OSSLOOP_REAL(futimes)(fd, times);
  return to_libc(times == nullptr ? 0 : -EPERM);
}
OSSLOOP_EXPORT int futimesat(int dirfd, const char* path, const timeval times[2]) noexcept {
  if (path == nullptr && is_ours(dirfd)) return to_libc(times == nullptr ? 0 : -EPERM);
  return refuse(
      dirfd, path, FollowLinks::kYes,
      [&](const char* at) { return OSSLOOP_REAL(futimesat)(dirfd, at, times); },
      times == nullptr ? 0 : -EPERM);
}
OSSLOOP_EXPORT int utimensat(int dirfd, const char* path, const timespec times[2],
                             int flags) noexcept {
  if (means_our_descriptor(dirfd, path, flags)) return to_libc(times_refused(times));
  return refuse(
      dirfd, path, follow_unless(flags),
      [&](const char* at) { return OSSLOOP_REAL(utimensat)(dirfd, at, times, flags); },
      [&](const PathLookup&) { return times_refused(times); });
}
OSSLOOP_EXPORT int futimens(int fd, const timespec times[2]) noexcept {
  return is_ours(fd) ? to_libc(times_refused(times)) : OSSLOOP_REAL(futimens)(fd, times);
}

OSSLOOP_EXPORT int truncate(const char* path, off_t length) noexcept {
  return truncate_or(path, length,
                     [&](const char* at) { return OSSLOOP_REAL(truncate)(at, length); });
}
OSSLOOP_EXPORT int truncate64(const char* path, off64_t length) noexcept {
  return truncate_or(path, length,
                     [&](const char* at) { return OSSLOOP_REAL(truncate64)(at, length); });
}

OSSLOOP_EXPORT int unlink(const char* path) noexcept {
  return remove_or(AT_FDCWD, path, false, [](const char* at) { return OSSLOOP_REAL(unlink)(at); });
}
OSSLOOP_EXPORT int unlinkat(int dirfd, const char* path, int flags) noexcept {
  return remove_or(dirfd, path, (flags & AT_REMOVEDIR) != 0,
                   [&](const char* at) { return OSSLOOP_REAL(unlinkat)(dirfd, at, flags); });
}
OSSLOOP_EXPORT int remove(const char* path) noexcept {
  return remove_or(AT_FDCWD, path, false, [](const char* at) { return OSSLOOP_REAL(remove)(at); });
}
OSSLOOP_EXPORT int rmdir(const char* path) noexcept {
  return remove_or(AT_FDCWD, path, true, [](const char* at) { return OSSLOOP_REAL(rmdir)(at); });
}

OSSLOOP_EXPORT int rename(const char* from, const char* to) noexcept {
  return rename_or(AT_FDCWD, from, AT_FDCWD, to, [](const char* at, const char* there) {
    return OSSLOOP_REAL(rename)(at, there);
  });
}
OSSLOOP_EXPORT int renameat(int from_folder, const char* from, int to_folder,
                            const char* to) noexcept {
  return rename_or(from_folder, from, to_folder, to, [&](const char* at, const char* there) {
    return OSSLOOP_REAL(renameat)(from_folder, at, to_folder, there);
  });
}
OSSLOOP_EXPORT int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                             unsigned flags) noexcept {
  return rename_or(from_folder, from, to_folder, to, [&](const char* at, const char* there) {
    return OSSLOOP_REAL(renameat2)(from_folder, at, to_folder, there, flags);
  });
}
OSSLOOP_EXPORT int link(const char* from, const char* to) noexcept {
  return link_or(AT_FDCWD, from, FollowLinks::kNo, AT_FDCWD, to,
                 [](const char* at, const char* there) { return OSSLOOP_REAL(link)(at, there); });
}
OSSLOOP_EXPORT int linkat(int from_folder, const char* from, int to_folder, const char* to,
                          int flags) noexcept {
  if (means_our_descriptor(from_folder, from, flags)) return to_libc(-EXDEV);
  const FollowLinks last = (flags & AT_SYMLINK_FOLLOW) != 0 ? FollowLinks::kYes : FollowLinks::kNo;
  return link_or(from_folder, from, last, to_folder, to, [&](const char* at, const char* there) {
    return OSSLOOP_REAL(linkat)(from_folder, at, to_folder, there, flags);
  });
}
OSSLOOP_EXPORT int symlink(const char* target, const char* path) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(symlink)(target, at); }, -EEXIST);
}
OSSLOOP_EXPORT int symlinkat(const char* target, int dirfd, const char* path) noexcept {
  return refuse(
      dirfd, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(symlinkat)(target, dirfd, at); }, -EEXIST);
}

OSSLOOP_EXPORT int mkdir(const char* path, mode_t mode) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mkdir)(at, mode); }, -EEXIST);
}
OSSLOOP_EXPORT int mkdirat(int dirfd, const char* path, mode_t mode) noexcept {
  return refuse(
      dirfd, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mkdirat)(dirfd, at, mode); }, -EEXIST);
}
OSSLOOP_EXPORT int mkfifo(const char* path, mode_t mode) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mkfifo)(at, mode); }, -EEXIST);
}
OSSLOOP_EXPORT int mkfifoat(int dirfd, const char* path, mode_t mode) noexcept {
  return refuse(
      dirfd, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mkfifoat)(dirfd, at, mode); }, -EEXIST);
}
OSSLOOP_EXPORT int mknod(const char* path, mode_t mode, dev_t device) noexcept {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mknod)(at, mode, device); }, -EEXIST);
}
OSSLOOP_EXPORT int mknodat(int dirfd, const char* path, mode_t mode, dev_t device) noexcept {
  return refuse(
      dirfd, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(mknodat)(dirfd, at, mode, device); }, -EEXIST);
}
OSSLOOP_EXPORT int __xmknod(int version, const char* path, mode_t mode, dev_t* device) {
  return refuse(
      AT_FDCWD, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(__xmknod)(version, at, mode, device); }, -EEXIST);
}
OSSLOOP_EXPORT int __xmknodat(int version, int dirfd, const char* path, mode_t mode,
                              dev_t* device) {
  return refuse(
      dirfd, path, FollowLinks::kNo,
      [&](const char* at) { return OSSLOOP_REAL(__xmknodat)(version, dirfd, at, mode, device); },
      -EEXIST);
}
