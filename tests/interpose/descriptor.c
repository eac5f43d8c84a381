// descriptor FILE: copies, flags and ends of a descriptor opened for writing.
#include "show.h"

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

int main(int count, char **words) {
  (void)count;
  const char *file = words[1];
  const int fd = (int)SHOW(open(file, O_WRONLY | O_APPEND | O_NONBLOCK));
  SHOW(fcntl(fd, F_GETFL));
  SHOW(fcntl(fd, F_GETFD));
  SHOW(fcntl(fd, F_SETFL, O_APPEND));
  SHOW(fcntl(fd, F_GETFL));
  SHOW(fcntl(fd, F_SETFL, O_NONBLOCK | O_RDWR | O_CREAT));
  SHOW(fcntl(fd, F_GETFL));
  SHOW(fcntl(fd, F_SETFL, O_DIRECT));
  SHOW(fcntl(fd, F_SETFL, 0));

  int on = 1;
  SHOW(ioctl(fd, FIONBIO, &on));
  SHOW(fcntl(fd, F_GETFL));
  on = 0;
  SHOW(ioctl(fd, FIONBIO, &on));
  SHOW(fcntl(fd, F_GETFL));
  SHOW(ioctl(fd, FIOCLEX));
  SHOW(fcntl(fd, F_GETFD));
  SHOW(ioctl(fd, FIONCLEX));
  SHOW(fcntl(fd, F_GETFD));
  SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
  SHOW(fcntl(fd, F_GETFD));

  SHOW(fcntl(fd, F_SETOWN, getpid()));
  SHOW(fcntl(fd, F_GETOWN) == getpid());
  SHOW(fcntl(fd, F_SETSIG, 10));
  SHOW(fcntl(fd, F_GETSIG));
  SHOW(fcntl(fd, F_SETSIG, 1000));
  SHOW(fcntl(fd, F_SETSIG, 0));

  SHOW(fcntl(fd, F_GETPIPE_SZ));
  SHOW(fcntl(fd, F_SETPIPE_SZ, 65536));
  SHOW(fcntl(fd, F_GET_SEALS));
  SHOW(fcntl(fd, F_ADD_SEALS, 0));
  SHOW(fcntl(fd, F_GETLEASE));
  SHOW(fcntl(fd, F_NOTIFY, 0));
  SHOW(fcntl(fd, 12345));

  const int copy = (int)SHOW(dup(fd));
  SHOW(fcntl(copy, F_GETFD));
  const int high = (int)SHOW(fcntl(fd, F_DUPFD, 20));
  const int kept = (int)SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 20));
  SHOW(fcntl(kept, F_GETFD));
  SHOW(fcntl(fd, F_DUPFD, -1));
  SHOW(fcntl(fd, F_DUPFD, 1 << 30));
  SHOW(dup2(fd, 30));
  SHOW(dup2(fd, fd));
  SHOW(dup2(fd, -1));
  SHOW(dup2(fd, 1 << 30));
  SHOW(dup3(fd, 31, O_CLOEXEC));
  SHOW(fcntl(31, F_GETFD));
  SHOW(dup3(fd, fd, 0));
  SHOW(dup3(fd, 32, 1));
  SHOW(dup2(12345, fd));
  // A copy shares what the description keeps.
  SHOW(fcntl(copy, F_SETFL, O_NONBLOCK));
  SHOW(fcntl(fd, F_GETFL));
  SHOW(close(fd));
  SHOW(close(fd));
  SHOW(fcntl(fd, F_GETFD));
  SHOW(fcntl(copy, F_GETFL));
  // The number comes back as something else.
  SHOW(open("/dev/zero", O_RDONLY));
  char bytes[4] = "abc";
  SHOW(read(fd, bytes, sizeof bytes));
  SHOW(memcmp(bytes, "\0\0\0\0", 4));
  SHOW(dup2(high, fd));
  SHOW(dup2(0, high) >= 0);
  SHOW(read(high, bytes, 0));

  // Exactly so many of them may be open.
  struct rlimit limit = {16, 16};
  SHOW(close_range(3, ~0U, 0));
  SHOW(fcntl(copy, F_GETFL));
  SHOW(setrlimit(RLIMIT_NOFILE, &limit));
  const int again = (int)SHOW(open(file, O_WRONLY));
  for (int i = 0; i < 16; ++i) SHOW(dup(again));
  SHOW(open(file, O_WRONLY));
  SHOW(open("/dev/zero", O_RDONLY));
  SHOW(close_range(10, 12, CLOSE_RANGE_CLOEXEC));
  SHOW(fcntl(11, F_GETFD));
  SHOW(fcntl(13, F_GETFD));
  SHOW(close_range(12, 10, 0));
  SHOW(close_range(13, 14, 0));
  SHOW(fcntl(13, F_GETFD));
  SHOW(dup(again));
  closefrom(5);
  SHOW(fcntl(5, F_GETFD));
  SHOW(fcntl(4, F_GETFD));
  SHOW(close(4));
  SHOW(close(again));
  SHOW(open(file, O_WRONLY | O_CLOEXEC));
  SHOW(fcntl(3, F_GETFD));
  SHOW(close(3));
  return 0;
}
