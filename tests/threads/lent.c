// lent PROMISE DEVICE: with a free clock, whose further calls of a stream take no lock
// (lib/device/allowance.h), and somebody who comes between. Each promise ends with "kept".
#include "promises.h"

#include <sys/wait.h>

enum { kBlockBytes = 4096 };

typedef struct {
  long long samples;
  int fifo_samples;
  int filler[32];
} count_t;
#define CURRENT_OPTR _IOR('P', 36, count_t)

static void play(int to, int blocks) {
  for (int i = 0; i < blocks; ++i) EXPECT(write(to, block, kBlockBytes) == kBlockBytes);
}

static void open_device(void) {
  int format = AFMT_S16_LE, channels = 2, rate_hz = 48000;
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  EXPECT(ioctl(fd, SNDCTL_DSP_SETFMT, &format) == 0);
  EXPECT(ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) == 0);
  EXPECT(ioctl(fd, SNDCTL_DSP_SPEED, &rate_hz) == 0);
}

// The number that one thread writes to is at every moment the device or the mixer, which takes
// nothing: never the node behind it.
static int other_end, mixer;
static void *replaces(void *nothing) {
  for (int turn = 0; turn < 40000; ++turn) EXPECT(dup2(turn % 2 ? other_end : mixer, fd) == fd);
  quit = 1;
  return nothing;
}
static void replaced_while_it_writes(void) {
  open_device();
  EXPECT((mixer = open("/dev/mixer", O_RDWR)) >= 0);
  EXPECT((other_end = dup(fd)) >= 0);
  play(fd, 100);
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, replaces, NULL) == 0);
  while (!quit) {
    const ssize_t wrote = write(fd, block, 64);
    EXPECT(wrote == 64 || (wrote < 0 && errno == ENXIO));
  }
  EXPECT(pthread_join(thread, NULL) == 0);
  play(other_end, 100);
}

// A child of vfork() has its parent's thread, of which others of the parent know nothing.
static void *plays_on(void *nothing) {
  while (!quit) play(fd, 1);
  return nothing;
}
static void child_of_vfork_writes(void) {
  open_device();
  play(fd, 100);
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, plays_on, NULL) == 0);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = vfork();
    if (child == 0) {
      for (int i = 0; i < 200; ++i)
        if (write(fd, block, kBlockBytes) != kBlockBytes) _exit(1);
      _exit(0);
    }
    int status = -1;
    EXPECT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    play(fd, 1);
  }
  quit = 1;
  EXPECT(pthread_join(thread, NULL) == 0);
}

// Each block is counted once, by whichever process.
static long long counted(void) {
  count_t count;
  EXPECT(ioctl(fd, CURRENT_OPTR, &count) == 0);
  return count.samples + count.fifo_samples;
}
// The other way of the same place is another open's, and counts nothing here.
static void counted_beside_a_recorder(void) {
  open_device();
  play(fd, 20);
  const int other = open(device, O_RDONLY);
  EXPECT(other >= 0);
  audio_buf_info space;
  EXPECT(ioctl(other, SNDCTL_DSP_GETISPACE, &space) == 0);
  play(fd, 20);
  EXPECT(counted() == 40 * (kBlockBytes / 4));
}

static char *own_name;
static void another_program_writes(void) {
  open_device();
  char number[16];
  snprintf(number, sizeof number, "%d", fd);
  long long blocks = 0;
  for (int round = 0; round < 3; ++round) {
    play(fd, 500);
    const pid_t child = vfork();
    if (child == 0) {
      execl(own_name, own_name, "goes_on", number, (char *)NULL);
      _exit(127);
    }
    int status = -1;
    EXPECT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    blocks += 500 + 300;
    EXPECT(counted() == blocks * (kBlockBytes / 4));
  }
}
static void becomes_another_program(void) {
  open_device();
  char number[16];
  snprintf(number, sizeof number, "%d", fd);
  play(fd, 500);
  execl(own_name, own_name, "counts", number, (char *)NULL);
}

int main(int count, char **words) {
  own_name = words[0];
  if (count == 3 && strcmp(words[1], "goes_on") == 0) {
    play(atoi(words[2]), 300);
    return 0;
  }
  if (count == 3 && strcmp(words[1], "counts") == 0) {
    fd = atoi(words[2]);
    play(fd, 300);
    EXPECT(counted() == 800 * (kBlockBytes / 4));
    puts("kept");
    return 0;
  }
  static const struct promise promises[] = {
      {"replaced_while_it_writes", replaced_while_it_writes},
      {"child_of_vfork_writes", child_of_vfork_writes},
      {"counted_beside_a_recorder", counted_beside_a_recorder},
      {"another_program_writes", another_program_writes},
      {"becomes_another_program", becomes_another_program},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
