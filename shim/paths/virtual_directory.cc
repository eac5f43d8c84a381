#include "shim/paths/virtual_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/engine_loader.h"
#include "shim/paths/path_memory.h"

namespace ossloop::shim {
namespace {

constexpr int kNumbers = 100;              // what a name's number may be
constexpr long kPerFamily = kNumbers + 1;  // without a number, and with each

std::atomic<bool> folder_known{false};
std::atomic<Folder> present{Folder::kNone};

bool status_of(int dirfd, const char* path, struct stat& status) {
  return ::syscall(SYS_newfstatat, dirfd, path, &status, 0) == 0;
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool ends_with(const char* text, const char* end) {
  const size_t length = ::strlen(text), tail = ::strlen(end);
  return length >= tail && ::strcmp(text + length - tail, end) == 0;
}

// The empty folder that stands for a virtual one has its name at the end.
Folder look_at_working_folder() {
  const PathPages pages;
  if (!pages) return Folder::kNone;
  char* const path = pages->real;
  if (::syscall(SYS_getcwd, path, sizeof pages->real) <= 0) return Folder::kNone;
  for (const Folder folder : {Folder::kSound, Folder::kOss, Folder::kLoop}) {
    if (!ends_with(path, ::strrchr(text_of(folder), '/'))) continue;
    const EngineApi* engine = load_engine();
    const config::DeviceName name = name_of(folder);
    char* const place = pages->text;
    struct stat here, there;
    if (engine != nullptr && engine->folder(&name, place, sizeof pages->text) == 0 &&
        status_of(AT_FDCWD, ".", here) && status_of(AT_FDCWD, place, there) && same(here, there)) {
      return folder;
    }
  }
  return Folder::kNone;
}

bool really_there(Folder folder, const char* text) {
  if (folder != Folder::kDev) return false;
  char path[64] = "/dev/";
  ::strncat(path, text, sizeof path - sizeof "/dev/");
  struct stat status;
  return ::syscall(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool exists(const config::DeviceName& name) {
  if (name.kind == config::DeviceKind::kDirectory) return true;
  struct stat status;
  return loaded_engine()->stat(&name, &status) == 0;
}

}  // namespace

const char* text_of(Folder folder) {
  switch (folder) {
    case Folder::kDev:
      return "/dev";
    case Folder::kSound:
      return "/dev/sound";
    case Folder::kOss:
      return "/dev/oss";
    case Folder::kLoop:
      return "/dev/oss/oss_audioloop0";
    default:
      return nullptr;
  }
}

Folder folder_of(const config::DeviceName& name) {
  if (name.kind != config::DeviceKind::kDirectory) return Folder::kNone;
  return name.instance < 0 ? Folder::kOss : name.instance == 0 ? Folder::kLoop : Folder::kSound;
}

config::DeviceName name_of(Folder folder) {
  return {.kind = config::DeviceKind::kDirectory,
          .instance = folder == Folder::kOss    ? -1
                      : folder == Folder::kLoop ? 0
                                                : 1};
}

bool is_dev(int dirfd, const char* path) {
  const int saved = errno;
  struct stat here, dev;
  const bool result =
      ::syscall(SYS_newfstatat, dirfd, path, &here, *path == '\0' ? AT_EMPTY_PATH : 0) == 0 &&
      status_of(AT_FDCWD, "/dev", dev) && same(here, dev);
  errno = saved;
  return result;
}

Folder working_folder() {
  if (folder_known.load(std::memory_order_acquire)) return present.load(std::memory_order_relaxed);
  const int saved = errno;
  // First, so that what the engine opens while it is loaded does not ask again.
  folder_known.store(true);
  present.store(Folder::kNone);
  const Folder folder = look_at_working_folder();
  present.store(folder);
  errno = saved;
  return folder;
}

void working_folder_changed() { folder_known.store(false, std::memory_order_release); }

Folder folder_of_descriptor(int fd) {
  return fd == AT_FDCWD ? working_folder() : static_cast<Folder>(descriptors.folder(fd));
}

void append_number(char* text, int number) {
  char* digits = text + ::strlen(text);
  if (number >= 10) *digits++ = static_cast<char>('0' + number / 10);
  *digits++ = static_cast<char>('0' + number % 10);
  *digits = '\0';
}

bool next_entry(Folder folder, long& position, FolderEntry& entry) {
  // As the families have it: below /dev.
  const char* directory = text_of(folder);
  if (directory != nullptr) directory += folder == Folder::kDev ? sizeof "/dev" - 1 : sizeof "/dev";
  const long end =
      static_cast<long>(sizeof config::kDeviceFamilies / sizeof *config::kDeviceFamilies) *
      kPerFamily;
  while (directory != nullptr && position < end) {
    const long at = position++;
    const config::DeviceFamily& family = config::kDeviceFamilies[at / kPerFamily];
    const int number = static_cast<int>(at % kPerFamily) - 1;
    const bool fits =
        number < 0 ? family.numbering != config::Numbering::kRequired
                   : family.numbering != config::Numbering::kNone && number < config::kMaxInstances;
    if (!fits || ::strcmp(family.directory, directory) != 0) continue;
    entry.name = family.name;
    ::memcpy(entry.text, family.stem, ::strlen(family.stem) + 1);
    if (number >= 0) {
      entry.name.instance = number;
      append_number(entry.text, number);
    }
    if (exists(entry.name) && !really_there(folder, entry.text)) return true;
  }
  return false;
}

bool find_entry(Folder folder, const char* text, size_t length, config::DeviceName& name) {
  // None of our names is longer.
  char path[128];
  const char* base = text_of(folder);
  const size_t prefix = ::strlen(base);
  if (prefix + 1 + length + 1 > sizeof path) return false;
  ::memcpy(path, base, prefix);
  path[prefix] = '/';
  ::memcpy(path + prefix + 1, text, length);
  path[prefix + 1 + length] = '\0';
  return config::parse_device_path(path, name);
}

}  // namespace ossloop::shim
