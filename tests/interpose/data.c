// data write FILE | data read FILE: bytes by every call that takes no place.
// 6000 bytes of frames of 4 are written, in pieces.
#include "show.h"

#include <limits.h>
#include <sys/uio.h>

static char song[4000];

static int writing(const char *path) {
  const int fd = (int)SHOW(open(path, O_WRONLY));
  struct iovec pieces[3] = {{song, 400}, {song, 0}, {song + 400, 1600}};
  SHOW(write(fd, song, 4000));
  SHOW(write(fd, song, 0));
  SHOW(writev(fd, pieces, 3));
  SHOW(writev(fd, pieces, 0));
  SHOW(writev(fd, pieces, -1));
  SHOW(writev(fd, pieces, IOV_MAX + 1));
  SHOW(write(fd, NULL, 4));
  SHOW(read(fd, song, 4));
  SHOW(readv(fd, pieces, 1));
  SHOW(close(fd));
  SHOW(write(fd, song, 4));
  return 0;
}

static int reading(const char *path) {
  const int fd = (int)SHOW(open(path, O_RDONLY));
  volatile size_t bytes = 1000;
  struct iovec pieces[3] = {{song, 400}, {song, 0}, {song + 400, 600}};
  SHOW(read(fd, song, 0));
  SHOW(read(fd, song, bytes));
  SHOW(song[0]);
  SHOW(readv(fd, pieces, 3));
  SHOW(song[0]);
  SHOW(song[400]);
  SHOW(readv(fd, pieces, -1));
  SHOW(read(fd, NULL, 4));
  SHOW(write(fd, song, 4));
  SHOW(writev(fd, pieces, 1));
  SHOW(close(fd));
  return 0;
}

int main(int count, char **words) {
  (void)count;
  for (size_t i = 0; i < sizeof song; ++i) song[i] = (char)(i * 7);
  return strcmp(words[1], "write") == 0 ? writing(words[2]) : reading(words[2]);
}
