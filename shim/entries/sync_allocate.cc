// What only files with storage behind them can do. What lies behind our
// descriptors could do some of it, a character device cannot.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

// These two return the error number itself.
int advice(off64_t length, int kind) {
  return length >= 0 && kind >= POSIX_FADV_NORMAL && kind <= POSIX_FADV_NOREUSE ? 0 : EINVAL;
}
int reservation(off64_t offset, off64_t length) {
  return offset < 0 || length <= 0 ? EINVAL : ENODEV;
}

}  // namespace

OSSLOOP_EXPORT int fsync(int fd) {
  return is_ours(fd) ? to_libc(-EINVAL) : OSSLOOP_REAL(fsync)(fd);
}
OSSLOOP_EXPORT int fdatasync(int fd) {
  return is_ours(fd) ? to_libc(-EINVAL) : OSSLOOP_REAL(fdatasync)(fd);
}
OSSLOOP_EXPORT int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags) {
  return is_ours(fd) ? to_libc(-ESPIPE) : OSSLOOP_REAL(sync_file_range)(fd, offset, bytes, flags);
}
OSSLOOP_EXPORT int ftruncate(int fd, off_t length) noexcept {
  return is_ours(fd) ? to_libc(-EINVAL) : OSSLOOP_REAL(ftruncate)(fd, length);
}
OSSLOOP_EXPORT int ftruncate64(int fd, off64_t length) noexcept {
  return is_ours(fd) ? to_libc(-EINVAL) : OSSLOOP_REAL(ftruncate64)(fd, length);
}
OSSLOOP_EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (!is_ours(fd)) return OSSLOOP_REAL(fallocate)(fd, mode, offset, length);
  return to_libc(-reservation(offset, length));
}
OSSLOOP_EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  if (!is_ours(fd)) return OSSLOOP_REAL(fallocate64)(fd, mode, offset, length);
  return to_libc(-reservation(offset, length));
}
OSSLOOP_EXPORT int posix_fallocate(int fd, off_t offset, off_t length) {
  return is_ours(fd) ? reservation(offset, length)
                     : OSSLOOP_REAL(posix_fallocate)(fd, offset, length);
}
OSSLOOP_EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  return is_ours(fd) ? reservation(offset, length)
                     : OSSLOOP_REAL(posix_fallocate64)(fd, offset, length);
}
OSSLOOP_EXPORT int posix_fadvise(int fd, off_t offset, off_t length, int kind) noexcept {
  return is_ours(fd) ? advice(length, kind) : OSSLOOP_REAL(posix_fadvise)(fd, offset, length, kind);
}
OSSLOOP_EXPORT int posix_fadvise64(int fd, off64_t offset, off64_t length, int kind) noexcept {
  return is_ours(fd) ? advice(length, kind)
                     : OSSLOOP_REAL(posix_fadvise64)(fd, offset, length, kind);
}
OSSLOOP_EXPORT ssize_t readahead(int fd, off64_t offset, size_t bytes) noexcept {
  return is_ours(fd) ? to_libc<ssize_t>(-EINVAL) : OSSLOOP_REAL(readahead)(fd, offset, bytes);
}
