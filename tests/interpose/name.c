// name FOLDER NAME SCRATCH: what every call says of a device, under every
// spelling of its name. SCRATCH is an empty folder for links.
#include "show.h"

#include <limits.h>
#include <sys/ipc.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

// Calls of old, which headers no longer declare.
int __xstat(int, const char *, struct stat *);
int __lxstat(int, const char *, struct stat *);
int __fxstat(int, int, struct stat *);
int __fxstatat(int, int, const char *, struct stat *, int);
#ifndef __USE_FILE_OFFSET64
int __xstat64(int, const char *, struct stat64 *);
int __lxstat64(int, const char *, struct stat64 *);
int __fxstat64(int, int, struct stat64 *);
int __fxstatat64(int, int, const char *, struct stat64 *, int);
#endif

static char canonical[PATH_MAX];
static dev_t device;
static ino_t inode;

static const char *kind(const struct stat *status) {
  return S_ISCHR(status->st_mode)   ? "device"
         : S_ISDIR(status->st_mode) ? "folder"
         : S_ISLNK(status->st_mode) ? "link"
                                    : "other";
}

static void tell(const char *call, int result, const struct stat *status) {
  if (result != 0) {
    printf("  %s: %s\n", call, strerrorname_np(errno));
  } else if (S_ISCHR(status->st_mode)) {
    printf("  %s: device %o, %s\n", call, status->st_mode & 07777,
           status->st_rdev == device && status->st_ino == inode ? "the same" : "another");
  } else {
    printf("  %s: %s\n", call, kind(status));
  }
}

