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
int only_now(const void* times) { return times == nullptr ? 0 : -EPERM; }
int only_now(const timespec* times) {
  if (times == nullptr) return 0;
  if (times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT) return 0;
  return times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW ? 0 : -EPERM;
}

template <typename Next>
int remove_or(const PathCall<Next>& call, bool as_folder) {
  return by_existing_name(call, FollowLinks::kNo, [&](const EngineApi&, const PathLookup& place) {
    if (::geteuid() != 0) return -EACCES;
    if (as_folder) return is_folder(place) ? -ENOTEMPTY : -ENOTDIR;
    return is_folder(place) ? -EISDIR : -EPERM;
  });
}

template <typename Next>
int truncate_or(const PathCall<Next>& call, off64_t length) {
  return by_existing_name(call, FollowLinks::kYes, [&](const EngineApi&, const PathLookup& place) {
    return length >= 0 && is_folder(place) ? -EISDIR : -EINVAL;
  });
}

// Calls that give something a new name: `next` must not be asked if either is ours.
template <typename Next>
int refuse_name(const PathCall<Next>& call, const char* to, FollowLinks last) {
  return by_existing_name(call, last, [to](const EngineApi&, const PathLookup&) {
    return in_dev(to) ? removal_refused() : -EXDEV;
  });
}

template <typename Next>
int rename_or(int from_folder, const char* from, int to_folder, const char* to, Next next) {
  const auto rename_to = [&](const char* at) {
    const auto rename = [&](const char* there) { return next(at, there); };
    return refuse(PathCall{to_folder, to, rename}, -EXDEV, FollowLinks::kNo);
  };
  return refuse_name(PathCall{from_folder, from, rename_to}, to, FollowLinks::kNo);
}

template <typename Next>
int link_or(int from_folder, const char* from, FollowLinks last, int to_folder, const char* to,
            Next next) {
  const auto link_from = [&](const char* there) {
    const auto link = [&](const char* at) { return next(at, there); };
    return refuse_name(PathCall{from_folder, from, link}, to, last);
  };
  return refuse(PathCall{to_folder, to, link_from}, -EEXIST, FollowLinks::kNo);
}

// Of the *at calls, which also take a descriptor with an empty path.
bool means_our_descriptor(int fd, const char* path, int flags) {
  return means_descriptor(path, flags) && is_ours(fd);
}

}  // namespace

OSSLOOP_EXPORT int chmod(const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(chmod), path, mode), -EPERM);
}
OSSLOOP_EXPORT int lchmod(const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(lchmod), path, mode), -EPERM, FollowLinks::kNo);
}
OSSLOOP_EXPORT int fchmodat(int dirfd, const char* path, mode_t mode, int flags) noexcept {
  return refuse(path_call(OSSLOOP_REAL(fchmodat), dirfd, path, mode, flags), -EPERM,
                follow_unless_told(flags));
}
OSSLOOP_EXPORT int fchmod(int fd, mode_t mode) noexcept {
  return is_ours(fd) ? to_libc(-EPERM) : OSSLOOP_REAL(fchmod)(fd, mode);
}

OSSLOOP_EXPORT int chown(const char* path, uid_t user, gid_t group) noexcept {
  return refuse(path_call(OSSLOOP_REAL(chown), path, user, group), same_owner(user, group));
}
OSSLOOP_EXPORT int lchown(const char* path, uid_t user, gid_t group) noexcept {
  return refuse(path_call(OSSLOOP_REAL(lchown), path, user, group), same_owner(user, group),
                FollowLinks::kNo);
}
OSSLOOP_EXPORT int fchownat(int dirfd, const char* path, uid_t user, gid_t group,
                            int flags) noexcept {
  const int answer = same_owner(user, group);
  if (means_our_descriptor(dirfd, path, flags)) return to_libc(answer);
  return refuse(path_call(OSSLOOP_REAL(fchownat), dirfd, path, user, group, flags), answer,
                follow_unless_told(flags));
}
OSSLOOP_EXPORT int fchown(int fd, uid_t user, gid_t group) noexcept {
  return is_ours(fd) ? to_libc(same_owner(user, group)) : OSSLOOP_REAL(fchown)(fd, user, group);
}

