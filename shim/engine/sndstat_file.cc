#include "shim/engine/sndstat_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/scoped_block.h"

namespace ossloop::shim {
namespace {

using base::sys;

constexpr const char* kName = "ossloop-sndstat";
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

int SndstatFile::make(const std::string& text, bool close_on_exec) {
  const int fd = sys().memory_file(kName, close_on_exec);
  if (fd < 0) return fd;
  const base::ScopedWriteSignalBlock signals;
  const ssize_t written = sys().write(fd, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    sys().close(fd);
    return written < 0 ? static_cast<int>(written) : -ENOSPC;
  }
  sys().fcntl(fd, F_ADD_SEALS, kSeals);
  sys().seek(fd, 0, SEEK_SET);
  return fd;
}

bool SndstatFile::is(int fd) {
  if (sys().fcntl(fd, F_GET_SEALS, 0) != kSeals) return false;
  char link[64], path[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = sys().readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  constexpr std::size_t kPrefix = sizeof "/memfd:" - 1;
  return std::strncmp(path, "/memfd:", kPrefix) == 0 &&
         std::strncmp(path + kPrefix, kName, std::strlen(kName)) == 0;
}

}  // namespace ossloop::shim
