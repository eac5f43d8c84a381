// Printing to a descriptor, without a stream.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

int print(int fd, const char* format, va_list arguments) {
  char* text = nullptr;
  const int length = ::vasprintf(&text, format, arguments);
  if (length < 0) return -1;
  int done = 0;
  while (done < length) {
    const ssize_t written = ::write(fd, text + done, static_cast<size_t>(length - done));
    if (written < 0) break;
    done += static_cast<int>(written);
  }
  const int saved = errno;
  ::free(text);
  errno = saved;
  return done == length ? length : -1;
}

}  // namespace

OSSLOOP_EXPORT int vdprintf(int fd, const char* format, va_list arguments) {
  return is_ours(fd) ? print(fd, format, arguments) : OSSLOOP_REAL(vdprintf)(fd, format, arguments);
}
OSSLOOP_EXPORT int dprintf(int fd, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vdprintf(fd, format, arguments);
  va_end(arguments);
  return result;
}
OSSLOOP_EXPORT int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
  return is_ours(fd) ? print(fd, format, arguments)
                     : OSSLOOP_REAL(__vdprintf_chk)(fd, flag, format, arguments);
}
OSSLOOP_EXPORT int __dprintf_chk(int fd, int flag, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = __vdprintf_chk(fd, flag, format, arguments);
  va_end(arguments);
  return result;
}

// libc prints through a copy of the descriptor that nobody else sees.
OSSLOOP_EXPORT void perror(const char* what) {
  if (!is_ours(STDERR_FILENO)) return OSSLOOP_REAL(perror)(what);
  const int error = errno;
  const bool said = what != nullptr && *what != '\0';
  char text[256];
  ::fprintf(stderr, "%s%s%s\n", said ? what : "", said ? ": " : "",
            ::strerror_r(error, text, sizeof text));
}
