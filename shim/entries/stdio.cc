// Streams: opened, opened anew, closed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/paths/open_path.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

FILE* foreign_stream(FILE* file) {
  if (file != nullptr) register_foreign(::fileno(file));
  return file;
}

// A stream on a new descriptor of ours, which is closed if there can be none.
FILE* stream_on(int fd, const char* mode) {
  FILE* file = make_stream(fd, mode);
  if (file != nullptr) return file;
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return nullptr;
}

template <typename Next>
FILE* open_stream_or(const char* path, const char* mode, Next next) {
  const int flags = open_flags_of(mode);
  if (flags < 0) return next(path);
  FILE* theirs = nullptr;
  const auto open = [&](const char* at) {
    theirs = next(at);
    return theirs != nullptr ? ::fileno(theirs) : -1;
  };
  const int fd = open_or(PathCall{AT_FDCWD, path, open}, flags);
  if (theirs != nullptr || fd < 0) return theirs;
  return stream_on(fd, mode);
}

// A device in the place of what `file` has open. libc would do it inside the
// object, and so do we with a stream of ours; another one becomes another object,
// and the variables stdin, stdout and stderr say so.
FILE* reopen_on_device(int fd, const char* mode, FILE* file) {
  const int place = ::fileno(file);
  const bool ours = is_stream(file);
  if (place >= 0 && place <= 2 && fd != place) {
    ::dup2(fd, place);
    ::close(fd);
    fd = place;
  }
  if (ours) return change_stream(file, fd, mode);
  if (place < 0 || place > 2) {
    OSSLOOP_REAL(fclose)(file);
    return stream_on(fd, mode);
  }
  ::fflush(file);
  ::clearerr(file);
  number_changed(place);
  return place == 0 ? stdin : place == 1 ? stdout : stderr;
}

template <typename Next>
FILE* reopen_or(const char* path, const char* mode, FILE* file, Next next) {
  const int flags = open_flags_of(mode);
  if (path != nullptr && flags >= 0) {
    // The old file is closed first, whatever becomes of the new one; a device that
    // opens once must be free by then.
    const int before = ::fileno(file);
    const bool was_ours = before >= 0 && is_ours(before);
    PathLookup place;
    look_up(AT_FDCWD, path, FollowLinks::kYes, place);
    if (!place.ours) resolve_after_enoent(AT_FDCWD, path, FollowLinks::kYes, place);
    if (was_ours) {
      ::fflush(file);
      ::close(before);
    }
    if (place.ours) {
      const int fd = ::open(path, flags, 0666);
      if (fd < 0) return nullptr;
      return reopen_on_device(fd, mode, file);
    }
    if (was_ours) {
      if (FILE* original = original_of(file); original != nullptr) return next(original);
      change_stream(file, -1, mode);
      OSSLOOP_REAL(fclose)(file);
      return ::fopen(path, mode);
    }
    return foreign_stream(next(file));
  }
  if (path == nullptr && is_stream(file)) return file;  // another mode for what is open
  return next(file);
}

}  // namespace

OSSLOOP_EXPORT FILE* fopen(const char* path, const char* mode) {
  return open_stream_or(path, mode, [&](const char* at) { return OSSLOOP_REAL(fopen)(at, mode); });
}
OSSLOOP_EXPORT FILE* fopen64(const char* path, const char* mode) {
  return open_stream_or(path, mode,
                        [&](const char* at) { return OSSLOOP_REAL(fopen64)(at, mode); });
}
OSSLOOP_EXPORT FILE* freopen(const char* path, const char* mode, FILE* file) {
  return reopen_or(path, mode, file,
                   [&](FILE* with) { return OSSLOOP_REAL(freopen)(path, mode, with); });
}
OSSLOOP_EXPORT FILE* freopen64(const char* path, const char* mode, FILE* file) {
  return reopen_or(path, mode, file,
                   [&](FILE* with) { return OSSLOOP_REAL(freopen64)(path, mode, with); });
}

OSSLOOP_EXPORT FILE* fdopen(int fd, const char* mode) noexcept {
  const int wanted = open_flags_of(mode);
  if (wanted < 0 || !is_ours(fd)) return OSSLOOP_REAL(fdopen)(fd, mode);
  const int access = loaded_engine()->get_flags(fd) & O_ACCMODE;
  if (access != O_RDWR && access != (wanted & O_ACCMODE)) {
    errno = EINVAL;
    return nullptr;
  }
  if ((wanted & O_APPEND) != 0) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_APPEND);
  if ((wanted & O_CLOEXEC) != 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return make_stream(fd, mode);
}

// A stream of ours closes its descriptor by way of us. libc's own, with a device
// under its number, closes it out of our sight.
OSSLOOP_EXPORT int fclose(FILE* file) {
  const int fd = loaded_engine() != nullptr ? ::fileno(file) : -1;
  if (fd < 0 || !descriptors.ours(fd) || is_stream(file)) return OSSLOOP_REAL(fclose)(file);
  ::fflush(file);
  ::close(fd);
  const int result = OSSLOOP_REAL(fclose)(file);
  return result == EOF && errno == EBADF ? 0 : result;
}

OSSLOOP_EXPORT FILE* popen(const char* command, const char* mode) {
  return foreign_stream(OSSLOOP_REAL(popen)(command, mode));
}
OSSLOOP_EXPORT FILE* tmpfile() { return foreign_stream(OSSLOOP_REAL(tmpfile)()); }
OSSLOOP_EXPORT FILE* tmpfile64() { return foreign_stream(OSSLOOP_REAL(tmpfile64)()); }
