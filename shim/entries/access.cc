// May one use a name, and where does it lead: access, readlink, realpath.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/paths/path_lookup.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

template <typename Next>
int access_or(const PathCall<Next>& call, int mode) {
  return by_name(call, FollowLinks::kYes, [mode](const EngineApi& engine, const PathLookup& place) {
    if ((mode & ~(R_OK | W_OK | X_OK)) != 0) return -EINVAL;
    struct stat status;
    const int error = describe(engine, place, status);
    if (error != 0) return error;
    const bool folder = S_ISDIR(status.st_mode);
    if ((mode & X_OK) != 0 && !folder) return -EACCES;
    const bool written = !folder && (status.st_mode & 0222) != 0;
    return (mode & W_OK) != 0 && !written && ::geteuid() != 0 ? -EACCES : 0;
  });
}

// A link of /proc to a descriptor of ours tells the device, not what stands for it.
bool names_open_device(const char* path, char* text) {
  PathLookup place;
  if (!readable_text(path) || ::strncmp(path, "/proc/", 6) != 0) return false;
  look_up(AT_FDCWD, path, FollowLinks::kYes, place);
  if (!place.ours || place.name.kind == ossloop::config::DeviceKind::kDirectory) return false;
  canonical_text(place.name, text);
  return true;
}

template <typename Next>
ssize_t readlink_or(const PathCall<Next>& call, char* to, size_t bytes) {
  char text[64];
  if (!names_open_device(call.path, text)) return refuse(call, -EINVAL, FollowLinks::kNo);
  const size_t length = ::strlen(text) < bytes ? ::strlen(text) : bytes;
  ::memcpy(to, text, length);  // NOLINT(bugprone-not-null-terminated-result): as readlink()
  return static_cast<ssize_t>(length);
}

// `to` nullptr: in memory of its own.
template <typename Next>
char* realpath_or(const PathCall<Next>& call, char* to) {
  PathLookup place;
  const int saved = errno;
  char* result = nullptr;
  if (asked_libc(call, FollowLinks::kYes, place, result, Resolve::kCanonical)) return result;
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return call.next(call.path);
  if (const int error = place.error != 0 ? place.error : exists(*engine, place); error != 0) {
    errno = -error;
    return nullptr;
  }
  errno = saved;
  if (to == nullptr) return ::strdup(place.text);
  return static_cast<char*>(::memcpy(to, place.text, ::strlen(place.text) + 1));
}

}  // namespace

OSSLOOP_EXPORT int access(const char* path, int mode) noexcept {
  return access_or(path_call(OSSLOOP_REAL(access), path, mode), mode);
}
OSSLOOP_EXPORT int faccessat(int dirfd, const char* path, int mode, int flags) noexcept {
  return access_or(path_call(OSSLOOP_REAL(faccessat), dirfd, path, mode, flags), mode);
}
OSSLOOP_EXPORT int euidaccess(const char* path, int mode) noexcept {
  return access_or(path_call(OSSLOOP_REAL(euidaccess), path, mode), mode);
}
OSSLOOP_EXPORT int eaccess(const char* path, int mode) noexcept {
  return access_or(path_call(OSSLOOP_REAL(eaccess), path, mode), mode);
}

OSSLOOP_EXPORT ssize_t readlink(const char* path, char* to, size_t bytes) noexcept {
  return readlink_or(path_call(OSSLOOP_REAL(readlink), path, to, bytes), to, bytes);
}
OSSLOOP_EXPORT ssize_t readlinkat(int dirfd, const char* path, char* to, size_t bytes) noexcept {
  return readlink_or(path_call(OSSLOOP_REAL(readlinkat), dirfd, path, to, bytes), to, bytes);
}
OSSLOOP_EXPORT ssize_t __readlink_chk(const char* path, char* to, size_t bytes, size_t size) {
  if (bytes > size) return OSSLOOP_REAL(__readlink_chk)(path, to, bytes, size);
  return readlink(path, to, bytes);
}
OSSLOOP_EXPORT ssize_t __readlinkat_chk(int dirfd, const char* path, char* to, size_t bytes,
                                        size_t size) {
  if (bytes > size) return OSSLOOP_REAL(__readlinkat_chk)(dirfd, path, to, bytes, size);
  return readlinkat(dirfd, path, to, bytes);
}

OSSLOOP_EXPORT char* realpath(const char* path, char* to) noexcept {
  return realpath_or(path_call(OSSLOOP_REAL(realpath), path, to), to);
}
OSSLOOP_EXPORT char* __realpath_chk(const char* path, char* to, size_t size) {
  if (size < PATH_MAX) return OSSLOOP_REAL(__realpath_chk)(path, to, size);
  return realpath(path, to);
}
OSSLOOP_EXPORT char* canonicalize_file_name(const char* path) noexcept {
  return realpath_or(path_call(OSSLOOP_REAL(canonicalize_file_name), path), nullptr);
}
