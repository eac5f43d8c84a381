#include "shm/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "base/log.h"

namespace ossloop::shm {
namespace {

using base::log;
using base::LogLevel;
using base::sys;

int refuse(const std::string& path, int error, const char* why) {
  log(LogLevel::kError, "runtime folder %s: %s; set OSSLOOP_DIR to a folder of your own",
      path.c_str(), why);
  return error;
}

}  // namespace

int prepare_folder(const std::string& path, mode_t file_mode, bool create) {
  const bool shared = (file_mode & 0060) != 0;
  const mode_t folder_mode = shared ? 0770 : 0700;
  bool made = false;
  if (create) {
    const int result = sys().mkdir(path.c_str(), folder_mode);
    if (result < 0 && result != -EEXIST) return refuse(path, result, std::strerror(-result));
    made = result == 0;
  }
  base::Fd fd(sys().open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (fd.get() == -ENOENT) return -ENOENT;
  if (fd.get() == -ELOOP || fd.get() == -ENOTDIR) {
    return refuse(path, -EACCES, "is a link or not a folder");
  }
  if (!fd) return refuse(path, fd.get(), std::strerror(-fd.get()));
  struct stat status {};
  const int seen = sys().fstat(fd.get(), &status);
  if (seen < 0) return refuse(path, seen, std::strerror(-seen));
  const bool ours = status.st_uid == ::geteuid();
  if (!ours && !(shared && (status.st_uid == 0 || (status.st_mode & 0070) == 0070))) {
    return refuse(path, -EACCES, "belongs to another user");
  }
  if ((status.st_mode & 0002) != 0) return refuse(path, -EACCES, "everybody may write there");
  if (made && shared) sys().fchmod(fd.get(), folder_mode);
  return 0;
}

}  // namespace ossloop::shm
