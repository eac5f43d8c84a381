// Reading folders, and being in one.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/paths/directory_listing.h"
#include "shim/paths/path_lookup.h"
#include "shim/real.h"

namespace {

using namespace ossloop::shim;
using ossloop::config::DeviceKind;

static_assert(sizeof(dirent) == sizeof(dirent64));

// libc opened it. Do we have something to add?
DIR* look_at(DIR* dir, Folder folder) {
  if (dir == nullptr) return nullptr;
  const int fd = ::dirfd(dir);
  register_foreign(fd);
  if (folder == Folder::kNone && is_dev(fd, "")) folder = Folder::kDev;
  if (folder == Folder::kNone) return dir;
  if (is_virtual(folder)) descriptors.set_folder(fd, static_cast<unsigned>(folder));
  if (add_listing(dir, folder)) return dir;
  ::closedir(dir);
  errno = ENOMEM;
  return nullptr;
}

// After libc's last entry ours follow; errno says nothing at an end.
template <typename Entry, typename Next>
Entry* read_or(DIR* dir, Next next) {
  if (!at_injected_entries(dir)) {
    const int saved = errno;
    errno = 0;
    Entry* entry = next();
    const bool over = entry == nullptr && errno == 0;
    if (errno == 0) errno = saved;
    if (!over || listed_folder(dir) == Folder::kNone) return entry;
  }
  const int saved = errno;
  dirent* entry = next_listed(dir);
  errno = saved;
  return reinterpret_cast<Entry*>(entry);
}

template <typename Entry, typename Next>
int read_into_or(DIR* dir, Entry* entry, Entry** result, Next next) {
  if (!at_injected_entries(dir)) {
    const int error = next();
    if (error != 0 || *result != nullptr || listed_folder(dir) == Folder::kNone) return error;
  }
  const dirent* found = next_listed(dir);
  if (found != nullptr) ::memcpy(entry, found, found->d_reclen);
  *result = found != nullptr ? entry : nullptr;
  return 0;
}

// Where the process is, if it is in a virtual folder. As getcwd() answers.
char* answer(const char* text, char* to, size_t size) {
  const size_t needed = ::strlen(text) + 1;
  if (to == nullptr) {
    if (size != 0 && size < needed) {
      errno = ERANGE;
      return nullptr;
    }
    to = static_cast<char*>(::malloc(size != 0 ? size : needed));
    if (to == nullptr) return nullptr;
  } else if (size < needed) {
    errno = size == 0 ? EINVAL : ERANGE;
    return nullptr;
  }
  return static_cast<char*>(::memcpy(to, text, needed));
}

template <typename Next>
char* where_or(char* to, size_t size, Next next) {
  const Folder folder = working_folder();
  return is_virtual(folder) ? answer(text_of(folder), to, size) : next();
}

}  // namespace

OSSLOOP_EXPORT DIR* opendir(const char* path) {
  PathLookup place;
  DIR* theirs = nullptr;
  if (asked_libc(path_call(OSSLOOP_REAL(opendir), path), FollowLinks::kYes, place, theirs)) {
    return look_at(theirs, Folder::kNone);
  }
  const EngineApi* engine = load_engine();
  if (engine == nullptr) return OSSLOOP_REAL(opendir)(path);
  int error = place.error != 0 ? place.error : exists(*engine, place);
  const Folder folder = folder_of(place.name);
  if (error == 0 && folder == Folder::kNone) error = -ENOTDIR;
  PathMemory* const real = place.memory();
  if (error == 0 && real == nullptr) error = -ENOMEM;
  if (error == 0) error = real_folder(*engine, place, real->real, sizeof real->real);
  if (error == 0) return look_at(OSSLOOP_REAL(opendir)(real->real), folder);
  errno = -error;
  return nullptr;
}
OSSLOOP_EXPORT DIR* fdopendir(int fd) {
  const unsigned folder = descriptors.folder(fd);
  DIR* dir = OSSLOOP_REAL(fdopendir)(fd);
  if (dir == nullptr) return nullptr;
  if (folder == 0) return look_at(dir, Folder::kNone);
  if (add_listing(dir, static_cast<Folder>(folder))) return dir;
  errno = ENOMEM;
  return nullptr;
}

