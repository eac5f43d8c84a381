#include "shm/runtime_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <vector>

#include "base/error_text.h"
#include "base/log.h"

namespace ossloop::shm {
namespace {

using base::Fd;
using base::sys;

constexpr mode_t kAllBits = 07777;

bool in_group(gid_t group) {
  if (::getegid() == group) return true;
  const int count = ::getgroups(0, nullptr);
  if (count <= 0) return false;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  const int got = ::getgroups(count, groups.data());
  return got > 0 && std::find(groups.begin(), groups.begin() + got, group) != groups.begin() + got;
}

// Programs ask for a device again and again.
void tell_once(const std::string& why) {
  static std::atomic<std::size_t> told{0};
  const std::size_t text = std::hash<std::string>{}(why);
  if (told.exchange(text) != text) base::log(base::LogLevel::kError, "%s", why.c_str());
}

std::string reason(const std::string& path, const char* what) {
  return "runtime folder " + path + ": " + what +
         "; set OSSLOOP_DIR (or, for the default, XDG_RUNTIME_DIR) to a folder of your own";
}

}  // namespace

std::string passing_name(const std::string& name) {
  return name + "." + std::to_string(::gettid());
}

// nullptr: it can be trusted. Nobody but root and ourselves can have made it so.
const char* RuntimeDirectory::distrusted(const struct stat& status) const {
  const uid_t user = ::geteuid();
  if (status.st_uid != user && !(shared() && status.st_uid == 0)) return "belongs to another user";
  if (shared() && user != 0 && !in_group(status.st_gid)) {
    return "belongs to a group that this user is not in";
  }
  return (status.st_mode & 0002) != 0 ? "everybody may write there" : nullptr;
}

// By O_PATH: the folder need not be readable, and its mode can be mended.
Fd RuntimeDirectory::reach(std::string& why) const {
  Fd fd(sys().open(path_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (fd.get() == -ELOOP || fd.get() == -ENOTDIR) {
    why = reason(path_, "is a link or not a folder");
    return Fd(-EACCES);
  }
  if (!fd) return fd;
  struct stat status {};
  const int seen = sys().fstat(fd.get(), &status);
  if (seen < 0) return Fd(seen);
  const char* const doubt = distrusted(status);
  if (doubt == nullptr) return fd;
  why = reason(path_, doubt);
  return Fd(-EACCES);
}

Fd RuntimeDirectory::reach() const {
  std::string why;
  Fd fd = reach(why);
  // A program that has changed its user since knows that it left its folder behind.
  if (!why.empty() && user_ == ::geteuid()) tell_once(why);
  return fd;
}

int RuntimeDirectory::check(std::string& why) const {
  const Fd fd = reach(why);
  if (fd) return 0;
  if (why.empty() && fd.get() != -ENOENT) why = reason(path_, base::error_text(-fd.get()));
  return fd.get();
}

int RuntimeDirectory::make(std::string& why) const {
  Fd fd = reach(why);
  bool made = false;
  int error = fd ? 0 : fd.get();
  if (error == -ENOENT) {
    error = sys().mkdirat(AT_FDCWD, path_.c_str(), shared() ? 0770 : 0700);
    made = error == 0;
    if (made || error == -EEXIST) {
      fd = reach(why);
      error = fd ? 0 : fd.get();
    }
  }
  if (error == 0) error = mend(fd.get(), made);
  if (error != 0 && why.empty()) {
    why =
        reason(path_, error == -ENOENT ? "the folder for it is missing" : base::error_text(-error));
  }
  return error;
}

int RuntimeDirectory::make() const {
  std::string why;
  const int error = make(why);
  if (!why.empty()) tell_once(why);
  return error;
}

// The mode of a folder that was made just now. And of one of ours that forbids us
// everything: its maker had such a umask, and was killed or has not come this far.
int RuntimeDirectory::mend(int fd, bool made) const {
  struct stat status {};
  const int seen = sys().fstat(fd, &status);
  if (seen < 0) return seen;
  if (!made && (status.st_uid != ::geteuid() || (status.st_mode & 0700) != 0)) return 0;
  const mode_t mode = (status.st_mode & S_ISGID) | (shared() ? 0770 : 0700);
  return (status.st_mode & kAllBits) == mode ? 0 : sys().fchmod(fd, mode);
}

int RuntimeDirectory::open(const std::string& name, int flags) const {
  const Fd folder = reach();
  if (!folder) return folder.get();
  return sys().openat(folder.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0);
}

int RuntimeDirectory::stat(const std::string& name, struct stat& status) const {
  const Fd folder = reach();
  if (!folder) return folder.get();
  return sys().fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
}

int RuntimeDirectory::link(const std::string& from, const std::string& to) const {
  const Fd folder = reach();
  return folder ? sys().linkat(folder.get(), from.c_str(), to.c_str()) : folder.get();
}

int RuntimeDirectory::remove(const std::string& name) const {
  const Fd folder = reach();
  return folder ? sys().unlinkat(folder.get(), name.c_str()) : folder.get();
}

// What this process has just made in `folder`: the group first, which may cost bits.
int RuntimeDirectory::settle(int fd, int folder, mode_t mode) const {
  struct stat status {
  }, around{};
  int error = sys().fstat(fd, &status);
  if (error == 0) error = sys().fstat(folder, &around);
  if (error != 0) return error;
  if (shared() && status.st_gid != around.st_gid) {
    error = sys().fchgrp(fd, around.st_gid);
    if (error != 0) return error;
  }
  return (status.st_mode & 0777) == mode ? 0 : sys().fchmod(fd, mode);
}

int RuntimeDirectory::make_file(const std::string& name) const {
  const Fd folder = reach();
  if (!folder) return folder.get();
  Fd fd(sys().openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     file_mode_));
  if (!fd) return fd.get();
  const int error = settle(fd.get(), folder.get(), file_mode_);
  if (error == 0) return fd.release();
  sys().unlinkat(folder.get(), name.c_str());
  return error;
}

int RuntimeDirectory::make_fifo(const std::string& name) const {
  const Fd folder = reach();
  if (!folder) return folder.get();
  struct stat status {};
  int error = sys().fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  if (error == 0) return S_ISFIFO(status.st_mode) ? 0 : -EEXIST;
  if (error != -ENOENT) return error;
  const std::string passing = passing_name(name);
  sys().unlinkat(folder.get(), passing.c_str());
  error = sys().mkfifoat(folder.get(), passing.c_str(), file_mode_);
  if (error != 0) return error;
  {
    const Fd fd(sys().openat(folder.get(), passing.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0));
    error = fd ? sys().fstat(fd.get(), &status) : fd.get();
    if (error == 0 && !S_ISFIFO(status.st_mode)) error = -EEXIST;
    if (error == 0) error = settle(fd.get(), folder.get(), file_mode_);
  }
  if (error == 0) error = sys().linkat(folder.get(), passing.c_str(), name.c_str());
  sys().unlinkat(folder.get(), passing.c_str());
  if (error != -EEXIST) return error;
  error = sys().fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  return error == 0 && !S_ISFIFO(status.st_mode) ? -EEXIST : error;
}

int RuntimeDirectory::make_folder(const std::string& name) const {
  const Fd folder = reach();
  if (!folder) return folder.get();
  const int made = sys().mkdirat(folder.get(), name.c_str(), 0755);
  if (made != 0 && made != -EEXIST) return made;
  const Fd fd(
      sys().openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!fd) return fd.get();
  struct stat status {};
  const int error = sys().fstat(fd.get(), &status);
  // Also one that its maker has not settled yet.
  if (error != 0 || (made != 0 && status.st_uid != ::geteuid())) return error;
  return settle(fd.get(), folder.get(), 0755);
}

int RuntimeDirectory::glance(const std::string& name, struct stat& status) const {
  int error = sys().fstatat(AT_FDCWD, path_.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  if (error == 0 && (!S_ISDIR(status.st_mode) || distrusted(status) != nullptr)) error = -EACCES;
  if (error != 0) return error;
  return sys().fstatat(AT_FDCWD, path_of(name).c_str(), &status, AT_SYMLINK_NOFOLLOW);
}

}  // namespace ossloop::shm
