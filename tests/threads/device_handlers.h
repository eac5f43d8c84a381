// The handlers of programs that use a device in them.
#pragma once

#include "jump.h"

static volatile sig_atomic_t handled;
static int other_fd;

// What a player does that stops on a signal; and calls on other descriptors.
static void handler(int number) {
  (void)number;
  const int saved = errno;
  audio_buf_info info;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  struct pollfd entry = {fd, POLLOUT, 0};
  EXPECT(poll(&entry, 1, 0) >= 0);
  EXPECT(write(other_fd, block, 16) == 16);
  if (handled % 8 == 0) EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  ++handled;
  errno = saved;
}
