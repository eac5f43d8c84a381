// Ways to open by name.
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "shim/opened.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

OSSLOOP_REAL(open);
OSSLOOP_REAL(open64);
OSSLOOP_REAL(openat);
OSSLOOP_REAL(openat64);
OSSLOOP_REAL(creat);
OSSLOOP_REAL(creat64);
OSSLOOP_REAL_AS(__open_2, int(const char*, int));
OSSLOOP_REAL_AS(__open64_2, int(const char*, int));
OSSLOOP_REAL_AS(__openat_2, int(int, const char*, int));
OSSLOOP_REAL_AS(__openat64_2, int(int, const char*, int));

int open_device(const ossloop::config::DeviceName& name, int flags) {
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return kNotOurs;
  struct stat status;
  const int there = engine->stat(&name, &status);
  if ((flags & O_DIRECTORY) != 0) return there < 0 ? there : -ENOTDIR;
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0 && there == 0) return -EEXIST;
  // Such a descriptor opens nothing: any other character device will do.
  if ((flags & O_PATH) != 0) {
    return there < 0 ? there : real_open("/dev/null", O_PATH | (flags & O_CLOEXEC));
  }
  const int fd = engine->open(&name, flags);
  constexpr int kKept = O_APPEND | O_NOATIME;
  if (fd >= 0 && (flags & kKept) != 0) {
    ::syscall(SYS_fcntl, fd, F_SETFL, ::syscall(SYS_fcntl, fd, F_GETFL) | (flags & kKept));
  }
  return fd;
}

mode_t mode_of(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

}  // namespace

int ossloop::shim::try_device(int dirfd, const char* path, int flags) {
  ossloop::config::DeviceName name;
  if (names_device(dirfd, path, name)) return open_device(name, flags);
  // libc would make the file that a link to a device points to.
  if ((flags & O_CREAT) != 0 && (flags & O_NOFOLLOW) == 0 && links_to_device(dirfd, path, name)) {
    return open_device(name, flags);
  }
  return kNotOurs;
}

int ossloop::shim::try_link(int dirfd, const char* path, int flags) {
  ossloop::config::DeviceName name;
  return links_to_device(dirfd, path, name) ? open_device(name, flags) : kNotOurs;
}

#define OSSLOOP_MODE               \
  va_list arguments;               \
  va_start(arguments, flags);      \
  const mode_t mode = mode_of(flags, arguments); \
  va_end(arguments)

OSSLOOP_EXPORT int open(const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(AT_FDCWD, path, flags, [&] { return real_open(path, flags, mode); });
}
OSSLOOP_EXPORT int open64(const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(AT_FDCWD, path, flags, [&] { return real_open64(path, flags, mode); });
}
OSSLOOP_EXPORT int openat(int dirfd, const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(dirfd, path, flags, [&] { return real_openat(dirfd, path, flags, mode); });
}
OSSLOOP_EXPORT int openat64(int dirfd, const char* path, int flags, ...) {
  OSSLOOP_MODE;
  return open_or(dirfd, path, flags, [&] { return real_openat64(dirfd, path, flags, mode); });
}
OSSLOOP_EXPORT int creat(const char* path, mode_t mode) {
  return open_or(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, [&] { return real_creat(path, mode); });
}
OSSLOOP_EXPORT int creat64(const char* path, mode_t mode) {
  return open_or(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC,
                 [&] { return real_creat64(path, mode); });
}
// What programs built with _FORTIFY_SOURCE call.
OSSLOOP_EXPORT int __open_2(const char* path, int flags) {
  return open_or(AT_FDCWD, path, flags, [&] { return real___open_2(path, flags); });
}
OSSLOOP_EXPORT int __open64_2(const char* path, int flags) {
  return open_or(AT_FDCWD, path, flags, [&] { return real___open64_2(path, flags); });
}
OSSLOOP_EXPORT int __openat_2(int dirfd, const char* path, int flags) {
  return open_or(dirfd, path, flags, [&] { return real___openat_2(dirfd, path, flags); });
}
OSSLOOP_EXPORT int __openat64_2(int dirfd, const char* path, int flags) {
  return open_or(dirfd, path, flags, [&] { return real___openat64_2(dirfd, path, flags); });
}
