// What the players and recorders of this folder share.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/soundcard.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

#define MUST(call)                  \
  __extension__({                   \
    const long must_ = (long)(call); \
    if (must_ < 0) die(#call);      \
    must_;                          \
  })

static inline int set(int fd, unsigned long request, int value) {
  MUST(ioctl(fd, request, &value));
  return value;
}

static inline void trigger(int fd, int bits) { set(fd, SNDCTL_DSP_SETTRIGGER, bits); }

static inline void need_mapping(int fd) {
  const int caps = set(fd, SNDCTL_DSP_GETCAPS, 0);
  if ((caps & DSP_CAP_TRIGGER) == 0 || (caps & DSP_CAP_MMAP) == 0) {
    fprintf(stderr, "the device has no mapped buffer: caps %#x\n", caps);
    exit(1);
  }
}

// Tells the test that the device is open and set.
static inline void ready(void) {
  puts("ready");
  fflush(stdout);
}

static inline void pause_ms(long ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&time, NULL);
}
