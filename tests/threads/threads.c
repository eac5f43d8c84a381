// threads WHAT DEVICE: threads and signals on a device. Prints "kept" when all is as
// promised, else what is not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/soundcard.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *device;
static int fd;

#define EXPECT(promise)                                                              \
  do {                                                                               \
    if (promise) break;                                                              \
    printf("line %d, not kept: %s (%s)\n", __LINE__, #promise, strerrorname_np(errno)); \
    exit(1);                                                                         \
  } while (0)

static void pause_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static void ready(void) {
  puts("ready");
  fflush(stdout);
}

static void set(unsigned long request, int value) { EXPECT(ioctl(fd, request, &value) == 0); }

static ssize_t result;
static int result_errno;
static char block[1 << 16];

static void *read_once(void *nothing) {
  (void)nothing;
  result = read(fd, block, sizeof block);
  result_errno = errno;
  return NULL;
}

static void *write_for_ever(void *nothing) {
  (void)nothing;
  while (write(fd, block, sizeof block) > 0) {
  }
  return NULL;
}

// DEVICE is a server: nobody comes.
static void close_while_reading(void) {
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
  pthread_t reader;
  EXPECT(pthread_create(&reader, NULL, read_once, NULL) == 0);
  pause_ms(100);
  EXPECT(close(fd) == 0);
  pthread_join(reader, NULL);
  EXPECT(result == -1 && result_errno == EBADF);
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
}

// DEVICE is a server: nobody comes.
static void cancel_a_read(void) {
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
  for (int round = 0; round < 20; ++round) {
    pthread_t reader;
    EXPECT(pthread_create(&reader, NULL, read_once, NULL) == 0);
    pause_ms(round % 4 * 5);
    EXPECT(pthread_cancel(reader) == 0);
    void *how = NULL;
    EXPECT(pthread_join(reader, &how) == 0 && how == PTHREAD_CANCELED);
    set(SNDCTL_DSP_GETBLKSIZE, 0);
    struct pollfd entry = {fd, POLLIN, 0};
    EXPECT(poll(&entry, 1, 0) == 0);
  }
  EXPECT(close(fd) == 0);
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
}

// DEVICE is a client with a server that reads.
static void cancel_a_write(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  for (int round = 0; round < 10; ++round) {
    pthread_t writer;
    EXPECT(pthread_create(&writer, NULL, write_for_ever, NULL) == 0);
    pause_ms(30 + round);
    EXPECT(pthread_cancel(writer) == 0);
    void *how = NULL;
    EXPECT(pthread_join(writer, &how) == 0 && how == PTHREAD_CANCELED);
  }
  EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  EXPECT(write(fd, block, 4096) == 4096);
  EXPECT(close(fd) == 0);
}

static void *everything(void *nothing) {
  (void)nothing;
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  set(SNDCTL_DSP_SETFMT, 0x1000);  // AFMT_S32_LE
  set(SNDCTL_DSP_CHANNELS, 6);
  set(SNDCTL_DSP_SPEED, 44100);
  EXPECT(write(fd, block, sizeof block) == sizeof block);
  struct pollfd entry = {fd, POLLOUT, 0};
  EXPECT(poll(&entry, 1, 2000) == 1);
  EXPECT(ioctl(fd, SNDCTL_DSP_SYNC, NULL) == 0);
  audio_buf_info info;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  const size_t size = (size_t)info.fragstotal * (size_t)info.fragsize;
  void *buffer = mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(buffer != MAP_FAILED);
  set(SNDCTL_DSP_SETTRIGGER, PCM_ENABLE_OUTPUT);
  pause_ms(50);
  count_info now;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOPTR, &now) == 0 && now.bytes > 0);
  EXPECT(munmap(buffer, size) == 0);
  EXPECT(close(fd) == 0);
  return NULL;
}

