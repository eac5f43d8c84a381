// jumps WHAT DEVICE: handlers that do not come back from a call that sleeps. Prints "kept"
// when nothing of the calls that they leave stays behind, else what does.
#include "jump.h"

#include <sys/wait.h>
#include <time.h>

enum { JUMPS = 2000, SESSIONS = 200 };

static void alarm_after(int us) {
  const struct itimerval once = {{0, 0}, {0, us}};
  setitimer(ITIMER_REAL, &once, NULL);
}

static int mode = O_WRONLY;
static void open_it(void) {
  EXPECT((fd = open(device, mode)) >= 0);
  const int fragments = 4 << 16 | 10;
  int wanted = fragments;
  EXPECT(ioctl(fd, SNDCTL_DSP_SETFRAGMENT, &wanted) == 0);
}

static void waits_in_a_read(void) { EXPECT(read(fd, block, sizeof block) < 0); }
static void waits_in_a_write(void) {
  for (;;) EXPECT(write(fd, block, sizeof block) > 0);
}
static void waits_in_a_sync(void) {
  for (;;) EXPECT(write(fd, block, 1024) > 0 && ioctl(fd, SNDCTL_DSP_SYNC, NULL) == 0);
}
static struct pollfd entries[100];
static void waits_in_a_poll(void) {
  for (int i = 0; i < 100; ++i) entries[i] = (struct pollfd){fd, POLLIN | POLLOUT, 0};
  for (;;) EXPECT(poll(entries, 100, 1000) >= 0);
}
static void waits_in_a_select(void) {
  for (;;) {
    fd_set reading;
    FD_ZERO(&reading);
    FD_SET(fd, &reading);
    EXPECT(select(fd + 1, &reading, NULL, NULL, NULL) >= 0);
  }
}

static void jump_out_of(void (*call)(void), int after_us) {
  const volatile int seen = jumped;
  if (sigsetjmp(place, 1) == 0) {
    may_jump = 1;
    alarm_after(after_us);
    call();
  }
  may_jump = 0;
  EXPECT(jumped == seen + 1);
}

// What the program has in memory, and how many pieces of it there are.
static long figure(const char *file, const char *name, int counts) {
  FILE *const status = fopen(file, "r");
  EXPECT(status != NULL);
  char line[512];
  long found = 0;
  while (fgets(line, sizeof line, status) != NULL) {
    if (counts) ++found;
    else if (strncmp(line, name, strlen(name)) == 0) found = atol(line + strlen(name));
  }
  fclose(status);
  return found;
}
static long resident_kib(void) { return figure("/proc/self/status", "VmRSS:", 0); }
static long mappings(void) { return figure("/proc/self/maps", "", 1); }

static void cancel_state_is_the_programs(void) {
  int state, type;
  EXPECT(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state) == 0);
  EXPECT(state == PTHREAD_CANCEL_ENABLE);
  EXPECT(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type) == 0);
}

static void jump_often(void (*call)(void)) {
  struct sigaction action = {.sa_handler = jump, .sa_flags = SA_RESTART};
  EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
  action.sa_flags = 0;
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
  open_it();
  long kib = 0, pieces = 0;
  for (volatile int i = 0; i < JUMPS; ++i) {
    jump_out_of(call, 20 + i % 100);
    if (i != JUMPS / 10) continue;
    kib = resident_kib();
    pieces = mappings();
  }
  EXPECT(resident_kib() <= kib + 1024);
  EXPECT(mappings() <= pieces + 10);
  cancel_state_is_the_programs();
  if (mode == O_WRONLY) EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  EXPECT(close(fd) == 0);
  open_it();
  if (mode == O_WRONLY) EXPECT(write(fd, block, 64) == 64);
  EXPECT(close(fd) == 0);
  // A jump in each session.
  for (volatile int i = 0; i < SESSIONS; ++i) {
    open_it();
    jump_out_of(call, 20 + i % 100);
    if (mode == O_WRONLY) EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
    EXPECT(close(fd) == 0);
    if (i != SESSIONS / 10) continue;
    kib = resident_kib();
    pieces = mappings();
  }
  EXPECT(resident_kib() <= kib + 1024);
  EXPECT(mappings() <= pieces + 10);
}

