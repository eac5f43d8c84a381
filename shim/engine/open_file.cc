#include "shim/engine/open_file.h"

#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"

namespace ossloop::shim {
namespace {

// What open() was told once and F_GETFL does not repeat.
constexpr int kNotShown = O_NOFOLLOW;

}  // namespace

void* OpenFile::map(int /*fd*/, const device::MapRequest& /*request*/, int& /*which*/, int& error) {
  error = -ENODEV;
  return nullptr;
}

int OpenFile::flags(int fd) {
  const int flags = base::sys().fcntl(fd, F_GETFL, 0);
  return flags < 0 ? flags : flags & ~kNotShown;
}

int OpenFile::set_flags(int fd, int flags) { return base::sys().fcntl(fd, F_SETFL, flags); }

}  // namespace ossloop::shim
