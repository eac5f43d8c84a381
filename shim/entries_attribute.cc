// Extended attributes: a device has none to list, but `ls -l` asks.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "shim/real.h"
#include "shim/router.h"

namespace {

using namespace ossloop::shim;

OSSLOOP_REAL(getxattr);
OSSLOOP_REAL(lgetxattr);
OSSLOOP_REAL(listxattr);
OSSLOOP_REAL(llistxattr);

bool is_device(const char* path) {
  ossloop::config::DeviceName name;
  struct stat status;
  if (!names_device(AT_FDCWD, path, name)) return false;
  const EngineApi* engine = load_engine();
  return engine != nullptr && engine->stat(&name, &status) == 0;
}

}  // namespace

OSSLOOP_EXPORT ssize_t getxattr(const char* path, const char* name, void* value,
                                size_t bytes) noexcept {
  if (is_device(path)) return to_libc<ssize_t>(-EOPNOTSUPP);
  return real_getxattr(path, name, value, bytes);
}
OSSLOOP_EXPORT ssize_t lgetxattr(const char* path, const char* name, void* value,
                                 size_t bytes) noexcept {
  if (is_device(path)) return to_libc<ssize_t>(-EOPNOTSUPP);
  return real_lgetxattr(path, name, value, bytes);
}
OSSLOOP_EXPORT ssize_t listxattr(const char* path, char* list, size_t bytes) noexcept {
  if (is_device(path)) return 0;
  return real_listxattr(path, list, bytes);
}
OSSLOOP_EXPORT ssize_t llistxattr(const char* path, char* list, size_t bytes) noexcept {
  if (is_device(path)) return 0;
  return real_llistxattr(path, list, bytes);
}
