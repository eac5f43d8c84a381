// Descriptors themselves: copies, flags, ends.
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include <algorithm>

#include "shim/engine_loader.h"
#include "shim/lock_range.h"
#include "shim/real.h"
#include "shim/stdio_streams.h"

namespace {

using namespace ossloop::shim;

// What F_SETFL may change and nobody but the kernel looks at.
constexpr int kKeptByNode = O_APPEND | O_ASYNC | O_NOATIME;
// What the kernel shows of every file that a 64-bit program opened by name.
constexpr int kKernelLarge = 0100000;

constexpr unsigned kCloseOnExecOnly = 4;  // CLOSE_RANGE_CLOEXEC
constexpr unsigned kUnshare = 2;          // CLOSE_RANGE_UNSHARE

// `fd` came out of a duplication of `source`.
int duplicated(int source, int fd, bool ours) {
  register_foreign(fd);
  if (fd < 0) return fd;
  if (ours) {
    loaded_engine()->duplicated(source, fd);
    number_changed(fd);
  } else if (const unsigned folder = descriptors.folder(source); folder != 0 && own_process()) {
    descriptors.set_folder(fd, folder);
  }
  return fd;
}

int replaced(int source, int result) {
  if (result >= 0 && own_process()) {
    // A folder over one of ours.
    if (const unsigned folder = descriptors.folder(source); folder != 0)
      descriptors.set_folder(result, folder);
    number_changed(result);
  }
  return to_libc(result);
}

bool is_ours_already(int fd) { return descriptors.ours(fd) && !in_device_thread(); }

// Closes our descriptors in [first, last], each as close() would.
void close_ours(unsigned first, unsigned last) {
  if (loaded_engine() == nullptr || in_device_thread()) return;
  last = std::min(last, static_cast<unsigned>(descriptors.highest()));
  for (unsigned fd = first; fd <= last; ++fd) {
    if (descriptors.ours(static_cast<int>(fd))) loaded_engine()->close(static_cast<int>(fd));
  }
}

int get_flags(int fd) {
  const int flags = loaded_engine()->get_flags(fd);
  if (flags < 0) return flags;
  return flags | kKernelLarge | (OSSLOOP_REAL(fcntl)(fd, F_GETFL) & kKeptByNode);
}

// The node keeps its own way of not blocking; the rest of what can be set lies
// with it, where it is shared as the description is.
int set_flags(int fd, int flags) {
  if ((flags & O_DIRECT) != 0) return -EINVAL;
  const int present = OSSLOOP_REAL(fcntl)(fd, F_GETFL);
  if (present < 0) return -errno;
  if (OSSLOOP_REAL(fcntl)(fd, F_SETFL, (present & ~kKeptByNode) | (flags & kKeptByNode)) != 0)
    return -errno;
  return loaded_engine()->set_flags(fd, flags);
}

int lock(int fd, int command, struct flock* wanted) {
  struct flock lock;
  if (!copy_from_user(&lock, wanted, sizeof lock)) return -EFAULT;
  const bool asking = command == F_GETLK || command == F_OFD_GETLK;
  const int access = loaded_engine()->get_flags(fd) & O_ACCMODE;
  if (!asking && ((lock.l_type == F_RDLCK && access == O_WRONLY) ||
                  (lock.l_type == F_WRLCK && access == O_RDONLY))) {
    return -EBADF;
  }
  if (const int error = to_node(lock); error != 0) return error;
  if (OSSLOOP_REAL(fcntl)(fd, command, &lock) != 0) return -errno;
  if (asking && lock.l_type == F_UNLCK) {
    wanted->l_type = F_UNLCK;
  } else if (asking) {
    from_node(lock);
    *wanted = lock;
  }
  return 0;
}

// How the application's argument travels: an int or a pointer, in one register.
template <typename Next>
int control(int fd, int command, void* argument, Next next) {
  if (!is_ours(fd)) {
    const int result = next();
    const bool copy = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    return copy ? duplicated(fd, result, false) : result;
  }
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      return duplicated(fd, next(), true);
    case F_GETFL:
      return to_libc(get_flags(fd));
    case F_SETFL:
      return to_libc(set_flags(fd, static_cast<int>(reinterpret_cast<long>(argument))));
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return to_libc(lock(fd, command, static_cast<struct flock*>(argument)));
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
      return to_libc(-EBADF);
    case F_ADD_SEALS:
    case F_GET_SEALS:
      return to_libc(-EINVAL);
    default:
      return next();
  }
}

