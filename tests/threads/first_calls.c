// first_calls WHAT DEVICE: handlers that come while the library finds a function of libc, and do
// not come back. Prints "kept" when the dynamic loader is not left locked.
#include "jump.h"

#include <dlfcn.h>

static volatile int lookups, inside;

// Stands before libc's: what the loader does takes a moment, in which a signal may come.
void *dlsym(void *restrict handle, const char *restrict name) {
  static void *(*libcs)(void *, const char *);
  static void *libc;
  if (libcs == NULL) {
    libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    libcs = (void *(*)(void *, const char *))dlvsym(libc, "dlsym", "GLIBC_2.34");
    EXPECT(libcs != NULL);
  }
  if (may_jump) {
    ++lookups;
    ++inside;
    raise(SIGUSR1);
    --inside;
  }
  return libcs(handle == RTLD_NEXT ? libc : handle, name);
}

static void call_first(void (*call)(void)) {
  const int before = lookups;
  if (sigsetjmp(place, 1) == 0) {
    may_jump = 1;
    call();
  }
  may_jump = 0;
  EXPECT(lookups > before);
  EXPECT(inside == 0);
}

static void polls(void) {
  struct pollfd nothing = {-1, POLLIN, 0};
  poll(&nothing, 1, 0);
}
static void names(void) {
  char link[8];
  EXPECT(readlink("/nowhere", link, sizeof link) < 0);
}
static void duplicates(void) { close(dup(0)); }
static void reads(void) {
  fd = open(device, O_RDONLY | O_NONBLOCK);
  EXPECT(fd >= 0 && read(fd, block, 1) < 0 && errno == EAGAIN);
}

static void out_of_a_first_call(void) {
  signal(SIGUSR1, jump);
  void (*const calls[])(void) = {polls, names, duplicates, reads};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) call_first(calls[i]);
  EXPECT(jumped > 0);
}

int main(int count, char **words) {
  const struct promise promises[] = {{"out_of_a_first_call", out_of_a_first_call}};
  return keep(promises, 1, count, words);
}
