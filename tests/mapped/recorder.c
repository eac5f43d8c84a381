// recorder DEVICE FORMAT CHANNELS RATE FILE [fragment word]
//
// Records from a mapped buffer, a fragment at a time as select() tells, until the
// stream ends. MAP_PRIVATE, as some programs ask for.
#include "mapped.h"

int main(int count, char **words) {
  if (count < 6) return 2;
  const int fd = (int)MUST(open(words[1], O_RDONLY));
  need_mapping(fd);
  set(fd, SNDCTL_DSP_SETFRAGMENT, count > 6 ? (int)strtol(words[6], NULL, 0) : 0x0020000b);
  set(fd, SNDCTL_DSP_SETFMT, atoi(words[2]));
  set(fd, SNDCTL_DSP_CHANNELS, atoi(words[3]));
  set(fd, SNDCTL_DSP_SPEED, atoi(words[4]));
  audio_buf_info info;
  MUST(ioctl(fd, SNDCTL_DSP_GETISPACE, &info));
  const long size = (long)info.fragstotal * info.fragsize;
  const unsigned char *buffer = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (buffer == MAP_FAILED) die("mmap");
  FILE *file = fopen(words[5], "wb");
  if (file == NULL) die(words[5]);

  trigger(fd, 0);
  trigger(fd, PCM_ENABLE_INPUT);
  ready();
  long got = 0, selects = 0;
  for (;;) {
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(fd, &reading);
    MUST(select(fd + 1, &reading, NULL, NULL, NULL));
    ++selects;
    count_info now;
    if (ioctl(fd, SNDCTL_DSP_GETIPTR, &now) < 0) {
      if (errno == ECONNRESET) break;
      die("GETIPTR");
    }
    if (now.bytes - got > size) {
      fprintf(stderr, "%ld bytes behind a buffer of %ld\n", now.bytes - got, size);
      return 1;
    }
    for (; got < now.bytes; ++got) fputc(buffer[got % size], file);
  }
  fclose(file);
  munmap((void *)buffer, (size_t)size);
  close(fd);
  printf("{\"size\": %ld, \"fragment\": %d, \"bytes\": %ld, \"selects\": %ld}\n", size, info.fragsize,
         got, selects);
  return 0;
}