// All of it, the loading of the engine too, in a thread of little stack.
static void small_stack(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  EXPECT(pthread_attr_setstacksize(&attributes, 64 << 10) == 0);
  pthread_t thread;
  EXPECT(pthread_create(&thread, &attributes, everything, NULL) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
}

static void blocked_signals(void) {
  sigset_t all, before, after;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  sigprocmask(SIG_SETMASK, NULL, &before);
  everything(NULL);
  sigprocmask(SIG_SETMASK, NULL, &after);
  for (int number = 1; number < 32; ++number) {
    EXPECT(sigismember(&before, number) == sigismember(&after, number));
  }
}

static volatile sig_atomic_t handled;
static int other_fd;

// What a player does that stops on a signal; and calls on other descriptors.
static void handler(int number) {
  (void)number;
  const int saved = errno;
  audio_buf_info info;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  struct pollfd entry = {fd, POLLOUT, 0};
  EXPECT(poll(&entry, 1, 0) >= 0);
  EXPECT(write(other_fd, block, 16) == 16);
  if (handled % 8 == 0) EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  ++handled;
  errno = saved;
}

static void other_handler(int number) { handler(number); }

// A timer that fires in every kind of call, a write that waits among them.
static void calls_from_a_handler(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  EXPECT((other_fd = open("/dev/null", O_WRONLY)) >= 0);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval often = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &often, NULL);
  for (int round = 0; handled < 300; ++round) {
    EXPECT(round < 100000);
    const ssize_t wrote = write(fd, block, (size_t)(4 + round * 52 % 9000 / 4 * 4));
    EXPECT(wrote > 0 || errno == EINTR);
    audio_buf_info info;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  }
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  EXPECT(close(fd) == 0);
}

// fork() holds all our locks for a while; parent and child use the device afterwards.
static void forks_under_a_handler(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  EXPECT((other_fd = open("/dev/null", O_WRONLY)) >= 0);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval often = {{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &often, NULL);
  for (int round = 0; round < 300; ++round) {
    const pid_t child = fork();
    EXPECT(child >= 0);
    audio_buf_info info;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    EXPECT(sigismember(&mask, SIGALRM) == 0);
    if (child == 0) _exit(7);
    int status;
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  EXPECT(handled > 100);
  EXPECT(close(fd) == 0);
}

static sigjmp_buf place;
static volatile sig_atomic_t may_jump, jumped;
static void jump(int number) {
  (void)number;
  if (!may_jump) return;
  ++jumped;
  siglongjmp(place, 1);
}

// A program that ends its calls so: none of them leaves the device locked, and what
// the timer interrupts most is short calls and waits.
static void jumps_from_a_handler(void) {
  signal(SIGALRM, jump);
  for (volatile int round = 0; round < 4; ++round) {
    EXPECT((fd = open(device, O_WRONLY)) >= 0);
    const struct itimerval often = {{0, 700}, {0, 700}};
    setitimer(ITIMER_REAL, &often, NULL);
    const volatile int enough = jumped + 200;
    sigsetjmp(place, 1);
    while (jumped < enough) {
      may_jump = 1;
      for (int call = 0; call < 50; ++call) {
        audio_buf_info info;
        EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
      }
      EXPECT(write(fd, block, round % 2 == 0 ? 64 : sizeof block) > 0);
      may_jump = 0;
    }
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
    EXPECT(write(fd, block, 64) == 64);
    EXPECT(close(fd) == 0);
  }
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  for (int number = 1; number < 32; ++number) EXPECT(sigismember(&mask, number) == 0);
}

static volatile int quit;
static void *ask(void *nothing) {
  (void)nothing;
  while (!quit) {
    count_info now;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOPTR, &now) == 0);
  }
  return NULL;
}

// What another thread installs is never met between the locks of this one.
static void *install_for_ever(void *nothing) {
  (void)nothing;
  struct sigaction action = {.sa_flags = SA_RESTART}, before;
  for (unsigned round = 0; !quit; ++round) {
    action.sa_handler = round % 2 == 0 ? handler : other_handler;
    EXPECT(sigaction(SIGALRM, &action, &before) == 0);
    EXPECT(before.sa_handler == handler || before.sa_handler == other_handler);
    const sighandler_t told = signal(SIGALRM, before.sa_handler);
    EXPECT(told == action.sa_handler);
  }
  return NULL;
}

