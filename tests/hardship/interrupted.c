// interrupted WHAT DEVICE PEER: another process sends a signal at every moment of a call
// that waits, and counts the calls that went on waiting although the handler, one without
// SA_RESTART, has run. Every second call is a read of an empty pipe: the yardstick, for a
// signal may come before any call has begun.
//   start    reads from DEVICE, a server without a client
//   pause    reads from DEVICE, a server whose client PEER has stopped (underrun=stall)
//   full     writes to PEER, a client whose server DEVICE does not read
// Prints how many were lost of how many: "pipe LOST OF, device LOST OF".
#include "hardship.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

enum { kRounds = 3000, kSweepNs = 100000, kMostLost = 50 };
static const int64_t kLostNs = 60000000;

static struct shared {
  _Atomic int begun, handled, done, over;  // the number of the round
  _Atomic int lost[2], of[2];
} *shared;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void handler(int number) {
  (void)number;
  shared->handled = shared->begun;
}

// After how long the signal of a round comes: most of them in the first tenth, where a
// call looks around before it sleeps.
static int64_t delay_of(int round) {
  const int64_t delay_ns = (int64_t)(round / 2) * 39551 % kSweepNs;
  return round / 2 % 5 != 0 ? delay_ns / 10 : delay_ns;
}

// Awake: a sleep would make the moment a matter of chance.
static void send_at(pid_t program, int round) {
  const int64_t delay_ns = delay_of(round);
  while (shared->begun != round) {
  }
  const int64_t moment_ns = now_ns() + delay_ns;
  while (now_ns() < moment_ns) {
  }
  kill(program, SIGUSR1);
}

static void send_signals(pid_t program) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int round = 1; round <= kRounds; ++round) {
    send_at(program, round);
    while (shared->handled != round && shared->done != round) sched_yield();
    const int64_t late_ns = now_ns() + kLostNs;
    while (shared->done != round && now_ns() < late_ns) sched_yield();
    if (shared->done != round) ++shared->lost[round % 2];
    while (shared->done != round) {
      kill(program, SIGUSR1);
      usleep(1000);
    }
    ++shared->of[round % 2];
    shared->over = round;
  }
}

static int pipe_fd, fd;
static ssize_t (*call)(void);
static char block[4096];

static ssize_t read_it(void) { return read(fd, block, sizeof block); }
static ssize_t write_it(void) { return write(fd, block, 64); }

static void count_lost(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EXPECT(shared != MAP_FAILED);
  struct sigaction action = {.sa_handler = handler};
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
  const pid_t program = getpid(), sender = fork();
  EXPECT(sender >= 0);
  if (sender == 0) {
    send_signals(program);
    _exit(0);
  }
  for (int round = 1; round <= kRounds; ++round) {
    char byte;
    shared->begun = round;
    const ssize_t got = round % 2 == 0 ? read(pipe_fd, &byte, 1) : call();
    shared->done = round;
    EXPECT(got == -1 && errno == EINTR);
    while (shared->over != round) sched_yield();
    if (shared->lost[1] >= kMostLost) break;
  }
  kill(sender, SIGKILL);
  printf("pipe %d %d, device %d %d\n", shared->lost[0], shared->of[0], shared->lost[1], shared->of[1]);
}

int main(int count, char **words) {
  if (count < 4) return 2;
  int ends[2];
  EXPECT(pipe(ends) == 0);
  pipe_fd = ends[0];
  const int server = open(words[2], O_RDONLY);
  EXPECT(server >= 0);
  fd = server;
  call = read_it;
  if (strcmp(words[1], "start") != 0) {
    const int client = open(words[3], O_WRONLY | O_NONBLOCK);
    EXPECT(client >= 0);
    int room = 0;
    while (write(client, block, sizeof block) > 0) ++room;
    EXPECT(room > 0 && errno == EAGAIN);
    if (strcmp(words[1], "full") == 0) {
      fd = client;
      call = write_it;
      EXPECT(fcntl(fd, F_SETFL, 0) == 0);
    } else {
      // All that there is; what comes then is waited for.
      EXPECT(fcntl(server, F_SETFL, O_NONBLOCK) == 0);
      struct pollfd entry = {server, POLLIN, 0};
      while (poll(&entry, 1, 1000) == 1) EXPECT(read(server, block, sizeof block) > 0);
      EXPECT(fcntl(server, F_SETFL, 0) == 0);
    }
  }
  count_lost();
  return 0;
}