OSSLOOP_EXPORT int utime(const char* path, const utimbuf* times) noexcept {
  return refuse(path_call(OSSLOOP_REAL(utime), path, times), only_now(times));
}
OSSLOOP_EXPORT int utimes(const char* path, const timeval times[2]) noexcept {
  return refuse(path_call(OSSLOOP_REAL(utimes), path, times), only_now(times));
}
OSSLOOP_EXPORT int lutimes(const char* path, const timeval times[2]) noexcept {
  return refuse(path_call(OSSLOOP_REAL(lutimes), path, times), only_now(times), FollowLinks::kNo);
}
OSSLOOP_EXPORT int futimes(int fd, const timeval times[2]) noexcept {
  return is_ours(fd) ? to_libc(only_now(times)) : OSSLOOP_REAL(futimes)(fd, times);
}
OSSLOOP_EXPORT int futimesat(int dirfd, const char* path, const timeval times[2]) noexcept {
  if (path == nullptr && is_ours(dirfd)) return to_libc(only_now(times));
  return refuse(path_call(OSSLOOP_REAL(futimesat), dirfd, path, times), only_now(times));
}
OSSLOOP_EXPORT int utimensat(int dirfd, const char* path, const timespec times[2],
                             int flags) noexcept {
  if (means_our_descriptor(dirfd, path, flags)) return to_libc(only_now(times));
  return by_existing_name(path_call(OSSLOOP_REAL(utimensat), dirfd, path, times, flags),
                          follow_unless_told(flags),
                          [&](const EngineApi&, const PathLookup&) { return only_now(times); });
}
OSSLOOP_EXPORT int futimens(int fd, const timespec times[2]) noexcept {
  return is_ours(fd) ? to_libc(only_now(times)) : OSSLOOP_REAL(futimens)(fd, times);
}

OSSLOOP_EXPORT int truncate(const char* path, off_t length) noexcept {
  return truncate_or(path_call(OSSLOOP_REAL(truncate), path, length), length);
}
OSSLOOP_EXPORT int truncate64(const char* path, off64_t length) noexcept {
  return truncate_or(path_call(OSSLOOP_REAL(truncate64), path, length), length);
}

OSSLOOP_EXPORT int unlink(const char* path) noexcept {
  return remove_or(path_call(OSSLOOP_REAL(unlink), path), false);
}
OSSLOOP_EXPORT int unlinkat(int dirfd, const char* path, int flags) noexcept {
  return remove_or(path_call(OSSLOOP_REAL(unlinkat), dirfd, path, flags),
                   (flags & AT_REMOVEDIR) != 0);
}
OSSLOOP_EXPORT int remove(const char* path) noexcept {
  return remove_or(path_call(OSSLOOP_REAL(remove), path), false);
}
OSSLOOP_EXPORT int rmdir(const char* path) noexcept {
  return remove_or(path_call(OSSLOOP_REAL(rmdir), path), true);
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
  const FollowLinks last = follow_if((flags & AT_SYMLINK_FOLLOW) != 0);
  return link_or(from_folder, from, last, to_folder, to, [&](const char* at, const char* there) {
    return OSSLOOP_REAL(linkat)(from_folder, at, to_folder, there, flags);
  });
}
OSSLOOP_EXPORT int symlink(const char* target, const char* path) noexcept {
  return refuse(path_call(bound(OSSLOOP_REAL(symlink), target), path), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int symlinkat(const char* target, int dirfd, const char* path) noexcept {
  return refuse(path_call(bound(OSSLOOP_REAL(symlinkat), target), dirfd, path), -EEXIST,
                FollowLinks::kNo);
}

OSSLOOP_EXPORT int mkdir(const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mkdir), path, mode), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int mkdirat(int dirfd, const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mkdirat), dirfd, path, mode), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int mkfifo(const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mkfifo), path, mode), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int mkfifoat(int dirfd, const char* path, mode_t mode) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mkfifoat), dirfd, path, mode), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int mknod(const char* path, mode_t mode, dev_t device) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mknod), path, mode, device), -EEXIST, FollowLinks::kNo);
}
OSSLOOP_EXPORT int mknodat(int dirfd, const char* path, mode_t mode, dev_t device) noexcept {
  return refuse(path_call(OSSLOOP_REAL(mknodat), dirfd, path, mode, device), -EEXIST,
                FollowLinks::kNo);
}
OSSLOOP_EXPORT int __xmknod(int version, const char* path, mode_t mode, dev_t* device) {
  return refuse(path_call(bound(OSSLOOP_REAL(__xmknod), version), path, mode, device), -EEXIST,
                FollowLinks::kNo);
}
OSSLOOP_EXPORT int __xmknodat(int version, int dirfd, const char* path, mode_t mode,
                              dev_t* device) {
  return refuse(path_call(bound(OSSLOOP_REAL(__xmknodat), version), dirfd, path, mode, device),
                -EEXIST, FollowLinks::kNo);
}