#define STAT(function, ...)                           \
  do {                                                \
    struct stat status_;                              \
    memset(&status_, 0, sizeof status_);              \
    const int result_ = function(__VA_ARGS__, &status_); \
    tell(#function, result_, &status_);               \
  } while (0)

static int fstatat_(int dirfd, const char *path, int flags, struct stat *status) {
  return fstatat(dirfd, path, status, flags);
}
static int fxstatat_(int dirfd, const char *path, int flags, struct stat *status) {
  return __fxstatat(1, dirfd, path, status, flags);
}
static int statx_(int dirfd, const char *path, int flags, struct stat *status) {
  struct statx found;
  const int result = statx(dirfd, path, flags, STATX_BASIC_STATS, &found);
  status->st_mode = found.stx_mode;
  status->st_ino = found.stx_ino;
  status->st_rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor);
  return result;
}
#ifndef __USE_FILE_OFFSET64
#define STAT64(function, ...)                              \
  do {                                                     \
    struct stat64 status_;                                 \
    memset(&status_, 0, sizeof status_);                   \
    const int result_ = function(__VA_ARGS__, &status_);   \
    tell(#function, result_, (const struct stat *)&status_); \
  } while (0)
static int fstatat64_(int dirfd, const char *path, int flags, struct stat64 *status) {
  return fstatat64(dirfd, path, status, flags);
}
static int fxstatat64_(int dirfd, const char *path, int flags, struct stat64 *status) {
  return __fxstatat64(1, dirfd, path, status, flags);
}
#endif

static void say(const char *call, long result) {
  printf("  %s: %s\n", call, result < 0 ? strerrorname_np(errno) : "done");
}

static void tell_path(const char *call, char *path) {
  printf("  %s: %s\n", call,
         path == NULL                    ? strerrorname_np(errno)
         : strcmp(path, canonical) == 0 ? "the canonical path"
                                         : path);
}

// Only calls that need no folder descriptor.
static void ask(const char *what, const char *path) {
  char text[PATH_MAX];
  volatile size_t room = sizeof text;
  printf("%s\n", what);
  STAT(stat, path);
  STAT(lstat, path);
  STAT(__xstat, 1, path);
  STAT(__lxstat, 1, path);
  STAT(statx_, AT_FDCWD, path, 0);
#ifndef __USE_FILE_OFFSET64
  STAT64(stat64, path);
  STAT64(lstat64, path);
  STAT64(__xstat64, 1, path);
  STAT64(__lxstat64, 1, path);
#endif
  say("access F", access(path, F_OK));
  say("access R", access(path, R_OK));
  say("access W", access(path, W_OK));
  say("access X", access(path, X_OK));
  say("euidaccess", euidaccess(path, R_OK | W_OK));
  say("eaccess", eaccess(path, X_OK));
  say("readlink", readlink(path, text, room) < 0 ? -1 : 0);
  tell_path("realpath", realpath(path, text));
  char *made = realpath(path, NULL);
  tell_path("realpath", made);
  free(made);
  made = canonicalize_file_name(path);
  tell_path("canonicalize_file_name", made);
  free(made);
  say("ftok", ftok(path, 'x'));
  say("getxattr", getxattr(path, "user.x", text, room));
  say("lgetxattr", lgetxattr(path, "user.x", text, room));
  say("pathconf", pathconf(path, _PC_NAME_MAX));
  struct statfs system;
  say("statfs", statfs(path, &system));
  struct statvfs volume;
  say("statvfs", statvfs(path, &volume));
#ifndef __USE_FILE_OFFSET64
  struct statfs64 system64;
  say("statfs64", statfs64(path, &system64));
  struct statvfs64 volume64;
  say("statvfs64", statvfs64(path, &volume64));
#endif
  const int watcher = inotify_init1(0);
  say("inotify_add_watch", inotify_add_watch(watcher, path, IN_CLOSE));
  close(watcher);
  say("chdir", chdir(path));
  say("open", open(path, O_RDONLY | O_DIRECTORY));
  // Numbers without an instance are ENOENT for every call.
  if (strcmp(what, "another number") != 0) {
    say("opened to be made", open(path, O_WRONLY | O_CREAT | O_EXCL, 0666));
  }
  const int seen = open(path, O_PATH);
  say("opened as a path", seen);
  close(seen);
  volatile int only_write = O_WRONLY;
  const int fd = open(path, only_write);
  say("open", fd);
  if (fd >= 0) {
    STAT(fstat, fd);
    STAT(__fxstat, 1, fd);
    STAT(fstatat_, fd, "", AT_EMPTY_PATH);
    STAT(statx_, fd, "", AT_EMPTY_PATH);
#ifndef __USE_FILE_OFFSET64
    STAT64(fstat64, fd);
    STAT64(__fxstat64, 1, fd);
#endif
    say("fpathconf", fpathconf(fd, _PC_NAME_MAX));
    struct statfs here;
    say("fstatfs", fstatfs(fd, &here));
    printf("  the same file system: %d\n", here.f_type == system.f_type);
    say("fstatvfs", fstatvfs(fd, &volume));
#ifndef __USE_FILE_OFFSET64
    say("fstatfs64", fstatfs64(fd, &system64));
    say("fstatvfs64", fstatvfs64(fd, &volume64));
#endif
    say("fchdir", fchdir(fd));
    say("isatty", isatty(fd) ? 0 : -1);
    close(fd);
  }
#ifndef __USE_FILE_OFFSET64
  const int large = open64(path, only_write);
  say("open64", large);
  close(large);
#endif
}

static void ask_at(const char *what, int dirfd, const char *path) {
  char text[PATH_MAX];
  volatile size_t room = sizeof text;
  printf("%s\n", what);
  STAT(fstatat_, dirfd, path, 0);
  STAT(fstatat_, dirfd, path, AT_SYMLINK_NOFOLLOW);
  STAT(fxstatat_, dirfd, path, 0);
  STAT(statx_, dirfd, path, AT_SYMLINK_NOFOLLOW);
#ifndef __USE_FILE_OFFSET64
  STAT64(fstatat64_, dirfd, path, 0);
  STAT64(fxstatat64_, dirfd, path, 0);
#endif
  say("faccessat R", faccessat(dirfd, path, R_OK, 0));
  say("faccessat X", faccessat(dirfd, path, X_OK, AT_EACCESS));
  say("readlinkat", readlinkat(dirfd, path, text, room) < 0 ? -1 : 0);
  volatile int only_write = O_WRONLY;
  const int fd = openat(dirfd, path, only_write);
  say("openat", fd);
  close(fd);
#ifndef __USE_FILE_OFFSET64
  const int large = openat64(dirfd, path, only_write);
  say("openat64", large);
  close(large);
#endif
}

int main(int count, char **words) {
  (void)count;
  const char *folder = words[1], *name = words[2], *scratch = words[3];
  const char *base = strrchr(folder, '/') + 1;
  char path[PATH_MAX], other[PATH_MAX];
  struct stat status;

  snprintf(canonical, sizeof canonical, "%s/%s", folder, name);
  if (stat(canonical, &status) != 0) return 1;
  device = status.st_rdev;
  inode = status.st_ino;
  ask("as it is", canonical);
  snprintf(path, sizeof path, "/%s//%s", folder, name);
  ask("doubled slashes", path);
  snprintf(path, sizeof path, "%s/./%s", folder, name);
  ask("a dot", path);
  snprintf(path, sizeof path, "%s/../%s/%s", folder, base, name);
  ask("a parent", path);
  snprintf(path, sizeof path, "/../..%s/%s", folder, name);
  ask("above the root", path);
  snprintf(path, sizeof path, "%s/no-such-folder/../%s", folder, name);
  ask("through nothing", path);
  snprintf(path, sizeof path, "%s/", canonical);
  ask("as a folder", path);
  snprintf(path, sizeof path, "%s/x", canonical);
  ask("as a folder with something in it", path);
  snprintf(path, sizeof path, "%s99", canonical);
  ask("another number", path);
  snprintf(path, sizeof path, "%sx", canonical);
  ask("a longer name", path);

  if (chdir(scratch) != 0) return 1;
  unlink("link");
  unlink("chain");
  unlink("around");
  unlink("up");
  unlink("folder");
  symlink(canonical, "link");
  symlink("./link", "chain");
  symlink("around", "around");
  symlink("..", "up");
  symlink(folder, "folder");
  ask("a link", "link");
  ask("a link to a link", "chain");
  ask("a link to itself", "around");
  snprintf(path, sizeof path, "folder/%s", name);
  ask("through a link to its folder", path);
  snprintf(path, sizeof path, "%s/up/%s/folder/%s", scratch, strrchr(scratch, '/') + 1, name);
  ask("through two links", path);
  const int above = open(scratch, O_RDONLY | O_DIRECTORY);
  ask_at("a link, from a descriptor", above, "link");
  snprintf(path, sizeof path, "folder/./%s", name);
  ask_at("its folder's link, from a descriptor", above, path);
  ask_at("an absolute path, from a descriptor", above, canonical);
  close(above);

  printf("chdir: %d\n", chdir(folder));
  printf("there: %d\n", strcmp(getcwd(other, sizeof other), folder));
  ask("from its folder", name);
  snprintf(path, sizeof path, "./%s", name);
  ask("from its folder, with a dot", path);
  snprintf(path, sizeof path, "../%s/%s", base, name);
  ask("from its folder, up and down", path);
  ask("nothing, from its folder", "no-such-name");
  printf("chdir: %d\n", chdir(".."));
  ask("a folder, from above", base);
  printf("chdir: %d\n", chdir(base));
  volatile size_t size = sizeof other;
  printf("there: %d\n", strcmp(getcwd(other, size), folder));
  const int here = open(folder, O_RDONLY | O_DIRECTORY);
  printf("chdir: %d\n", chdir("/"));
  ask_at("from a descriptor of its folder", here, name);
  snprintf(path, sizeof path, "../%s/%s", base, name);
  ask_at("from a descriptor of its folder, up and down", here, path);
  ask_at("nothing, from a descriptor of its folder", here, "no-such-name");
  const int copy = dup(here);
  printf("fchdir: %d\n", fchdir(copy));
  char *now = get_current_dir_name();
  printf("there: %d\n", strcmp(now, folder));
  printf("there: %d\n", strcmp(getwd(other), folder));
  ask_at("from where it is", AT_FDCWD, name);
  ask("the empty name", "");
  return 0;
}
