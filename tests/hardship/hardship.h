// What the programs of hard surroundings share.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

#define EXPECT(promise)                                                                  \
  do {                                                                                   \
    if (promise) break;                                                                  \
    printf("line %d, not kept: %s (%s)\n", __LINE__, #promise, strerrorname_np(errno)); \
    exit(1);                                                                             \
  } while (0)

struct promise {
  const char *name;
  void (*keep)(void);
};

// Prints "kept" when all is as promised; the exit status.
static inline int keep(const struct promise *promises, size_t count, const char *name) {
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(name, promises[i].name) != 0) continue;
    promises[i].keep();
    puts("kept");
    return 0;
  }
  return 2;
}
