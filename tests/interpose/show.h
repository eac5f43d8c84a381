// Prints what a call gave, so that two runs can be compared line by line.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline long show_result(const char *call, long result, int error) {
  if (result >= 0) {
    printf("%s = %ld\n", call, result);
  } else {
    printf("%s = %ld %s\n", call, result, strerrorname_np(error));
  }
  fflush(stdout);
  return result;
}

// SHOW(fsync(fd)) prints "fsync(fd) = -1 EINVAL".
#define SHOW(call)                                     \
  __extension__({                                      \
    errno = 0;                                         \
    const long result_ = (long)(call);                 \
    show_result(#call, result_, errno);                \
  })

// For calls that return the error number.
#define SHOW_ERROR(call)                                                      \
  do {                                                                        \
    const int error_ = (call);                                                \
    printf("%s: %s\n", #call, error_ == 0 ? "done" : strerrorname_np(error_)); \
    fflush(stdout);                                                           \
  } while (0)

// For calls that return a pointer: whether there is one.
#define SHOW_POINTER(call)                                                     \
  __extension__({                                                              \
    errno = 0;                                                                 \
    void *const pointer_ = (void *)(call);                                     \
    printf("%s: %s\n", #call, pointer_ != NULL ? "done" : strerrorname_np(errno)); \
    fflush(stdout);                                                            \
    pointer_;                                                                  \
  })

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
