// player DEVICE FORMAT CHANNELS RATE FILE [fragment word]
//
// Plays raw sound in the manner of the Quake engines: the buffer is mapped, and
// each turn of the game mixes a little ahead of where the card is.
#include "mapped.h"

static unsigned char *sound;
static long sound_bytes;

static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) die(path);
  fseek(file, 0, SEEK_END);
  sound_bytes = ftell(file);
  rewind(file);
  sound = malloc((size_t)sound_bytes + 1);
  if ((long)fread(sound, 1, (size_t)sound_bytes, file) != sound_bytes) die(path);
  fclose(file);
}

// Everything from `painted` to `until`, silence after the end.
static void mix(unsigned char *buffer, long size, long painted, long until) {
  for (; painted < until; ++painted) {
    buffer[painted % size] = painted < sound_bytes ? sound[painted] : 0;
  }
}

int main(int count, char **words) {
  if (count < 6) return 2;
  load(words[5]);
  int fd = open(words[1], O_RDWR);
  if (fd < 0) fd = (int)MUST(open(words[1], O_WRONLY));
  need_mapping(fd);
  set(fd, SNDCTL_DSP_SETFRAGMENT, count > 6 ? (int)strtol(words[6], NULL, 0) : 0x0020000b);
  set(fd, SNDCTL_DSP_SETFMT, atoi(words[2]));
  set(fd, SNDCTL_DSP_CHANNELS, atoi(words[3]));
  set(fd, SNDCTL_DSP_SPEED, atoi(words[4]));
  audio_buf_info info;
  MUST(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info));
  const long size = (long)info.fragstotal * info.fragsize;
  unsigned char *buffer =
      mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_FILE | MAP_SHARED, fd, 0);
  if (buffer == MAP_FAILED) die("mmap");

  const long ahead = size - info.fragsize;
  mix(buffer, size, 0, ahead);
  trigger(fd, 0);
  trigger(fd, PCM_ENABLE_OUTPUT);
  ready();
  long painted = ahead, position = 0, blocks = 0, asked = 0;
  while (position < sound_bytes) {
    pause_ms(5);
    count_info now;
    MUST(ioctl(fd, SNDCTL_DSP_GETOPTR, &now));
    // As the engines count: the place in the buffer, and when it has wrapped.
    long place = position / size * size + now.ptr;
    if (place < position) place += size;
    if (place % size != now.bytes % size) {
      fprintf(stderr, "ptr %d does not go with bytes %d\n", now.ptr, now.bytes);
      return 1;
    }
    if (painted < place) fprintf(stderr, "late by %ld bytes\n", place - painted);
    position = place;
    blocks += now.blocks;
    ++asked;
    mix(buffer, size, painted, position + ahead);
    painted = position + ahead;
  }
  trigger(fd, 0);
  munmap(buffer, (size_t)size);
  close(fd);
  printf("{\"size\": %ld, \"fragment\": %d, \"position\": %ld, \"blocks\": %ld, \"asked\": %ld}\n",
         size, info.fragsize, position, blocks, asked);
  return 0;
}
