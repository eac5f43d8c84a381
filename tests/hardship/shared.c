// shared play DEVICE FRAMES [poll]: a parent and its child play FRAMES numbered frames
// each, the child's with the highest bit set, through one open of DEVICE, a client, as one
// channel of 32 bit, big endian, so that there is something to convert; with "poll" they
// wait for room by it.
// shared check DEVICE FRAMES: a server that hears both and prints "kept" if each frame
// came once, and each process's in order.
#include "hardship.h"

#include <arpa/inet.h>
#include <sys/wait.h>

#ifndef AFMT_S32_LE
#define AFMT_S32_LE 0x1000
#define AFMT_S32_BE 0x2000
#endif

enum { kBlock = 4000 };
static const uint32_t kChild = 0x80000000;

static int open_as(const char *device, int flags, int wanted) {
  const int fd = open(device, flags);
  EXPECT(fd >= 0);
  int format = wanted, channels = 1;
  EXPECT(ioctl(fd, SNDCTL_DSP_SETFMT, &format) == 0 && format == wanted);
  EXPECT(ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) == 0 && channels == 1);
  return fd;
}

static void play(int fd, uint32_t frames, uint32_t mark, int polls) {
  static uint32_t block[kBlock];
  for (uint32_t next = 0; next < frames;) {
    uint32_t count = frames - next < kBlock ? frames - next : kBlock;
    for (uint32_t i = 0; i < count; ++i) block[i] = htonl(mark | (next + i));
    struct pollfd entry = {fd, POLLOUT, 0};
    if (polls) EXPECT(poll(&entry, 1, 5000) == 1);
    const ssize_t wrote = write(fd, block, 4 * count);
    EXPECT(wrote > 0 && wrote % 4 == 0);
    next += (uint32_t)wrote / 4;
  }
}

static void play_both(const char *device, uint32_t frames, int polls) {
  const int fd = open_as(device, O_WRONLY, AFMT_S32_BE);
  const pid_t child = fork();
  EXPECT(child >= 0);
  play(fd, frames, child == 0 ? kChild : 0, polls);
  if (child == 0) _exit(0);
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  EXPECT(close(fd) == 0);
  puts("kept");
}

static void check(const char *device, uint32_t frames) {
  static uint32_t block[1 << 14];
  const int fd = open_as(device, O_RDONLY, AFMT_S32_LE);
  uint32_t next[2] = {0, 0};
  ssize_t got;
  while ((got = read(fd, block, sizeof block)) > 0) {
    EXPECT(got % 4 == 0);
    for (ssize_t i = 0; i < got / 4; ++i) {
      const int child = (block[i] & kChild) != 0;
      const uint32_t number = block[i] & ~kChild;
      if (number != next[child]) {
        printf("%s: frame %u in the place of %u\n", child ? "child" : "parent", number, next[child]);
        exit(1);
      }
      ++next[child];
    }
  }
  EXPECT(got == -1 && errno == ECONNRESET);
  EXPECT(next[0] == frames && next[1] == frames);
  puts("kept");
}

int main(int count, char **words) {
  if (count < 4) return 2;
  const uint32_t frames = (uint32_t)atoi(words[3]);
  if (strcmp(words[1], "check") == 0) {
    check(words[2], frames);
  } else {
    play_both(words[2], frames, count > 4);
  }
  return 0;
}
