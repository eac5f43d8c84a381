// memory FILE: maps of other things than devices, with a device open.
#include "show.h"

#include <sys/mman.h>
#include <sys/shm.h>

int main(int count, char **words) {
  (void)count;
  SHOW(open(words[1], O_WRONLY));
  const int fd = memfd_create("some", 0);
  ftruncate(fd, 8192);
  char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  SHOW(map == MAP_FAILED);
  map[4096] = 'x';
  char byte = 0;
  SHOW(pread(fd, &byte, 1, 4096));
  SHOW(byte);
  map = mremap(map, 8192, 16384, MREMAP_MAYMOVE);
  SHOW(map == MAP_FAILED);
  SHOW(map[4096]);
  SHOW(munmap(map, 16384));
  SHOW(munmap(map + 1, 4096));
  errno = 0;
  SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED);
  SHOW(errno);
  SHOW(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 1) == MAP_FAILED);
  SHOW(errno);
  char *anonymous = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(anonymous[100]);
  SHOW(munmap(anonymous, 4096));
#ifndef __USE_FILE_OFFSET64
  map = mmap64(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
  SHOW(map[0]);
#endif
  const int shared = shmget(IPC_PRIVATE, 4096, 0600);
  char *attached = shmat(shared, NULL, 0);
  SHOW(shmctl(shared, IPC_RMID, NULL));
  SHOW(attached[0]);
  SHOW(shmdt(attached));
  SHOW(shmdt(attached));
  SHOW(brk(sbrk(0)));
  SHOW(sbrk(0) == (void *)-1);
  return 0;
}
