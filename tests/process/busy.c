// busy SERVER CLIENT ASKS: a player and its forked child write on the one open of
// CLIENT that they share, while a thread of each asks so many times for the same device,
// which is busy. What SERVER hears of each is whole and in order. Prints "ready" and
// "kept".
#include "../threads/promises.h"

#include <stdint.h>
#include <sys/wait.h>

enum { kBlockFrames = 64 };
static const uint32_t in_the_child = 0x80000000;
static int asks_wanted;

static void *asks(void *nothing) {
  for (int i = 0; i < asks_wanted; ++i) EXPECT(open(device, O_WRONLY) == -1 && errno == EBUSY);
  quit = 1;
  return nothing;
}

// A frame is its number, from 1 on.
static void writes_and_asks(uint32_t mark) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, asks, NULL) == 0);
  uint32_t frames[kBlockFrames], number = 0;
  while (!quit) {
    for (int i = 0; i < kBlockFrames; ++i) frames[i] = mark | ++number;
    EXPECT(write(fd, frames, sizeof frames) == sizeof frames);
  }
  pthread_join(thread, NULL);
}

static int plays(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  const pid_t child = fork();
  EXPECT(child >= 0);
  writes_and_asks(child == 0 ? in_the_child : 0);
  if (child == 0) _exit(0);
  int status = -1;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  EXPECT(close(fd) == 0);
  return 0;
}

static void hears(void) {
  uint32_t last[2] = {0, 0};
  ssize_t got;
  while ((got = read(fd, block, sizeof block)) > 0) {
    for (ssize_t at = 0; at < got; at += (ssize_t)sizeof(uint32_t)) {
      uint32_t frame;
      memcpy(&frame, block + at, sizeof frame);
      uint32_t *const before = &last[(frame & in_the_child) != 0];
      if ((frame & ~in_the_child) != *before + 1) {
        printf("after frame %u came %u%s\n", *before, frame & ~in_the_child,
               (frame & in_the_child) != 0 ? " (child)" : "");
        fflush(stdout);
        kill(0, SIGKILL);  // all three; what else they would find follows from this
      }
      ++*before;
    }
  }
  EXPECT(errno == ECONNRESET && last[0] > 0 && last[1] > 0);
}

int main(int count, char **words) {
  if (count < 4) return 2;
  device = words[2];
  asks_wanted = atoi(words[3]);
  puts("ready");
  fflush(stdout);
  EXPECT((fd = open(words[1], O_RDONLY)) >= 0);
  const pid_t player = fork();
  EXPECT(player >= 0);
  if (player == 0) {
    close(fd);
    return plays();
  }
  hears();
  int status = -1;
  EXPECT(waitpid(player, &status, 0) == player && status == 0);
  puts("kept");
  return 0;
}
