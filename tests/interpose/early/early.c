// A library that uses files and devices before its program starts, and perhaps
// before the constructors of others have run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *look(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return strerrorname_np(errno);
  return S_ISCHR(status.st_mode) ? "device" : "file";
}

__attribute__((constructor)) static void begin(void) {
  const char *device = getenv("EARLY_DEVICE");
  char bytes[4] = "abc";
  struct stat status;
  const int zero = open("/dev/zero", O_RDONLY);
  const long got = read(zero, bytes, 4);
  const int fd = open(device, O_WRONLY);
  const int seen = fstat(fd, &status);
  FILE *file = fopen("/dev/null", "w");
  fputs("x", file);
  dprintf(1, "%s %s, read %ld %d, opened %d %d %s %o\n", look("/dev/null"), look(device), got,
          bytes[0], zero, fd, seen == 0 && S_ISCHR(status.st_mode) ? "device" : "nothing",
          fcntl(fd, F_GETFL));
  fclose(file);
  close(zero);
  close(fd);
}

__attribute__((destructor)) static void end(void) {
  const int fd = open(getenv("EARLY_DEVICE"), O_WRONLY);
  dprintf(1, "at the end: %s\n", fd >= 0 ? "opened" : strerrorname_np(errno));
}
