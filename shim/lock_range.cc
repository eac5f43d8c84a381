#include "shim/lock_range.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

namespace ossloop::shim {

int to_node(struct flock& lock) {
  if (lock.l_whence != SEEK_SET && lock.l_whence != SEEK_CUR && lock.l_whence != SEEK_END) {
    return -EINVAL;
  }
  // A device has no place and no size: all three begin at 0.
  lock.l_whence = SEEK_SET;
  if (lock.l_start < 0) return -EINVAL;
  if (lock.l_len < 0) {
    if (lock.l_start + lock.l_len < 0) return -EINVAL;
    lock.l_start += lock.l_len;
    lock.l_len = -lock.l_len;
  }
  if (lock.l_start > INT64_MAX - kOwnLockBytes) return -EOVERFLOW;
  lock.l_start += kOwnLockBytes;
  if (lock.l_len > INT64_MAX - lock.l_start) lock.l_len = 0;  // to the end
  return 0;
}

void from_node(struct flock& lock) {
  if (lock.l_type != F_UNLCK && lock.l_start >= kOwnLockBytes) lock.l_start -= kOwnLockBytes;
}

}  // namespace ossloop::shim
