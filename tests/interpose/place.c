// place FILE: what has no place and no storage.
#include "show.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

int main(int count, char **words) {
  (void)count;
  const int fd = (int)SHOW(open(words[1], O_RDWR | O_NOCTTY) < 0 ? open(words[1], O_WRONLY) : 3);
  char data[64] = {0};
  volatile size_t bytes = 16;
  struct iovec pieces[2] = {{data, 8}, {data + 8, 8}};

  SHOW(lseek(fd, 0, SEEK_SET));
  SHOW(lseek(fd, 10, SEEK_CUR));
  SHOW(lseek(fd, 0, SEEK_END));
  SHOW(pread(fd, data, bytes, 0));
  SHOW(pread(fd, data, bytes, -1));
  SHOW(pwrite(fd, data, bytes, 0));
  SHOW(pwrite(fd, data, bytes, -1));
  SHOW(preadv(fd, pieces, 2, 0));
  SHOW(pwritev(fd, pieces, 2, 0));
  SHOW(preadv2(fd, pieces, 2, 0, 0));
  SHOW(pwritev2(fd, pieces, 2, 0, 0));
#ifndef __USE_FILE_OFFSET64
  SHOW(lseek64(fd, 0, SEEK_SET));
  SHOW(pread64(fd, data, bytes, 0));
  SHOW(pwrite64(fd, data, bytes, 0));
  SHOW(preadv64(fd, pieces, 2, 0));
  SHOW(pwritev64(fd, pieces, 2, 0));
  SHOW(preadv64v2(fd, pieces, 2, 0, 0));
  SHOW(pwritev64v2(fd, pieces, 2, 0, 0));
  SHOW(ftruncate64(fd, 0));
  SHOW(fallocate64(fd, 0, 0, 4096));
  SHOW_ERROR(posix_fallocate64(fd, 0, 4096));
  SHOW_ERROR(posix_fadvise64(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
#endif
  SHOW(ftruncate(fd, 0));
  SHOW(fsync(fd));
  SHOW(fdatasync(fd));
  SHOW(sync_file_range(fd, 0, 0, 0));
  SHOW(fallocate(fd, 0, 0, 4096));
  SHOW(fallocate(fd, 0, 0, 0));
  SHOW_ERROR(posix_fallocate(fd, 0, 4096));
  SHOW_ERROR(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  SHOW_ERROR(posix_fadvise(fd, 0, 0, 99));
  SHOW(readahead(fd, 0, 4096));
  SHOW(close(fd));
  return 0;
}
