// A library that opens and closes a file, in whatever thread it is called, as profilers,
// allocators and run-time libraries of sanitizers do: OPENER=clock in each question for
// the time, OPENER=memory in each malloc().
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);

static __thread __attribute__((tls_model("initial-exec"))) int inside;
static char wanted;

__attribute__((constructor)) static void begin(void) {
  const char *what = getenv("OPENER");
  wanted = what != NULL ? *what : 0;
}

static void use_a_file(char when) {
  if (wanted != when || inside) return;
  inside = 1;
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    char byte;
    const int other = dup(fd);
    if (read(fd, &byte, 1) == 1) lseek(fd, 0, SEEK_SET);
    close(other);
    close(fd);
  }
  inside = 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  use_a_file('c');
  return (int)syscall(SYS_clock_gettime, clock, now);
}

void *malloc(size_t bytes) {
  use_a_file('m');
  return __libc_malloc(bytes);
}
