// Whole folders and trees at once. libc reads them from inside, so where ours are
// in it, it is done here, by way of the entries above.
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/paths/directory_listing.h"
#include "shim/paths/path_lookup.h"
#include "shim/paths/tree_walk.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;

static_assert(sizeof(glob_t) == sizeof(glob64_t));

using Filter = int (*)(const dirent*);
using Order = int (*)(const dirent**, const dirent**);

struct Found {
  dirent** entries = nullptr;
  int count = 0;
  int room = 0;

  bool add(const dirent* entry) {
    if (count == room) {
      room = room != 0 ? 2 * room : 16;
      void* larger = ::realloc(entries, static_cast<size_t>(room) * sizeof(void*));
      if (larger == nullptr) return false;
      entries = static_cast<dirent**>(larger);
    }
    auto* copy = static_cast<dirent*>(::malloc(entry->d_reclen));
    if (copy == nullptr) return false;
    ::memcpy(copy, entry, entry->d_reclen);
    entries[count++] = copy;
    return true;
  }
  void drop() {
    for (int i = 0; i < count; ++i) ::free(entries[i]);
    ::free(entries);
  }
};

DIR* open_folder_at(int dirfd, const char* path) {
  const int fd = ::openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* dir = ::fdopendir(fd);
  if (dir == nullptr) ::close(fd);
  return dir;
}

int scan(int dirfd, const char* path, dirent*** list, Filter filter, Order order) {
  DIR* dir = open_folder_at(dirfd, path);
  if (dir == nullptr) return -1;
  Found found;
  bool complete = true;
  const int saved = errno;
  while (dirent* entry = ::readdir(dir)) {
    if (filter != nullptr && filter(entry) == 0) continue;
    complete = found.add(entry);
    if (!complete) break;
  }
  ::closedir(dir);
  if (!complete) {
    found.drop();
    errno = ENOMEM;
    return -1;
  }
  errno = saved;
  if (order != nullptr && found.count > 1) {
    ::qsort(found.entries, static_cast<size_t>(found.count), sizeof(void*),
            reinterpret_cast<int (*)(const void*, const void*)>(order));
  }
  *list = found.entries;
  return found.count;
}

template <typename Entry>
int scan64(int dirfd, const char* path, Entry*** list, int (*filter)(const Entry*),
           int (*order)(const Entry**, const Entry**)) {
  return scan(dirfd, path, reinterpret_cast<dirent***>(list), reinterpret_cast<Filter>(filter),
              reinterpret_cast<Order>(order));
}

// A pattern that may lead into our folders is matched with our way of reading
// them.
template <typename Glob, typename Next>
int glob_or(const char* pattern, int flags, Glob* found, Next next) {
  if ((flags & GLOB_ALTDIRFUNC) != 0 || pattern == nullptr || !may_lead_to_ours(pattern)) {
    return next(flags);
  }
  auto* as_plain = reinterpret_cast<glob_t*>(found);
  as_plain->gl_opendir = [](const char* path) -> void* { return ::opendir(path); };
  as_plain->gl_readdir = [](void* dir) { return ::readdir(static_cast<DIR*>(dir)); };
  as_plain->gl_closedir = [](void* dir) { ::closedir(static_cast<DIR*>(dir)); };
  as_plain->gl_stat = [](const char* path, struct stat* status) { return ::stat(path, status); };
  as_plain->gl_lstat = [](const char* path, struct stat* status) { return ::lstat(path, status); };
  const int result = next(flags | GLOB_ALTDIRFUNC);
  as_plain->gl_flags &= ~GLOB_ALTDIRFUNC;
  return result;
}

}  // namespace

OSSLOOP_EXPORT int scandir(const char* path, dirent*** list, Filter filter, Order order) {
  if (!lists_ours(AT_FDCWD, path)) return OSSLOOP_REAL(scandir)(path, list, filter, order);
  return scan(AT_FDCWD, path, list, filter, order);
}
OSSLOOP_EXPORT int scandir64(const char* path, dirent64*** list, int (*filter)(const dirent64*),
                             int (*order)(const dirent64**, const dirent64**)) {
  if (!lists_ours(AT_FDCWD, path)) return OSSLOOP_REAL(scandir64)(path, list, filter, order);
  return scan64(AT_FDCWD, path, list, filter, order);
}
OSSLOOP_EXPORT int scandirat(int dirfd, const char* path, dirent*** list, Filter filter,
                             Order order) {
  if (!lists_ours(dirfd, path)) return OSSLOOP_REAL(scandirat)(dirfd, path, list, filter, order);
  return scan(dirfd, path, list, filter, order);
}
OSSLOOP_EXPORT int scandirat64(int dirfd, const char* path, dirent64*** list,
                               int (*filter)(const dirent64*),
                               int (*order)(const dirent64**, const dirent64**)) {
  if (!lists_ours(dirfd, path)) return OSSLOOP_REAL(scandirat64)(dirfd, path, list, filter, order);
  return scan64(dirfd, path, list, filter, order);
}

OSSLOOP_EXPORT int glob(const char* pattern, int flags, int (*failing)(const char*, int),
                        glob_t* found) noexcept {
  return glob_or(pattern, flags, found,
                 [&](int with) { return OSSLOOP_REAL(glob)(pattern, with, failing, found); });
}
OSSLOOP_EXPORT int glob64(const char* pattern, int flags, int (*failing)(const char*, int),
                          glob64_t* found) noexcept {
  return glob_or(pattern, flags, found,
                 [&](int with) { return OSSLOOP_REAL(glob64)(pattern, with, failing, found); });
}

OSSLOOP_EXPORT int ftw(const char* path, __ftw_func_t visit, int descriptors_allowed) {
  if (!lists_ours(AT_FDCWD, path)) return OSSLOOP_REAL(ftw)(path, visit, descriptors_allowed);
  return walk_tree(path, 0, visit, nullptr);
}
OSSLOOP_EXPORT int ftw64(const char* path, __ftw64_func_t visit, int descriptors_allowed) {
  if (!lists_ours(AT_FDCWD, path)) return OSSLOOP_REAL(ftw64)(path, visit, descriptors_allowed);
  return walk_tree(path, 0, reinterpret_cast<__ftw_func_t>(visit), nullptr);
}
OSSLOOP_EXPORT int nftw(const char* path, __nftw_func_t visit, int descriptors_allowed, int flags) {
  if (!lists_ours(AT_FDCWD, path))
    return OSSLOOP_REAL(nftw)(path, visit, descriptors_allowed, flags);
  return walk_tree(path, flags, nullptr, visit);
}
OSSLOOP_EXPORT int nftw64(const char* path, __nftw64_func_t visit, int descriptors_allowed,
                          int flags) {
  if (!lists_ours(AT_FDCWD, path))
    return OSSLOOP_REAL(nftw64)(path, visit, descriptors_allowed, flags);
  return walk_tree(path, flags, nullptr, reinterpret_cast<__nftw_func_t>(visit));
}
