// wild FILE: pointers that lead nowhere, to calls about FILE and about others.
#include "show.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>

// The compiler must not know what they are.
static void *volatile low = (void *)8;
static void *volatile high = (void *)-4096;

static void names(void *wild) {
  struct stat status;
  SHOW(open(wild, O_RDONLY));
  SHOW(openat(AT_FDCWD, wild, O_RDONLY));
  SHOW(stat(wild, &status));
  SHOW(lstat(wild, &status));
  SHOW(access(wild, F_OK));
  SHOW(poll(wild, 1, 0));
}

static void on(int fd, const char *path, void *wild) {
  const int epoll = epoll_create1(0);
  SHOW(write(fd, wild, 64));
  SHOW(writev(fd, wild, 1));
  SHOW(fstat(fd, wild));
  SHOW(stat(path, wild));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, wild));
  close(epoll);
}

int main(int count, char **words) {
  (void)count;
  const int fd = (int)SHOW(open(words[1], O_RDWR) < 0 ? -1 : 3);
  for (int i = 0; i < 2; ++i) {
    names(i == 0 ? low : high);
    on(fd, words[1], i == 0 ? low : high);
  }
  SHOW(select(fd + 1, NULL, low, NULL, NULL));

  // A buffer that was good before.
  const size_t bytes = 1 << 16;
  char *buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(write(fd, buffer, 1024));
  SHOW(mprotect(buffer, bytes, PROT_NONE));
  SHOW(write(fd, buffer, 1024));
  SHOW(mprotect(buffer, bytes, PROT_READ));
  SHOW(write(fd, buffer, 1024));
  SHOW(munmap(buffer, bytes));
  SHOW(write(fd, buffer, 1024));
  const int shared = shmget(IPC_PRIVATE, bytes, 0600);
  buffer = shmat(shared, NULL, 0);
  shmctl(shared, IPC_RMID, NULL);
  SHOW(write(fd, buffer, 1024));
  SHOW(shmdt(buffer));
  SHOW(write(fd, buffer, 1024));
  // Behind what malloc() has of it.
  sbrk((intptr_t)(4 * bytes));
  buffer = (char *)sbrk(0) - 2 * bytes;
  SHOW(write(fd, buffer, 1024));
  sbrk((intptr_t)-(4 * bytes));
  SHOW(write(fd, buffer, 1024));
  return 0;
}
