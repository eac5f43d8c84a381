// carrier DEVICE FILE: plays FILE, raw sound of 16 bit, stereo and 48000 Hz, through many
// descriptors of one open, waiting for each block by poll(), and opens the mixer now and
// then. DEVICE is a client.
#include "hardship.h"

enum { kFirst = 3, kLast = 40, kBlock = 1920 };

static char block[kBlock];

int main(int count, char **words) {
  if (count < 3) return 2;
  const int file = open(words[2], O_RDONLY);
  EXPECT(file >= 0 && dup2(file, kLast + 1) == kLast + 1);
  close(file);
  const int fd = open(words[1], O_WRONLY);
  EXPECT(fd == kFirst);
  for (int other = kFirst + 1; other <= kLast; ++other) EXPECT(dup2(fd, other) == other);
  int other = kFirst;
  for (ssize_t got; (got = read(kLast + 1, block, sizeof block)) > 0;) {
    struct pollfd entry = {other, POLLOUT, 0};
    EXPECT(poll(&entry, 1, 5000) == 1 && entry.revents == POLLOUT);
    EXPECT(write(other, block, (size_t)got) == got);
    audio_buf_info room;
    EXPECT(ioctl(other, SNDCTL_DSP_GETOSPACE, &room) == 0);
    if (other == kLast) {
      const int mixer = open("/dev/mixer", O_RDWR);
      EXPECT(mixer > kLast && close(mixer) == 0);
    }
    other = other < kLast ? other + 1 : kFirst;
  }
  for (other = kFirst; other <= kLast; ++other) EXPECT(close(other) == 0);
  puts("kept");
  return 0;
}
