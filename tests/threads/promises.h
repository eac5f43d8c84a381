// What the programs of many threads and signals share.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <sys/time.h>
#include <unistd.h>

static const char *device;
static int fd;
static char block[1 << 16];
static volatile int quit;

#define EXPECT(promise)                                                              \
  do {                                                                               \
    if (promise) break;                                                              \
    printf("line %d, not kept: %s (%s)\n", __LINE__, #promise, strerrorname_np(errno)); \
    exit(1);                                                                         \
  } while (0)

struct promise {
  const char *name;
  void (*keep)(void);
};

// "ready", and "kept" when all is as promised; the exit status.
static inline int keep(const struct promise *promises, size_t count, int words_count, char **words) {
  if (words_count < 3) return 2;
  device = words[2];
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(words[1], promises[i].name) != 0) continue;
    puts("ready");
    fflush(stdout);
    promises[i].keep();
    puts("kept");
    return 0;
  }
  return 2;
}