// As libc does it, but by way of our fcntl().
int lock_section(int fd, int command, off64_t length) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_CUR;
  lock.l_len = length;
  switch (command) {
    case F_TEST:
      lock.l_type = F_RDLCK;
      if (::fcntl(fd, F_GETLK, &lock) < 0) return -1;
      return lock.l_type == F_UNLCK || lock.l_pid == ::getpid() ? 0 : to_libc(-EACCES);
    case F_ULOCK:
      lock.l_type = F_UNLCK;
      return ::fcntl(fd, F_SETLK, &lock);
    case F_LOCK:
      return ::fcntl(fd, F_SETLKW, &lock);
    case F_TLOCK:
      return ::fcntl(fd, F_SETLK, &lock);
    default:
      return to_libc(-EINVAL);
  }
}

}  // namespace

OSSLOOP_EXPORT int close(int fd) {
  if (descriptors.foreign(fd)) return OSSLOOP_REAL(close)(fd);
  if (is_ours(fd)) return to_libc(loaded_engine()->close(fd));
  register_foreign(fd);
  return OSSLOOP_REAL(close)(fd);
}

OSSLOOP_EXPORT int dup(int fd) noexcept {
  const bool ours = is_ours(fd);
  return duplicated(fd, OSSLOOP_REAL(dup)(fd), ours);
}

OSSLOOP_EXPORT int dup2(int fd, int to) noexcept {
  if (!is_ours(fd) && !is_ours_already(to))
    return duplicated(fd, OSSLOOP_REAL(dup2)(fd, to), false);
  return replaced(fd, loaded_engine()->replace(fd, to, 0));
}

OSSLOOP_EXPORT int dup3(int fd, int to, int flags) noexcept {
  if (fd == to || (!is_ours(fd) && !is_ours_already(to))) {
    return duplicated(fd, OSSLOOP_REAL(dup3)(fd, to, flags), false);
  }
  return replaced(fd, loaded_engine()->replace(fd, to, flags));
}

#define OSSLOOP_ARGUMENT                     \
  va_list arguments;                         \
  va_start(arguments, command);              \
  void* argument = va_arg(arguments, void*); \
  va_end(arguments)

OSSLOOP_EXPORT int fcntl(int fd, int command, ...) {
  OSSLOOP_ARGUMENT;
  return control(fd, command, argument, [&] { return OSSLOOP_REAL(fcntl)(fd, command, argument); });
}
OSSLOOP_EXPORT int fcntl64(int fd, int command, ...) {
  OSSLOOP_ARGUMENT;
  return control(fd, command, argument,
                 [&] { return OSSLOOP_REAL(fcntl64)(fd, command, argument); });
}

OSSLOOP_EXPORT int lockf(int fd, int command, off_t length) {
  return is_ours(fd) ? lock_section(fd, command, length) : OSSLOOP_REAL(lockf)(fd, command, length);
}
OSSLOOP_EXPORT int lockf64(int fd, int command, off64_t length) {
  return is_ours(fd) ? lock_section(fd, command, length)
                     : OSSLOOP_REAL(lockf64)(fd, command, length);
}

OSSLOOP_EXPORT int close_range(unsigned first, unsigned last, int flags) noexcept {
  // A table of the caller's own (CLOSE_RANGE_UNSHARE) is asked for by programs of one
  // thread, which have no other that would keep the descriptor.
  const bool closes = (static_cast<unsigned>(flags) & ~kUnshare) == 0;
  if (closes && first <= last) close_ours(first, last);
  return OSSLOOP_REAL(close_range)(first, last, flags);
}

OSSLOOP_EXPORT void closefrom(int first) noexcept {
  close_ours(first > 0 ? static_cast<unsigned>(first) : 0, ~0U);
  OSSLOOP_REAL(closefrom)(first);
}
