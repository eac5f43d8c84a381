// lock FILE: record locks and whole-file locks of the program's own.
#include "show.h"

#include <sys/file.h>
#include <sys/wait.h>

static struct flock range(short type, short whence, long start, long length) {
  struct flock lock = {.l_type = type, .l_whence = whence, .l_start = start, .l_len = length};
  return lock;
}

#define LOCK(fd, command, type, whence, start, length)                          \
  do {                                                                         \
    struct flock lock_ = range(type, whence, start, length);                   \
    SHOW(fcntl(fd, command, &lock_));                                          \
    printf("  -> %d %d %ld %ld\n", lock_.l_type, lock_.l_whence, (long)lock_.l_start, \
           (long)lock_.l_len);                                                 \
  } while (0)

static void in_child(int fd) {
  fflush(stdout);
  if (fork() == 0) {
    LOCK(fd, F_GETLK, F_WRLCK, SEEK_SET, 0, 0);
    LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 50);
    LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, 150, 50);
    SHOW(lockf(fd, F_TEST, 50));
    SHOW(lockf(fd, F_TLOCK, 0));
    _exit(0);
  }
  wait(NULL);
}

int main(int count, char **words) {
  (void)count;
  const int fd = (int)SHOW(open(words[1], O_WRONLY));
  LOCK(fd, F_SETLK, F_RDLCK, SEEK_SET, 0, 0);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0);
  LOCK(fd, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_CUR, 100, 100);
  LOCK(fd, F_GETLK, F_WRLCK, SEEK_SET, 0, 0);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_END, 250, -50);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, -1, 1);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, 10, -20);
  LOCK(fd, F_SETLK, F_WRLCK, 7, 0, 0);
  LOCK(fd, F_SETLK, 9, SEEK_SET, 0, 0);
  LOCK(fd, F_SETLK, F_WRLCK, SEEK_SET, 0x7fffffffffffff00, 0);
  LOCK(fd, F_SETLK, F_UNLCK, SEEK_SET, 0x7fffffffffffff00, 0);
  in_child(fd);
  LOCK(fd, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
  in_child(fd);

  LOCK(fd, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0);
  in_child(fd);
  LOCK(fd, F_OFD_GETLK, F_WRLCK, SEEK_SET, 0, 0);
  LOCK(fd, F_OFD_SETLK, F_UNLCK, SEEK_SET, 0, 0);

  SHOW(lockf(fd, F_TLOCK, 10));
  SHOW(lockf(fd, F_LOCK, 10));
  SHOW(lockf(fd, F_TEST, 0));
  in_child(fd);
  SHOW(lockf(fd, F_ULOCK, 0));
  SHOW(lockf(fd, 77, 0));
#ifndef __USE_FILE_OFFSET64
  SHOW(lockf64(fd, F_TLOCK, 10));
  SHOW(lockf64(fd, F_ULOCK, 10));
#endif
  SHOW(flock(fd, LOCK_EX | LOCK_NB));
  SHOW(flock(fd, LOCK_UN));
  SHOW(fcntl(fd, F_SETLK, NULL));
  SHOW(close(fd));
  return 0;
}