OSSLOOP_EXPORT dirent* readdir(DIR* dir) {
  return read_or<dirent>(dir, [&] { return OSSLOOP_REAL(readdir)(dir); });
}
OSSLOOP_EXPORT dirent64* readdir64(DIR* dir) {
  return read_or<dirent64>(dir, [&] { return OSSLOOP_REAL(readdir64)(dir); });
}
OSSLOOP_EXPORT int readdir_r(DIR* dir, dirent* entry, dirent** result) {
  return read_into_or(dir, entry, result,
                      [&] { return OSSLOOP_REAL(readdir_r)(dir, entry, result); });
}
OSSLOOP_EXPORT int readdir64_r(DIR* dir, dirent64* entry, dirent64** result) {
  return read_into_or(dir, entry, result,
                      [&] { return OSSLOOP_REAL(readdir64_r)(dir, entry, result); });
}
OSSLOOP_EXPORT int closedir(DIR* dir) {
  if (dir != nullptr && listed_folder(dir) != Folder::kNone) {
    forget_listing(dir);
    register_foreign(::dirfd(dir));
  }
  return OSSLOOP_REAL(closedir)(dir);
}
OSSLOOP_EXPORT void rewinddir(DIR* dir) noexcept {
  rewind_listing(dir);
  OSSLOOP_REAL(rewinddir)(dir);
}
OSSLOOP_EXPORT long telldir(DIR* dir) noexcept {
  return at_injected_entries(dir) ? tell_listing(dir) : OSSLOOP_REAL(telldir)(dir);
}
OSSLOOP_EXPORT void seekdir(DIR* dir, long place) noexcept {
  if (!seek_listing(dir, place)) OSSLOOP_REAL(seekdir)(dir, place);
}

OSSLOOP_EXPORT int chdir(const char* path) noexcept {
  const int result = by_existing_name(path_call(OSSLOOP_REAL(chdir), path), FollowLinks::kYes,
                                      [](const EngineApi& engine, const PathLookup& place) {
                                        if (place.name.kind != DeviceKind::kDirectory)
                                          return -ENOTDIR;
                                        char real[PATH_MAX];
                                        const int error =
                                            real_folder(engine, place, real, sizeof real);
                                        if (error != 0) return error;
                                        return OSSLOOP_REAL(chdir)(real) == 0 ? 0 : -errno;
                                      });
  if (result == 0) working_folder_changed();
  return result;
}
OSSLOOP_EXPORT int fchdir(int fd) noexcept {
  const int result = is_ours(fd) ? to_libc(-ENOTDIR) : OSSLOOP_REAL(fchdir)(fd);
  if (result == 0) working_folder_changed();
  return result;
}

OSSLOOP_EXPORT char* getcwd(char* to, size_t size) noexcept {
  return where_or(to, size, [&] { return OSSLOOP_REAL(getcwd)(to, size); });
}
OSSLOOP_EXPORT char* __getcwd_chk(char* to, size_t size, size_t room) {
  if (size > room) return OSSLOOP_REAL(__getcwd_chk)(to, size, room);
  return getcwd(to, size);
}
OSSLOOP_EXPORT char* getwd(char* to) noexcept {
  return where_or(to, PATH_MAX, [&] { return OSSLOOP_REAL(getwd)(to); });
}
OSSLOOP_EXPORT char* __getwd_chk(char* to, size_t room) {
  return where_or(to, room, [&] { return OSSLOOP_REAL(__getwd_chk)(to, room); });
}
OSSLOOP_EXPORT char* get_current_dir_name() noexcept {
  return where_or(nullptr, 0, [] { return OSSLOOP_REAL(get_current_dir_name)(); });
}
