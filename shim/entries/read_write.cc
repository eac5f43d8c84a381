// Bytes through a descriptor, and ioctl.
#include <limits.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

// Piece by piece, as long as each is moved whole.
template <typename Move>
ssize_t move_vector(const iovec* pieces, int count, Move move) {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  if (count > 0 && !readable(pieces, static_cast<size_t>(count) * sizeof *pieces)) return -EFAULT;
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len == 0) continue;
    const ssize_t moved = move(pieces[i], total > 0);
    if (moved < 0) return total > 0 ? total : moved;
    total += moved;
    if (static_cast<size_t>(moved) < pieces[i].iov_len) break;
  }
  return total;
}

}  // namespace

OSSLOOP_EXPORT ssize_t read(int fd, void* data, size_t bytes) {
  if (!is_ours(fd)) return OSSLOOP_REAL(read)(fd, data, bytes);
  return to_libc(loaded_engine()->read(fd, data, bytes, false));
}

OSSLOOP_EXPORT ssize_t __read_chk(int fd, void* data, size_t bytes, size_t size) {
  if (bytes > size || !is_ours(fd)) return OSSLOOP_REAL(__read_chk)(fd, data, bytes, size);
  return to_libc(loaded_engine()->read(fd, data, bytes, false));
}

OSSLOOP_EXPORT ssize_t write(int fd, const void* data, size_t bytes) {
  if (!is_ours(fd)) return OSSLOOP_REAL(write)(fd, data, bytes);
  return to_libc(loaded_engine()->write(fd, data, bytes, false));
}

OSSLOOP_EXPORT ssize_t readv(int fd, const iovec* pieces, int count) {
  if (!is_ours(fd)) return OSSLOOP_REAL(readv)(fd, pieces, count);
  return to_libc(move_vector(pieces, count, [&](const iovec& piece, bool progressed) {
    return loaded_engine()->read(fd, piece.iov_base, piece.iov_len, progressed);
  }));
}

OSSLOOP_EXPORT ssize_t writev(int fd, const iovec* pieces, int count) {
  if (!is_ours(fd)) return OSSLOOP_REAL(writev)(fd, pieces, count);
  return to_libc(move_vector(pieces, count, [&](const iovec& piece, bool progressed) {
    return loaded_engine()->write(fd, piece.iov_base, piece.iov_len, progressed);
  }));
}

// glibc declares the request unsigned long, callers often pass a negative int;
// the kernel looks at the low 32 bits only, and so do we.
OSSLOOP_EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  // Signals for readiness are between the kernel and the node.
  if (static_cast<unsigned>(request) == FIOASYNC || !is_ours(fd)) {
    return OSSLOOP_REAL(ioctl)(fd, request, argument);
  }
  return to_libc(loaded_engine()->ioctl(fd, static_cast<unsigned>(request), argument));
}
