// Places in a file: a character device has none.
#include <sys/uio.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

ssize_t no_place(off64_t offset) { return to_libc<ssize_t>(offset < 0 ? -EINVAL : -ESPIPE); }

// An offset of -1 means "where the file is": then these are readv and writev.
template <typename Plain>
ssize_t at_present_place(off64_t offset, int flags, Plain plain) {
  if (offset != -1) return no_place(offset);
  constexpr int kHarmless = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND;
  if ((flags & ~kHarmless) != 0) return to_libc<ssize_t>(-EOPNOTSUPP);
  return plain();
}

}  // namespace

OSSLOOP_EXPORT off_t lseek(int fd, off_t offset, int whence) noexcept {
  if (is_ours(fd)) return to_libc<off_t>(-ESPIPE);
  return OSSLOOP_REAL(lseek)(fd, offset, whence);
}
OSSLOOP_EXPORT off64_t lseek64(int fd, off64_t offset, int whence) noexcept {
  if (is_ours(fd)) return to_libc<off64_t>(-ESPIPE);
  return OSSLOOP_REAL(lseek64)(fd, offset, whence);
}

OSSLOOP_EXPORT ssize_t pread(int fd, void* data, size_t bytes, off_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pread)(fd, data, bytes, offset);
}
OSSLOOP_EXPORT ssize_t pread64(int fd, void* data, size_t bytes, off64_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pread64)(fd, data, bytes, offset);
}
OSSLOOP_EXPORT ssize_t __pread_chk(int fd, void* data, size_t bytes, off_t offset, size_t size) {
  return is_ours(fd) && bytes <= size ? no_place(offset)
                                      : OSSLOOP_REAL(__pread_chk)(fd, data, bytes, offset, size);
}
OSSLOOP_EXPORT ssize_t __pread64_chk(int fd, void* data, size_t bytes, off64_t offset,
                                     size_t size) {
  return is_ours(fd) && bytes <= size ? no_place(offset)
                                      : OSSLOOP_REAL(__pread64_chk)(fd, data, bytes, offset, size);
}
OSSLOOP_EXPORT ssize_t pwrite(int fd, const void* data, size_t bytes, off_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pwrite)(fd, data, bytes, offset);
}
OSSLOOP_EXPORT ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pwrite64)(fd, data, bytes, offset);
}

OSSLOOP_EXPORT ssize_t preadv(int fd, const iovec* pieces, int count, off_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(preadv)(fd, pieces, count, offset);
}
OSSLOOP_EXPORT ssize_t preadv64(int fd, const iovec* pieces, int count, off64_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(preadv64)(fd, pieces, count, offset);
}
OSSLOOP_EXPORT ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pwritev)(fd, pieces, count, offset);
}
OSSLOOP_EXPORT ssize_t pwritev64(int fd, const iovec* pieces, int count, off64_t offset) {
  return is_ours(fd) ? no_place(offset) : OSSLOOP_REAL(pwritev64)(fd, pieces, count, offset);
}
OSSLOOP_EXPORT ssize_t preadv2(int fd, const iovec* pieces, int count, off_t offset, int flags) {
  if (!is_ours(fd)) return OSSLOOP_REAL(preadv2)(fd, pieces, count, offset, flags);
  return at_present_place(offset, flags, [&] { return ::readv(fd, pieces, count); });
}
OSSLOOP_EXPORT ssize_t preadv64v2(int fd, const iovec* pieces, int count, off64_t offset,
                                  int flags) {
  if (!is_ours(fd)) return OSSLOOP_REAL(preadv64v2)(fd, pieces, count, offset, flags);
  return at_present_place(offset, flags, [&] { return ::readv(fd, pieces, count); });
}
OSSLOOP_EXPORT ssize_t pwritev2(int fd, const iovec* pieces, int count, off_t offset, int flags) {
  if (!is_ours(fd)) return OSSLOOP_REAL(pwritev2)(fd, pieces, count, offset, flags);
  return at_present_place(offset, flags, [&] { return ::writev(fd, pieces, count); });
}
OSSLOOP_EXPORT ssize_t pwritev64v2(int fd, const iovec* pieces, int count, off64_t offset,
                                   int flags) {
  if (!is_ours(fd)) return OSSLOOP_REAL(pwritev64v2)(fd, pieces, count, offset, flags);
  return at_present_place(offset, flags, [&] { return ::writev(fd, pieces, count); });
}
