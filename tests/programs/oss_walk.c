#define _GNU_SOURCE
/* The tools of OSS 4 in small: each walks the API as its model does and writes what
 * it finds, a line each; exit status 1 and a line on standard error when something
 * is not as it should be.
 *
 *   oss_walk info               ossinfo: all devices, engines, mixers, cards
 *   oss_walk mix [NAME [VALUE]] ossmix: all controls with their values, or one
 *   oss_walk test DEVICE [RATE] osstest: opens with O_EXCL, plays 1.3 MB in one write
 *   oss_walk open               opens every enabled device with O_EXCL, says the errno
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct audioinfo {
  int dev;
  char name[64];
  int busy, pid, caps, iformats, oformats, magic;
  char cmd[64];
  int card_number, port_number, mixer_dev, legacy_device, enabled, flags;
  int min_rate, max_rate, min_channels, max_channels, binding, rate_source;
  char handle[32];
  unsigned nrates, rates[20];
  char song_name[64], label[16];
  int latency;
  char devnode[32];
  int next_play_engine, next_rec_engine, filler[184];
};
struct mixerinfo {
  int dev;
  char id[16], name[32];
  int modify_counter, card_number, port_number;
  char handle[32];
  int magic, enabled, caps, flags, nrext, priority;
  char devnode[32];
  int legacy_device, filler[245];
};
struct cardinfo {
  int card;
  char shortname[16], longname[128];
  int flags;
  char hw_info[400];
  int intr_count, ack_count, filler[154];
};
struct sysinfo {
  char product[32], version[32];
  int versionnum;
  char options[128];
  int numaudios, openedaudio[8], numsynths, nummidis, numtimers, nummixers, openedmidi[8];
  int numcards, numaudioengines;
  char license[16], revision_info[256];
  int filler[172];
};
struct mixext {
  int dev, ctrl, type, maxvalue, minvalue, flags;
  char id[16];
  int parent, dummy, timestamp;
  char data[64];
  unsigned char enum_present[32];
  int control_no;
  unsigned desc;
  char extname[32];
  int update_counter, rgbcolor, filler[6];
};
struct mixvalue {
  int dev, ctrl, value, flags, timestamp, filler[8];
};
struct enuminfo {
  int dev, ctrl, nvalues, version;
  short strindex[255];
  char strings[3000];
};

#define SYSINFO _IOR('X', 1, struct sysinfo)
#define MIX_NREXT _IOWR('X', 3, int)
#define MIX_EXTINFO _IOWR('X', 4, struct mixext)
#define MIX_READ _IOWR('X', 5, struct mixvalue)
#define MIX_WRITE _IOWR('X', 6, struct mixvalue)
#define AUDIOINFO _IOWR('X', 7, struct audioinfo)
#define MIX_ENUMINFO _IOWR('X', 8, struct enuminfo)
#define MIXERINFO _IOWR('X', 10, struct mixerinfo)
#define CARDINFO _IOWR('X', 11, struct cardinfo)
#define ENGINEINFO _IOWR('X', 12, struct audioinfo)
#define SETSONG _IOW('Y', 2, char[64])
#define SPEED _IOWR('P', 2, int)
#define SETFMT _IOWR('P', 5, int)
#define CHANNELS _IOWR('P', 6, int)
#define SYNC _IO('P', 1)

static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}
static void check(int good, const char* what) {
  if (good) return;
  fprintf(stderr, "%s\n", what);
  exit(1);
}
static void request(int fd, unsigned long code, void* argument, const char* name) {
  if (ioctl(fd, code, argument) < 0) fail(name);
}
static int open_mixer(void) {
  const int fd = open("/dev/mixer", O_RDWR, 0);
  if (fd < 0) fail("/dev/mixer");
  return fd;
}

static int walk_info(void) {
  const int fd = open_mixer();
  struct sysinfo system;
  request(fd, SYSINFO, &system, "SYSINFO");
  printf("%s %s (0x%08x)\n", system.product, system.version, system.versionnum);
  for (int i = 0; i < system.numcards; ++i) {
    struct cardinfo card = {.card = i};
    request(fd, CARDINFO, &card, "CARDINFO");
    printf("card %d: %s, %s\n", i, card.shortname, card.longname);
  }
  for (int i = 0; i < system.nummixers; ++i) {
    struct mixerinfo mixer = {.dev = i};
    request(fd, MIXERINFO, &mixer, "MIXERINFO");
    check(mixer.dev == i, "a mixer of another number");
    printf("mixer %d: %s, %s, %d controls\n", i, mixer.name, mixer.devnode, mixer.nrext);
  }
  for (int i = 0; i < system.numaudios; ++i) {
    struct audioinfo audio = {.dev = i};
    request(fd, AUDIOINFO, &audio, "AUDIOINFO");
    check(audio.dev == i && audio.mixer_dev < system.nummixers, "a device of another number");
    printf("audio %d: %s, %s, caps 0x%08x, busy %d\n", i, audio.name, audio.devnode, audio.caps,
           audio.busy);
  }
  for (int i = 0; i < system.numaudioengines; ++i) {
    struct audioinfo engine = {.dev = i};
    request(fd, ENGINEINFO, &engine, "ENGINEINFO");
    check(engine.min_rate <= engine.max_rate && engine.nrates <= 20, "rates out of range");
    printf("engine %d: %s\n", i, engine.name);
  }
  return 0;
}

static void print_control(int fd, const struct mixext* control) {
  struct mixvalue value = {
      .dev = control->dev, .ctrl = control->ctrl, .timestamp = control->timestamp};
  request(fd, MIX_READ, &value, "MIX_READ");
  if (control->type == 3) {
    struct enuminfo names = {.dev = control->dev, .ctrl = control->ctrl};
    request(fd, MIX_ENUMINFO, &names, "MIX_ENUMINFO");
    check(value.value >= 0 && value.value < names.nvalues, "a value without a name");
    printf("%s %s\n", control->extname, names.strings + names.strindex[value.value]);
  } else if (control->type == 20) {
    printf("%s %.1f:%.1f\n", control->extname, (value.value & 0xffff) / 10.0,
           (value.value >> 16 & 0xffff) / 10.0);
  } else {
    printf("%s %d\n", control->extname, value.value);
  }
}

static int walk_mix(const char* name, const char* text) {
  const int fd = open_mixer();
  int count = 0, found = 0;
  request(fd, MIX_NREXT, &count, "MIX_NREXT");
  for (int i = 0; i < count; ++i) {
    struct mixext control = {.dev = 0, .ctrl = i};
    request(fd, MIX_EXTINFO, &control, "MIX_EXTINFO");
    if ((control.flags & 1) == 0 || (name != NULL && strcmp(name, control.extname) != 0)) continue;
    found = 1;
    if (text != NULL) {
      struct mixvalue value = {.dev = 0, .ctrl = i, .timestamp = control.timestamp};
      const int level = (int)lround(atof(text) * 10);
      value.value = control.type == 20 ? level | level << 16 : atoi(text);
      request(fd, MIX_WRITE, &value, "MIX_WRITE");
    }
    print_control(fd, &control);
  }
  check(found, "no such control");
  return 0;
}

/* 1.3 MB in one write, each frame another, and the rate against the clock. */
static int walk_test(const char* device, int rate) {
  static int16_t sound[650000];
  const int fd = open(device, O_WRONLY | O_EXCL, 0);
  if (fd < 0) fail(device);
  char song[64] = "a test tone";
  int format = 0x10, channels = 2, wanted = rate;
  request(fd, SETSONG, song, "SETSONG");
  request(fd, SETFMT, &format, "SETFMT");
  request(fd, CHANNELS, &channels, "CHANNELS");
  request(fd, SPEED, &rate, "SPEED");
  check(format == 0x10 && channels == 2 && rate == wanted, "the format was not accepted");
  for (size_t i = 0; i < sizeof sound / sizeof *sound; ++i) sound[i] = (int16_t)(i * 7919);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const ssize_t written = write(fd, sound, sizeof sound);
  if (written != (ssize_t)sizeof sound) fail("write");
  request(fd, SYNC, NULL, "SYNC");
  clock_gettime(CLOCK_MONOTONIC, &end);
  if (close(fd) < 0) fail("close");
  const double seconds =
      (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  printf("%zd bytes in %.3f s, %.0f frames a second\n", written, seconds,
         (double)written / 4 / seconds);
  return 0;
}

static int walk_open(void) {
  const int fd = open_mixer();
  struct sysinfo system;
  request(fd, SYSINFO, &system, "SYSINFO");
  for (int i = 0; i < system.numaudios; ++i) {
    struct audioinfo audio = {.dev = i};
    request(fd, AUDIOINFO, &audio, "AUDIOINFO");
    if (!audio.enabled) continue;
    const int mode = (audio.caps & 0x20000) != 0 ? O_WRONLY : O_RDONLY;
    const int device = open(audio.devnode, mode | O_EXCL, 0);
    printf("%s %s\n", audio.devnode, device >= 0 ? "opened" : strerrorname_np(errno));
    if (device < 0) continue;
    struct audioinfo engine = {.dev = -1};
    request(device, ENGINEINFO, &engine, "ENGINEINFO");
    check(engine.dev == i && strcmp(engine.devnode, audio.devnode) == 0 && engine.pid == getpid() &&
              engine.busy != 0,
          "another device than the one opened");
    close(device);
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "info") == 0) return walk_info();
  if (strcmp(what, "mix") == 0) {
    return walk_mix(argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
  }
  if (strcmp(what, "test") == 0 && argc > 2) {
    return walk_test(argv[2], argc > 3 ? atoi(argv[3]) : 48000);
  }
  if (strcmp(what, "open") == 0) return walk_open();
  fprintf(stderr, "usage: oss_walk info|mix [NAME [VALUE]]|test DEVICE [RATE]|open\n");
  return 2;
}
