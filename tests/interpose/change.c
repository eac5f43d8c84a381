// change PATH SCRATCH: tries to change a device in every way.
#include "show.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

int __xmknod(int, const char *, mode_t, dev_t *);
int __xmknodat(int, int, const char *, mode_t, dev_t *);

int main(int count, char **words) {
  (void)count;
  const char *path = words[1];
  if (chdir(words[2]) != 0) return 1;
  close(open("file", O_CREAT | O_WRONLY, 0600));
  const int fd = open(path, O_WRONLY);
  const struct utimbuf old = {1, 1};
  const struct timeval olds[2] = {{1, 0}, {1, 0}};
  const struct timespec times[2] = {{1, 0}, {1, 0}};
  const struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  const struct timespec none[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
  dev_t device = 0;
  struct stat status;

  SHOW(chmod(path, 0600));
  SHOW(lchmod(path, 0600) < 0);
  SHOW(fchmod(fd, 0600));
  SHOW(fchmodat(AT_FDCWD, path, 0600, 0));
  SHOW(chown(path, 1, 1));
  SHOW(chown(path, -1, -1));
  SHOW(lchown(path, 1, 1));
  SHOW(fchown(fd, 1, 1));
  SHOW(fchownat(AT_FDCWD, path, 1, 1, 0));
  SHOW(fchownat(fd, "", 1, 1, AT_EMPTY_PATH));
  SHOW(utime(path, &old));
  SHOW(utime(path, NULL));
  SHOW(utimes(path, olds));
  SHOW(utimes(path, NULL));
  SHOW(lutimes(path, olds));
  SHOW(futimes(fd, olds));
  SHOW(futimes(fd, NULL));
  SHOW(futimesat(AT_FDCWD, path, olds));
  SHOW(utimensat(AT_FDCWD, path, times, 0));
  SHOW(utimensat(AT_FDCWD, path, now, 0));
  SHOW(utimensat(AT_FDCWD, path, none, 0));
  SHOW(utimensat(AT_FDCWD, path, NULL, 0));
  SHOW(futimens(fd, times));
  SHOW(futimens(fd, NULL));
  SHOW(truncate(path, 0));
  SHOW(truncate(path, -1));
#ifndef __USE_FILE_OFFSET64
  SHOW(truncate64(path, 0));
#endif
  SHOW(unlink(path));
  SHOW(unlinkat(AT_FDCWD, path, 0));
  SHOW(unlinkat(AT_FDCWD, path, AT_REMOVEDIR));
  SHOW(remove(path));
  SHOW(rmdir(path));
  SHOW(rename(path, "moved"));
  SHOW(rename("file", path));
  SHOW(rename(path, "/dev/other"));
  SHOW(renameat(AT_FDCWD, path, AT_FDCWD, "moved"));
  SHOW(renameat2(AT_FDCWD, path, AT_FDCWD, "moved", 0));
  SHOW(link(path, "linked"));
  SHOW(link("file", path));
  SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "linked", 0));
  SHOW(symlink("file", path));
  SHOW(symlinkat("file", AT_FDCWD, path));
  SHOW(mkdir(path, 0700));
  SHOW(mkdirat(AT_FDCWD, path, 0700));
  SHOW(mkfifo(path, 0600));
  SHOW(mkfifoat(AT_FDCWD, path, 0600));
  SHOW(mknod(path, S_IFIFO | 0600, 0));
  SHOW(mknodat(AT_FDCWD, path, S_IFIFO | 0600, 0));
  SHOW(__xmknod(0, path, S_IFIFO | 0600, &device));
  SHOW(__xmknodat(0, AT_FDCWD, path, S_IFIFO | 0600, &device));
  SHOW(setxattr(path, "user.x", "y", 1, 0));
  SHOW(lsetxattr(path, "user.x", "y", 1, 0));
  SHOW(removexattr(path, "user.x"));
  SHOW(lremovexattr(path, "user.x"));
  SHOW(listxattr(path, NULL, 0) <= 0);
  SHOW(llistxattr(path, NULL, 0) <= 0);
  SHOW(stat(path, &status));
  SHOW(status.st_mode & 07777);
  SHOW(rename("no-such-name", path));
  SHOW(rename("file", NULL));
  struct {
    unsigned bytes;
    int type;
    unsigned char handle[128];
  } handle = {128, 0, {0}};
  int mount = 0;
  SHOW(name_to_handle_at(AT_FDCWD, path, (struct file_handle *)&handle, &mount, 0) <= 0);
  return 0;
}
