// Ways to open by name.
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "shim/paths/open_path.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

int open_device(const EngineApi& engine, const PathLookup& place, int flags) {
  const int there = exists(engine, place);
  if ((flags & O_DIRECTORY) != 0) return there < 0 ? there : -ENOTDIR;
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0 && there == 0) return -EEXIST;
  // Such a descriptor opens nothing: any other character device will do.
  if ((flags & O_PATH) != 0) {
    return there < 0
               ? there
               : register_foreign(OSSLOOP_REAL(open)("/dev/null", O_PATH | (flags & O_CLOEXEC)));
  }
  const int fd = engine.open(&place.name, flags);
  constexpr int kKept = O_APPEND | O_NOATIME;
  if (fd >= 0 && (flags & kKept) != 0) {
    ::syscall(SYS_fcntl, fd, F_SETFL, ::syscall(SYS_fcntl, fd, F_GETFL) | (flags & kKept));
  }
  return fd;
}

int open_folder(const EngineApi& engine, const PathLookup& place, int flags) {
  if ((flags & O_CREAT) != 0) return (flags & O_EXCL) != 0 ? -EEXIST : -EISDIR;
  if ((flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0) return -EISDIR;
  const PathPages path;
  if (!path) return -ENOMEM;
  const int error = real_folder(engine, place, path->text, sizeof path->text);
  if (error != 0) return error;
  const int fd = register_foreign(OSSLOOP_REAL(open)(path->text, flags));
  if (fd < 0) return -errno;
  if (own_process()) descriptors.set_folder(fd, static_cast<unsigned>(folder_of(place.name)));
  return fd;
}

mode_t mode_of(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

int ossloop::shim::open_place(const PathLookup& place, int flags) {
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return kNotOurs;
  if (place.error != 0) {
    if ((flags & O_CREAT) == 0) return place.error;
    // Nobody but the loop makes names in its folders.
    if (place.error == -ENOENT && place.at_end) return ::geteuid() != 0 ? -EACCES : -EPERM;
    return place.error == -ENOTDIR && place.at_end ? -EISDIR : place.error;
  }
  return place.name.kind == config::DeviceKind::kDirectory ? open_folder(*engine, place, flags)
                                                           : open_device(*engine, place, flags);
}

#define OSSLOOP_MODE                             \
  va_list arguments;                             \
  va_start(arguments, flags);                    \
  const mode_t mode = mode_of(flags, arguments); \
  va_end(arguments)

OSSLOOP_EXPORT int open(const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(path_call(OSSLOOP_REAL(open), path, flags, mode), flags);
}
OSSLOOP_EXPORT int open64(const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(path_call(OSSLOOP_REAL(open64), path, flags, mode), flags);
}
OSSLOOP_EXPORT int openat(int dirfd, const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(path_call(OSSLOOP_REAL(openat), dirfd, path, flags, mode), flags);
}
OSSLOOP_EXPORT int openat64(int dirfd, const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(path_call(OSSLOOP_REAL(openat64), dirfd, path, flags, mode), flags);
}
OSSLOOP_EXPORT int creat(const char* path, mode_t mode) {
  return open_or(path_call(OSSLOOP_REAL(creat), path, mode), O_CREAT | O_WRONLY | O_TRUNC);
}
OSSLOOP_EXPORT int creat64(const char* path, mode_t mode) {
  return open_or(path_call(OSSLOOP_REAL(creat64), path, mode), O_CREAT | O_WRONLY | O_TRUNC);
}
// What programs built with _FORTIFY_SOURCE call.
OSSLOOP_EXPORT int __open_2(const char* path, int flags) {
  return open_or(path_call(OSSLOOP_REAL(__open_2), path, flags), flags);
}
OSSLOOP_EXPORT int __open64_2(const char* path, int flags) {
  return open_or(path_call(OSSLOOP_REAL(__open64_2), path, flags), flags);
}
OSSLOOP_EXPORT int __openat_2(int dirfd, const char* path, int flags) {
  return open_or(path_call(OSSLOOP_REAL(__openat_2), dirfd, path, flags), flags);
}
OSSLOOP_EXPORT int __openat64_2(int dirfd, const char* path, int flags) {
  return open_or(path_call(OSSLOOP_REAL(__openat64_2), dirfd, path, flags), flags);
}
