#include "shm/byte_lock.h"

#include <errno.h>

#include <cstdint>

#include "base/sys.h"

namespace ossloop::shm {
namespace {

struct flock range(short type, off_t start) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = 1;
  return lock;
}

int call(int fd, int command, struct flock& lock) {
  return base::sys().fcntl(fd, command, reinterpret_cast<std::intptr_t>(&lock));
}

}  // namespace

int lock_byte(int fd, off_t byte, short type) {
  struct flock lock = range(type, byte);
  const int result = call(fd, F_OFD_SETLK, lock);
  return result == -EAGAIN ? -EBUSY : result;
}

short lock_of_other(int fd, off_t byte) {
  struct flock lock = range(F_WRLCK, byte);
  return call(fd, F_OFD_GETLK, lock) == 0 ? lock.l_type : short{F_UNLCK};
}

// To a lock of the process that of each description is another's.
short lock_of_any(int fd, off_t byte) {
  struct flock lock = range(F_WRLCK, byte);
  return call(fd, F_GETLK, lock) == 0 ? lock.l_type : short{F_UNLCK};
}

}  // namespace ossloop::shm
