// duplex DEVICE: two maps of one descriptor, a recorded one that is only read and a played
// one that is only written. Plays what it records half a buffer later, until it is killed.
#include "mapped.h"

static char *map(int fd, size_t size, int protection) {
  char *const buffer = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
  if (buffer == MAP_FAILED) die("mmap");
  return buffer;
}

static long size_of(int fd, unsigned long request) {
  audio_buf_info info;
  MUST(ioctl(fd, request, &info));
  return (long)info.fragstotal * info.fragsize;
}

int main(int count, char **words) {
  if (count < 2) return 2;
  const int fd = (int)MUST(open(words[1], O_RDWR));
  need_mapping(fd);
  if ((set(fd, SNDCTL_DSP_GETCAPS, 0) & DSP_CAP_DUPLEX) == 0) {
    fprintf(stderr, "the device is not for both ways\n");
    return 1;
  }
  MUST(ioctl(fd, SNDCTL_DSP_SETDUPLEX, 0));
  set(fd, SNDCTL_DSP_SETFRAGMENT, 0x0020000b);
  set(fd, SNDCTL_DSP_SETFMT, AFMT_S16_LE);
  set(fd, SNDCTL_DSP_CHANNELS, 2);
  set(fd, SNDCTL_DSP_SPEED, 48000);
  const long size = size_of(fd, SNDCTL_DSP_GETOSPACE);
  if (size_of(fd, SNDCTL_DSP_GETISPACE) != size) {
    fprintf(stderr, "the buffers differ in size\n");
    return 1;
  }
  const char *const recorded = map(fd, (size_t)size, PROT_READ);
  char *const played = map(fd, (size_t)size, PROT_WRITE);
  trigger(fd, 0);
  trigger(fd, PCM_ENABLE_INPUT | PCM_ENABLE_OUTPUT);
  ready();
  long at = 0;
  for (;;) {
    pause_ms(5);
    count_info in, out;
    MUST(ioctl(fd, SNDCTL_DSP_GETIPTR, &in));
    MUST(ioctl(fd, SNDCTL_DSP_GETOPTR, &out));
    const long ahead = at + size / 2 - out.bytes;
    if (in.bytes - at > size || ahead < 0 || ahead > size) {
      fprintf(stderr, "late: %ld recorded, %ld ahead of what is played\n", in.bytes - at, ahead);
    }
    for (; at < in.bytes; ++at) played[(at + size / 2) % size] = recorded[at % size];
  }
}
