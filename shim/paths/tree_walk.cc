#include "shim/paths/tree_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/paths/path_lookup.h"

namespace ossloop::shim {
namespace {

class TreeWalk {
 public:
  TreeWalk(int flags, __ftw_func_t plain, __nftw_func_t full)
      : flags_(flags), plain_(plain), full_(full) {}

  int run(const char* path) {
    const size_t length = ::strlen(path);
    if (length == 0 || length >= sizeof path_) {
      errno = length == 0 ? ENOENT : ENAMETOOLONG;
      return -1;
    }
    ::strcpy(path_, path);
    length_ = length;
    while (length_ > 1 && path_[length_ - 1] == '/') path_[--length_] = '\0';
    char start[PATH_MAX];
    const bool moves = (flags_ & FTW_CHDIR) != 0;
    if (moves && ::getcwd(start, sizeof start) == nullptr) return -1;
    struct stat first;
    if (look(first) != 0) return -1;
    device_ = first.st_dev;
    const int result = visit(0);
    const int saved = errno;
    if (moves && ::chdir(start) != 0) return -1;
    errno = saved;
    return acts() && (result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS) ? 0 : result;
  }

 private:
  bool acts() const { return (flags_ & FTW_ACTIONRETVAL) != 0; }
  bool physical() const { return (flags_ & FTW_PHYS) != 0; }

  int look(struct stat& status) const {
    return physical() ? ::lstat(path_, &status) : ::stat(path_, &status);
  }

  int tell(const struct stat& status, int kind, int level) {
    if (full_ == nullptr) return plain_(path_, &status, kind);
    const char* slash = ::strrchr(path_, '/');
    FTW place = {slash != nullptr && slash[1] != '\0' ? static_cast<int>(slash + 1 - path_) : 0,
                 level};
    return full_(path_, &status, kind, &place);
  }

  // What is at `path_`, and below it.
  int visit(int level) {
    struct stat status;
    if (look(status) != 0) {
      const bool dangling = !physical() && ::lstat(path_, &status) == 0 && S_ISLNK(status.st_mode);
      const int kind = dangling && full_ != nullptr ? FTW_SLN : FTW_NS;
      return tell(status, kind, level);
    }
    if ((flags_ & FTW_MOUNT) != 0 && status.st_dev != device_) return 0;
    if (!S_ISDIR(status.st_mode)) {
      return tell(status, physical() && S_ISLNK(status.st_mode) ? FTW_SL : FTW_F, level);
    }
    for (int i = 0; !physical() && i < level && i < kDeepest; ++i) {
      if (above_[i].device == status.st_dev && above_[i].inode == status.st_ino) return 0;
    }
    if (level >= kDeepest) {
      errno = ELOOP;
      return -1;
    }
    above_[level] = {status.st_dev, status.st_ino};
    return visit_folder(status, level);
  }

  int visit_folder(const struct stat& status, int level) {
    DIR* dir = ::opendir(path_);
    if (dir == nullptr) return errno == EACCES ? tell(status, FTW_DNR, level) : -1;
    const bool after = (flags_ & FTW_DEPTH) != 0;
    int result = after ? 0 : tell(status, FTW_D, level);
    if (result == 0 && (flags_ & FTW_CHDIR) != 0) result = ::chdir(path_);
    const size_t length = length_;
    while (result == 0) {
      const dirent* entry = ::readdir(dir);
      if (entry == nullptr) break;
      if (::strcmp(entry->d_name, ".") == 0 || ::strcmp(entry->d_name, "..") == 0) continue;
      if (!append(entry->d_name)) {
        result = -1;
        break;
      }
      result = visit(level + 1);
      path_[length_ = length] = '\0';
      if (acts() && result == FTW_SKIP_SUBTREE) result = 0;
    }
    const int saved = errno;
    ::closedir(dir);
    errno = saved;
    if (acts() && result == FTW_SKIP_SIBLINGS) result = 0;
    return result == 0 && after ? tell(status, FTW_DP, level) : result;
  }

  bool append(const char* name) {
    const size_t more = ::strlen(name);
    if (length_ + more + 2 > sizeof path_) {
      errno = ENAMETOOLONG;
      return false;
    }
    if (path_[length_ - 1] != '/') path_[length_++] = '/';
    ::strcpy(path_ + length_, name);
    length_ += more;
    return true;
  }

  static constexpr int kDeepest = 64;
  struct Seen {
    dev_t device;
    ino_t inode;
  };
  const int flags_;
  const __ftw_func_t plain_;
  const __nftw_func_t full_;
  dev_t device_ = 0;
  Seen above_[kDeepest];
  char path_[PATH_MAX];
  size_t length_ = 0;
};

}  // namespace

bool lists_ours(int dirfd, const char* path) {
  if (!readable_text(path) || *path == '\0') return false;
  const int saved = errno;
  PathLookup place;
  look_up(dirfd, path, FollowLinks::kYes, place);
  if (!place.ours && !place.rewritten) {
    struct stat status;
    if (::fstatat(dirfd, path, &status, 0) != 0 && errno == ENOENT) {
      resolve_after_enoent(dirfd, path, FollowLinks::kYes, place);
    }
  }
  errno = saved;
  if (place.ours) return folder_of(place.name) != Folder::kNone && load_engine() != nullptr;
  return is_dev(dirfd, place.rewritten ? place.text : path);
}

bool may_lead_to_ours(const char* pattern) {
  if (*pattern == '/') {
    // "/dev/d*", or "/d*/dsp": what its first component may be.
    const size_t first = 1 + ::strcspn(pattern + 1, "/");
    const size_t wild = ::strcspn(pattern, "*?[{\\");
    return ::strncmp(pattern, "/dev", 4) == 0 || wild < first || pattern[1] == '/';
  }
  return is_virtual(working_folder()) || is_dev(AT_FDCWD, ".") ||
         ::strstr(pattern, "dev") != nullptr;
}

int walk_tree(const char* path, int flags, __ftw_func_t plain, __nftw_func_t full) {
  return TreeWalk(flags, plain, full).run(path);
}

}  // namespace ossloop::shim
