#define _GNU_SOURCE
/* What OSS 4's programs for both ways ask of a device, in small; each runs until it is
 * killed, and ends with a line on standard error when a promise is not kept.
 *
 *   oss_duplex echo DEVICE              plays what it records: one select() for both ways
 *   oss_duplex talk DEVICE SONG FILE    plays SONG again and again, and records into FILE
 *   oss_duplex phone DEVICE DEVICE      plays on each what it records from the other
 *   oss_duplex together DEVICE          starts both ways by one trigger, and follows both
 *                                       positions; this one ends, and reports in JSON
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/soundcard.h>
#include <time.h>
#include <unistd.h>

// Of OSS 4; what stands between is as in oss_audioinfo.
struct engineinfo {
  int dev;
  char name[64];
  int busy, pid, caps;
  char rest[1100];
};
#define ENGINEINFO _IOWR('X', 12, struct engineinfo)
_Static_assert(sizeof(struct engineinfo) == 1180, "the size is part of the request's code");

enum { kFragment = 2048, kRoom = 64 * kFragment };

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

#define MUST(call)                  \
  __extension__({                   \
    const long must_ = (long)(call); \
    if (must_ < 0) die(#call);      \
    must_;                          \
  })

static int set(int fd, unsigned long request, int value) {
  const int asked = value;
  MUST(ioctl(fd, request, &value));
  if (request != SNDCTL_DSP_SETFRAGMENT && asked != 0 && value != asked) {
    fprintf(stderr, "asked %#lx for %d, the device says %d\n", request, asked, value);
    exit(1);
  }
  return value;
}

static int open_both(const char *path) {
  const int fd = (int)MUST(open(path, O_RDWR));
  struct engineinfo engine = {.dev = -1};
  MUST(ioctl(fd, ENGINEINFO, &engine));
  int caps = 0;
  MUST(ioctl(fd, SNDCTL_DSP_GETCAPS, &caps));
  if ((engine.caps & DSP_CAP_DUPLEX) == 0 || (caps & DSP_CAP_DUPLEX) == 0) {
    fprintf(stderr, "%s is not for both ways: %#x, %#x\n", path, engine.caps, caps);
    exit(1);
  }
  MUST(ioctl(fd, SNDCTL_DSP_SETDUPLEX, 0));
  set(fd, SNDCTL_DSP_SETFRAGMENT, 0x0010000b);
  set(fd, SNDCTL_DSP_SETFMT, AFMT_S16_LE);
  set(fd, SNDCTL_DSP_CHANNELS, 2);
  set(fd, SNDCTL_DSP_SPEED, 48000);
  return fd;
}

static void ready(void) {
  puts("ready");
  fflush(stdout);
}

// Bytes on their way from one descriptor to another.
struct way {
  int from, to;
  long held;
  char bytes[kRoom];
};

static void expect_input(const struct way *way, fd_set *reading) {
  if (way->held <= kRoom - kFragment) FD_SET(way->from, reading);
}
static void expect_output(const struct way *way, fd_set *writing) {
  if (way->held >= kFragment) FD_SET(way->to, writing);
}

// What select() has promised must not sleep: a part of a fragment in, a fragment out.
static void move(struct way *way, const fd_set *reading, const fd_set *writing) {
  if (FD_ISSET(way->from, reading) && way->held <= kRoom - kFragment) {
    way->held += MUST(read(way->from, way->bytes + way->held, kFragment));
  }
  if (FD_ISSET(way->to, writing) && way->held >= kFragment) {
    const long sent = MUST(write(way->to, way->bytes, kFragment));
    memmove(way->bytes, way->bytes + sent, (size_t)(way->held -= sent));
  }
}

static void carry(struct way *ways, int count) {
  ready();
  for (;;) {
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    for (int i = 0; i < count; ++i) {
      expect_input(&ways[i], &reading);
      expect_output(&ways[i], &writing);
    }
    MUST(select(FD_SETSIZE, &reading, &writing, NULL, NULL));
    for (int i = 0; i < count; ++i) move(&ways[i], &reading, &writing);
  }
}

static void echo(const char *path) {
  static struct way way;
  way.from = way.to = open_both(path);
  carry(&way, 1);
}

static void phone(const char *one, const char *other) {
  static struct way ways[2];
  ways[0].from = ways[1].to = open_both(one);
  ways[1].from = ways[0].to = open_both(other);
  carry(ways, 2);
}

static void talk(const char *path, const char *song, const char *file) {
  const int fd = open_both(path);
  const int in = (int)MUST(open(song, O_RDONLY));
  const int out = (int)MUST(open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  ready();
  for (;;) {
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(fd, &reading);
    FD_SET(fd, &writing);
    MUST(select(fd + 1, &reading, &writing, NULL, NULL));
    char bytes[kFragment];
    if (FD_ISSET(fd, &reading)) {
      const long got = MUST(read(fd, bytes, sizeof bytes));
      if (MUST(write(out, bytes, (size_t)got)) != got) die(file);
    }
    if (FD_ISSET(fd, &writing)) {
      const long said = MUST(read(in, bytes, sizeof bytes));
      if (said == 0) MUST(lseek(in, 0, SEEK_SET));
      if (MUST(write(fd, bytes, (size_t)said)) != said) die(path);
    }
  }
}

static int passed(int fd, unsigned long request) {
  count_info now;
  MUST(ioctl(fd, request, &now));
  return now.bytes;
}

static void together(const char *path) {
  static char bytes[4 * kFragment];
  const struct timespec while_ms = {0, 50 * 1000000};
  const int fd = open_both(path);
  set(fd, SNDCTL_DSP_SETTRIGGER, 0);
  MUST(write(fd, bytes, sizeof bytes));
  nanosleep(&while_ms, NULL);
  const int before = passed(fd, SNDCTL_DSP_GETIPTR) + passed(fd, SNDCTL_DSP_GETOPTR);
  set(fd, SNDCTL_DSP_SETTRIGGER, PCM_ENABLE_INPUT | PCM_ENABLE_OUTPUT);
  // The played position lies between two looks at the recorded one, if both began at once.
  int apart = 0;
  for (int i = 0; i < 100; ++i) {
    MUST(write(fd, bytes, kFragment));
    const int first = passed(fd, SNDCTL_DSP_GETIPTR);
    const int played = passed(fd, SNDCTL_DSP_GETOPTR);
    const int last = passed(fd, SNDCTL_DSP_GETIPTR);
    if (first - played > apart) apart = first - played;
    if (played - last > apart) apart = played - last;
    MUST(read(fd, bytes, kFragment));
  }
  printf("{\"before\": %d, \"apart\": %d, \"in\": %d, \"out\": %d}\n", before, apart,
         passed(fd, SNDCTL_DSP_GETIPTR), passed(fd, SNDCTL_DSP_GETOPTR));
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "echo") == 0) echo(words[2]);
  else if (count == 5 && strcmp(words[1], "talk") == 0) talk(words[2], words[3], words[4]);
  else if (count == 4 && strcmp(words[1], "phone") == 0) phone(words[2], words[3]);
  else if (count == 3 && strcmp(words[1], "together") == 0) together(words[2]);
  else return 2;
  return 0;
}
