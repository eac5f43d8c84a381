#include "shim/paths/path_lookup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ossloop::shim {
namespace {

// Goes a path component by component, as the kernel would, through links and
// through folders that only we know.
class Walk {
 public:
  Walk(int dirfd, FollowLinks last, PathLookup& place, PathMemory& memory)
      : dirfd_(dirfd),
        last_(last),
        place_(place),
        text_(memory.text),
        real_(memory.real),
        rest_(memory.rest),
        target_(memory.target) {
    place.text = text_;
  }

  void run(const char* path) {
    rest_[kRestBytes - 1] = '\0';
    if (!put_before_rest(path)) return;
    folder_ = *path == '/' ? Folder::kNone : folder_of_descriptor(dirfd_);
    if (is_virtual(folder_)) left_virtual_ = true;
    real_[0] = '\0';
    if (*path == '/') go_to_root();
    while (step()) {
    }
  }

 private:
  static constexpr int kMostLinks = 40;
  static constexpr size_t kTextBytes = sizeof(PathMemory::real);
  static constexpr size_t kRestBytes = sizeof(PathMemory::rest);

  bool put_before_rest(const char* text) {
    const size_t length = ::strlen(text);
    if (length + 1 > start_) return false;
    start_ -= length;
    ::memcpy(rest_ + start_, text, length);
    return true;
  }

  void go_to_root() {
    real_[0] = '/';
    real_[1] = '\0';
    folder_ = Folder::kNone;
  }

  // One component. False: the walk is over, and `place_` says what it found.
  bool step() {
    while (rest_[start_] == '/') ++start_;
    const char* const name = rest_ + start_;
    if (*name == '\0') return end();
    const size_t length = ::strcspn(name, "/");
    start_ += length;
    if (length == 1 && name[0] == '.') return true;
    if (length == 2 && name[0] == '.' && name[1] == '.') return up();
    if (is_virtual(folder_) || real_is_dev(name, length)) {
      config::DeviceName found;
      const Folder here = is_virtual(folder_) ? folder_ : Folder::kDev;
      if (find_entry(here, name, length, found)) return enter(here, found, name, length);
      if (is_virtual(folder_)) return found_nothing();
    }
    return real(name, length);
  }

  bool up() {
    switch (folder_) {
      case Folder::kLoop:
        folder_ = Folder::kOss;
        return true;
      case Folder::kOss:
      case Folder::kSound:
        folder_ = Folder::kNone;
        ::strcpy(real_, "/dev");
        return true;
      default:
        return append("..", 2);
    }
  }

  bool enter(Folder here, const config::DeviceName& found, const char* name, size_t length) {
    place_.name = found;
    if (const Folder folder = folder_of(found); folder != Folder::kNone) {
      folder_ = folder;
      left_virtual_ = true;
      return true;
    }
    place_.ours = true;
    if (rest_[start_] == '/') place_.error = -ENOTDIR;
    place_.at_end = rest_over();
    ::strcpy(text_, text_of(here));
    ::strcat(text_, "/");
    ::strncat(text_, name, length);
    return false;
  }

  bool end() {
    if (is_virtual(folder_)) {
      place_.ours = true;
      place_.name = name_of(folder_);
      ::strcpy(text_, text_of(folder_));
      return false;
    }
    return elsewhere();
  }

  bool found_nothing() {
    place_.ours = true;
    place_.name = name_of(folder_);
    place_.error = -ENOENT;
    place_.at_end = rest_over();
    return false;
  }

  bool rest_over() const { return rest_[start_ + ::strspn(rest_ + start_, "/")] == '\0'; }

  bool elsewhere() {
    if (!left_virtual_) return false;
    const size_t length = ::strlen(real_);
    if (length + ::strlen(rest_ + start_) + 1 > kTextBytes) return false;
    place_.rewritten = true;
    ::strcpy(text_, real_);
    ::strcat(text_, rest_ + start_);
    return false;
  }

  bool real_is_dev(const char* name, size_t length) const {
    config::DeviceName found;
    if (!find_entry(Folder::kDev, name, length, found)) return false;
    if (!is_dev(dirfd_, *real_ == '\0' ? "." : real_)) return false;
    // A real folder of that name stays what it is.
    return folder_of(found) != Folder::kSound ||
           ::syscall(SYS_faccessat, AT_FDCWD, "/dev/sound", F_OK) != 0;
  }

  bool append(const char* name, size_t length) {
    size_t used = ::strlen(real_);
    if (used + length + 2 > kTextBytes) return false;
    if (used > 0 && real_[used - 1] != '/') real_[used++] = '/';
    ::memcpy(real_ + used, name, length);
    real_[used + length] = '\0';
    return true;
  }

  bool real(const char* name, size_t length) {
    const size_t before = ::strlen(real_);
    if (!append(name, length)) return false;
    const bool at_end = rest_[start_] == '\0';
    if (at_end && last_ == FollowLinks::kNo) return elsewhere();
    const long bytes = ::syscall(SYS_readlinkat, dirfd_, real_, target_, kTextBytes - 1);
    // Not a link, or nothing at all: libc will say.
    if (bytes <= 0) return errno == EINVAL && !at_end ? true : elsewhere();
    if (++links_ > kMostLinks) return false;
    target_[bytes] = '\0';
    if (!put_before_rest(target_)) return false;
    if (target_[0] == '/') {
      go_to_root();
    } else {
      real_[before] = '\0';
    }
    return true;
  }

