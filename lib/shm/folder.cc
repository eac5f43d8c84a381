#include "shm/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/fd.h"
#include "base/log.h"

namespace ossloop::shm {
using base::sys;

int prepare_folder(const std::string& path, mode_t file_mode, bool create, std::string& why) {
  const auto refuse = [&](int error, const char* reason) {
    why = "runtime folder " + path + ": " + reason + "; set OSSLOOP_DIR to a folder of your own";
    return error;
  };
  const bool shared = (file_mode & 0060) != 0;
  const mode_t folder_mode = shared ? 0770 : 0700;
  bool made = false;
  if (create) {
    const int result = sys().mkdir(path.c_str(), folder_mode);
    if (result == -ENOENT) return refuse(result, "the folder for it is missing");
    if (result < 0 && result != -EEXIST) return refuse(result, base::error_text(-result));
    made = result == 0;
  }
  base::Fd fd(sys().open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (fd.get() == -ENOENT) return -ENOENT;
  if (fd.get() == -ELOOP || fd.get() == -ENOTDIR) {
    return refuse(-EACCES, "is a link or not a folder");
  }
  if (!fd) return refuse(fd.get(), base::error_text(-fd.get()));
  struct stat status {};
  const int seen = sys().fstat(fd.get(), &status);
  if (seen < 0) return refuse(seen, base::error_text(-seen));
  const bool ours = status.st_uid == ::geteuid();
  if (!ours && !(shared && (status.st_uid == 0 || (status.st_mode & 0070) == 0070))) {
    return refuse(-EACCES, "belongs to another user");
  }
  if ((status.st_mode & 0002) != 0) return refuse(-EACCES, "everybody may write there");
  if (made && shared) sys().fchmod(fd.get(), folder_mode);
  return 0;
}

int prepare_folder(const std::string& path, mode_t file_mode, bool create) {
  std::string why;
  const int error = prepare_folder(path, file_mode, create, why);
  if (!why.empty()) base::log(base::LogLevel::kError, "%s", why.c_str());
  return error;
}

}  // namespace ossloop::shm