static pthread_t without_signals(void *(*work)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, work, argument) == 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return thread;
}

static void handlers_change_under_a_storm(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  EXPECT((other_fd = open("/dev/null", O_WRONLY)) >= 0);
  signal(SIGALRM, handler);
  const pthread_t installer = without_signals(install_for_ever, NULL);
  const struct itimerval often = {{0, 60}, {0, 60}};
  setitimer(ITIMER_REAL, &often, NULL);
  while (handled < 30000) {
    audio_buf_info info;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
    EXPECT(write(fd, block, 64) > 0 || errno == EINTR);
  }
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  quit = 1;
  pthread_join(installer, NULL);
}

static void *fork_often(void *number) {
  sigset_t own, now;
  sigemptyset(&own);
  sigaddset(&own, (int)(long)number);
  pthread_sigmask(SIG_SETMASK, &own, NULL);
  for (int round = 0; round < 200; ++round) {
    const pid_t child = fork();
    EXPECT(child >= 0);
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    int kept = 1;
    for (int signal = 1; signal < 32; ++signal) {
      kept = kept && sigismember(&own, signal) == sigismember(&now, signal);
    }
    if (child == 0) _exit(kept ? 0 : 3);
    EXPECT(kept);
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
  return NULL;
}

// Each thread that forks has the mask that it had, and its child.
static void threads_fork_at_once(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  signal(SIGALRM, handler);
  const int numbers[] = {SIGUSR1, SIGUSR2, SIGHUP};
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) {
    EXPECT(pthread_create(threads + i, NULL, fork_often, (void *)(long)numbers[i]) == 0);
  }
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// A real-time thread plays while idle ones keep the same device busy and others the
// processor. Without the right to be real-time the same with plain threads.
static void *urgent(void *nothing) {
  (void)nothing;
  double longest = 0;
  for (int round = 0; round < 100; ++round) {
    const double start = seconds();
    audio_buf_info info;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
    if (info.bytes > 0) EXPECT(write(fd, block, (size_t)(info.bytes < 1920 ? info.bytes : 1920)) > 0);
    const double took = seconds() - start;
    if (took > longest) longest = took;
    pause_ms(5);
  }
  EXPECT(longest < 1);
  return NULL;
}

static void *spin(void *nothing) {
  (void)nothing;
  while (!quit) {
  }
  return NULL;
}

static pthread_t thread_of(int policy, int priority, void *(*work)(void *)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, policy);
  const struct sched_param how = {.sched_priority = priority};
  pthread_attr_setschedparam(&attributes, &how);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, work, NULL) != 0) {
    EXPECT(pthread_create(&thread, NULL, work, NULL) == 0);
  }
  return thread;
}

static void real_time(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  pthread_t crowd[4];
  for (int i = 0; i < 2; ++i) crowd[i] = thread_of(SCHED_IDLE, 0, ask);
  for (int i = 2; i < 4; ++i) crowd[i] = thread_of(SCHED_OTHER, 0, spin);
  pthread_join(thread_of(SCHED_FIFO, 10, urgent), NULL);
  quit = 1;
  for (int i = 0; i < 4; ++i) pthread_join(crowd[i], NULL);
  EXPECT(close(fd) == 0);
}

int main(int count, char **words) {
  const struct {
    const char *name;
    void (*run)(void);
  } all[] = {{"close_while_reading", close_while_reading},
             {"cancel_a_read", cancel_a_read},
             {"cancel_a_write", cancel_a_write},
             {"small_stack", small_stack},
             {"blocked_signals", blocked_signals},
             {"calls_from_a_handler", calls_from_a_handler},
             {"forks_under_a_handler", forks_under_a_handler},
             {"jumps_from_a_handler", jumps_from_a_handler},
             {"handlers_change_under_a_storm", handlers_change_under_a_storm},
             {"threads_fork_at_once", threads_fork_at_once},
             {"real_time", real_time}};
  if (count < 3) return 2;
  device = words[2];
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    if (strcmp(words[1], all[i].name) != 0) continue;
    ready();
    all[i].run();
    puts("kept");
    return 0;
  }
  return 2;
}
