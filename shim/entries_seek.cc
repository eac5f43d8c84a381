// Places in a file: a character device has none.
#include <unistd.h>

#include "shim/real.h"
#include "shim/router.h"

namespace {

using namespace ossloop::shim;

OSSLOOP_REAL(lseek);
OSSLOOP_REAL(lseek64);

}  // namespace

OSSLOOP_EXPORT off_t lseek(int fd, off_t offset, int whence) noexcept {
  if (is_ours(fd)) return to_libc<off_t>(-ESPIPE);
  return real_lseek(fd, offset, whence);
}
OSSLOOP_EXPORT off64_t lseek64(int fd, off64_t offset, int whence) noexcept {
  if (is_ours(fd)) return to_libc<off64_t>(-ESPIPE);
  return real_lseek64(fd, offset, whence);
}