  const int dirfd_;
  const FollowLinks last_;
  PathLookup& place_;
  Folder folder_ = Folder::kNone;  // a virtual one, or kNone: at `real_`
  bool left_virtual_ = false;
  int links_ = 0;
  char* const text_;
  char* const real_;  // seen from dirfd_
  char* const rest_;
  char* const target_;
  size_t start_ = kRestBytes - 1;
};

void walk(int dirfd, const char* path, FollowLinks last, PathLookup& place) {
  const int saved = errno;
  // Without memory the path is libc's business.
  if (PathMemory* const memory = place.memory(); memory != nullptr) {
    Walk(dirfd, last, place, *memory).run(path);
  }
  errno = saved;
}

// "/dev/fd/5" and the like: another way to a descriptor that may be a device.
int named_descriptor(const char* path) {
  static const char kOwn[] = "/proc/self/fd/";
  static const char kShort[] = "/dev/fd/";
  const char* number = nullptr;
  if (::strncmp(path, kShort, sizeof kShort - 1) == 0) {
    number = path + sizeof kShort - 1;
  } else if (::strncmp(path, kOwn, sizeof kOwn - 1) == 0) {
    number = path + sizeof kOwn - 1;
  } else if (::strncmp(path, "/dev/std", 8) == 0) {
    if (::strcmp(path + 8, "in") == 0) return 0;
    if (::strcmp(path + 8, "out") == 0) return 1;
    return ::strcmp(path + 8, "err") == 0 ? 2 : -1;
  }
  if (number == nullptr || *number < '0' || *number > '9') return -1;
  char* end = nullptr;
  const long fd = ::strtol(number, &end, 10);
  return *end == '\0' && fd < DescriptorTable::kSize ? static_cast<int>(fd) : -1;
}

bool by_descriptor(const char* path, PathLookup& place) {
  const int fd = named_descriptor(path);
  if (fd < 0 || !is_ours(fd) || loaded_engine()->name(fd, &place.name) != 0) return false;
  PathMemory* const memory = place.memory();
  if (memory == nullptr) return false;
  place.ours = true;
  canonical_text(place.name, memory->text);
  place.text = memory->text;
  return true;
}

}  // namespace

void look_up(int dirfd, const char* path, FollowLinks last, PathLookup& place, Resolve want) {
  if (!readable_text(path) || *path == '\0' || in_device_thread()) return;
  if (*path == '/') {
    const bool named = config::parse_device_path(path, place.name);
    if (named && !place.name.through_parent && want == Resolve::kName &&
        folder_of(place.name) != Folder::kSound) {
      place.ours = true;
      const bool folder = place.name.kind == config::DeviceKind::kDirectory;
      place.error = place.name.as_directory && !folder ? -ENOTDIR : 0;
      place.at_end = true;
      return;
    }
    if (last == FollowLinks::kYes && by_descriptor(path, place)) return;
    if (!named && !config::could_name_device(path)) return;
  } else if (!is_virtual(folder_of_descriptor(dirfd)) && !config::could_name_device(path)) {
    return;
  }
  walk(dirfd, path, last, place);
}

void resolve_after_enoent(int dirfd, const char* path, FollowLinks last, PathLookup& place) {
  if (!readable_text(path) || *path == '\0' || in_device_thread()) return;
  const int saved = errno;
  char target[8];
  const bool link = last == FollowLinks::kYes &&
                    ::syscall(SYS_readlinkat, dirfd, path, target, sizeof target) > 0;
  errno = saved;
  // Beyond a device, through one of our folders and out again, or into it by a link.
  const bool near = ::strncmp(path, "/dev/", 5) == 0 || ::strstr(path, "oss") != nullptr;
  if (link || near) walk(dirfd, path, last, place);
}

int real_folder(const EngineApi& engine, const PathLookup& place, char* path, size_t bytes) {
  return engine.folder(&place.name, path, bytes);
}

int describe(const EngineApi& engine, const PathLookup& place, struct stat& status) {
  if (place.name.kind != config::DeviceKind::kDirectory) return engine.stat(&place.name, &status);
  const PathPages path;
  if (!path) return -ENOMEM;
  const int error = real_folder(engine, place, path->text, sizeof path->text);
  if (error != 0) return error;
  const int saved = errno;
  if (::syscall(SYS_newfstatat, AT_FDCWD, path->text, &status, 0) == 0) return 0;
  const int failure = -errno;
  errno = saved;
  return failure;
}

int exists(const EngineApi& engine, const PathLookup& place) {
  struct stat status;
  return place.name.kind == config::DeviceKind::kDirectory ? 0 : engine.stat(&place.name, &status);
}

void canonical_text(const config::DeviceName& name, char* text) {
  ::strcpy(text, text_of(Folder::kLoop));
  switch (name.kind) {
    case config::DeviceKind::kServer:
      ::strcat(text, "/server");
      break;
    case config::DeviceKind::kClient:
      ::strcat(text, "/pcm");
      break;
    case config::DeviceKind::kMixer:
      ::strcat(text, "/mix");
      break;
    default:
      ::strcpy(text, "/dev/sndstat");
      return;
  }
  append_number(text, name.instance > 0 ? name.instance : 0);
}

}  // namespace ossloop::shim