static void out_of_a_read(void) {
  mode = O_RDONLY;
  jump_often(waits_in_a_read);
}
static void out_of_a_write(void) { jump_often(waits_in_a_write); }
static void out_of_a_sync(void) { jump_often(waits_in_a_sync); }
static void out_of_a_poll(void) {
  mode = O_RDONLY;
  jump_often(waits_in_a_poll);
  EXPECT(entries[0].events == (POLLIN | POLLOUT));
}
static void out_of_a_select(void) {
  mode = O_RDONLY;
  jump_often(waits_in_a_select);
}

// The last close of a device plays the rest: what was accepted, of a server that does not
// read yet. Both sides are this program's.
static int server_fd, null_fd;
static long accepted;

static void begin_to_play(void) {
  memset(block, 'a', sizeof block);
  EXPECT((null_fd = open("/dev/null", O_WRONLY)) >= 0);
  EXPECT((fd = open(device, O_WRONLY | O_NONBLOCK)) >= 0);
  accepted = 0;
  for (ssize_t wrote; (wrote = write(fd, block, sizeof block)) > 0;) accepted += wrote;
  EXPECT(errno == EAGAIN && accepted > 0);
}

static void closes(void) { close(fd); }
static void replaces(void) { dup2(null_fd, fd); }
static void (*leave)(void);

static void jump_while_it_plays(void) {
  signal(SIGALRM, jump);
  begin_to_play();
  jump_out_of(leave, 20000);
  cancel_state_is_the_programs();
}

static void end_the_thread(int number) {
  (void)number;
  pthread_exit(NULL);
}
static void *leave_in_a_thread(void *nothing) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  alarm_after(20000);
  leave();
  EXPECT(!"the thread has ended");
  return nothing;
}
static void end_while_it_plays(void) {
  signal(SIGALRM, end_the_thread);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  begin_to_play();
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, leave_in_a_thread, NULL) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void hear_all(void) {
  long heard = 0;
  static char got[4096];
  for (ssize_t count; (count = read(server_fd, got, sizeof got)) > 0;) {
    for (ssize_t i = 0; i < count; ++i) heard += got[i] == 'a';
  }
  EXPECT(errno == ECONNRESET);
  EXPECT(heard == accepted);
}

static void opens_again_soon(void) {
  for (int moment = 0; (fd = open(device, O_WRONLY)) < 0; ++moment) {
    EXPECT(errno == EBUSY && moment < 1000);
    usleep(10000);
  }
}

static void free_afterwards(void (*leaves_it)(void), int hears_first) {
  EXPECT((server_fd = open("/dev/oss/oss_audioloop0/server0", O_RDONLY)) >= 0);
  leaves_it();
  const pid_t bystander = fork();
  EXPECT(bystander >= 0);
  if (bystander == 0) pause();
  if (hears_first) {
    hear_all();
    opens_again_soon();
    EXPECT(write(fd, block, 64) == 64);
    EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  } else {
    opens_again_soon();
    hear_all();
  }
  EXPECT(close(fd) == 0);
  kill(bystander, SIGKILL);
  waitpid(bystander, NULL, 0);
  EXPECT(close(server_fd) == 0);
}
static void out_of_the_last(void (*last)(void), void (*leaves_it)(void)) {
  leave = last;
  free_afterwards(leaves_it, 0);
  free_afterwards(leaves_it, 1);
}
static void out_of_a_close(void) { out_of_the_last(closes, jump_while_it_plays); }
static void out_of_a_dup2(void) { out_of_the_last(replaces, jump_while_it_plays); }
static void end_in_a_close(void) { out_of_the_last(closes, end_while_it_plays); }
static void end_in_a_dup2(void) { out_of_the_last(replaces, end_while_it_plays); }

static void out_of_a_close_and_exit(void) {
  leave = closes;
  EXPECT((server_fd = open("/dev/oss/oss_audioloop0/server0", O_RDONLY)) >= 0);
  int told[2];
  EXPECT(pipe(told) == 0);
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    jump_while_it_plays();
    EXPECT(write(told[1], &accepted, sizeof accepted) == sizeof accepted);
    exit(0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  EXPECT(read(told[0], &accepted, sizeof accepted) == sizeof accepted);
  hear_all();
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"out_of_a_read", out_of_a_read},     {"out_of_a_write", out_of_a_write},
      {"out_of_a_sync", out_of_a_sync},     {"out_of_a_poll", out_of_a_poll},
      {"out_of_a_select", out_of_a_select}, {"out_of_a_close", out_of_a_close},
      {"out_of_a_dup2", out_of_a_dup2},     {"out_of_a_close_and_exit", out_of_a_close_and_exit},
      {"end_in_a_close", end_in_a_close},   {"end_in_a_dup2", end_in_a_dup2},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
