// handlers WHAT DEVICE: signal handlers and a device. Prints "kept" when all is as
// promised, else what is not.
#include "device_handlers.h"

#include <sys/wait.h>
#include <time.h>

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

// In a child that has opened nothing yet. What it knows of may stay open, as with any
// file; what it does not know of must be free again, also for children of its own.
static void jump_out_of_an_open(int after_us) {
  signal(SIGALRM, jump);
  may_jump = 1;
  if (sigsetjmp(place, 1) == 0) {
    const struct itimerval once = {{0, 0}, {0, after_us}};
    setitimer(ITIMER_REAL, &once, NULL);
    open(device, O_WRONLY);
  }
  may_jump = 0;
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  close_range(3, ~0U, 0);
  for (int moment = 0; (fd = open(device, O_WRONLY)) < 0; ++moment) {
    EXPECT(errno == EBUSY && moment < 1000);
    usleep(10000);
  }
  const pid_t child = fork();
  if (child == 0) {
    for (int number = 0; number < 3; ++number) EXPECT(fcntl(number, F_GETFD) >= 0);
    _exit(0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  EXPECT(write(fd, block, 64) == 64 && close(fd) == 0);
}

static void jumps_out_of_an_open(void) {
  for (int round = 0; round < 150; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      jump_out_of_an_open(50 + 20 * round);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
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

// None of many that come while the program waits is overlooked: each ends its read.
static void note_it(int number) {
  (void)number;
  ++handled;
}
static void *interrupt_often(void *target) {
  while (!quit) {
    const int seen = handled;
    const struct timespec pause = {0, 1000 * (rand() % 300)};
    nanosleep(&pause, NULL);
    pthread_kill(*(pthread_t *)target, rand() % 2 == 0 ? SIGUSR1 : SIGRTMIN);
    for (int moment = 0; handled == seen; ++moment) {
      EXPECT(moment < 10000);
      usleep(1000);
    }
  }
  return NULL;
}
static void every_signal_ends_a_read(void) {
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
  const struct sigaction action = {.sa_handler = note_it};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGRTMIN, &action, NULL);
  pthread_t own = pthread_self();
  const pthread_t other = without_signals(interrupt_often, &own);
  for (int round = 0; round < 2000; ++round) {
    EXPECT(read(fd, block, 64) == -1 && errno == EINTR);
  }
  quit = 1;
  pthread_join(other, NULL);
}

static sigset_t mask_of_clean_up;
static void look_at_mask(void *nothing) {
  (void)nothing;
  pthread_sigmask(SIG_SETMASK, NULL, &mask_of_clean_up);
}
static void *read_cancelled(void *nothing) {
  pthread_cleanup_push(look_at_mask, NULL);
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  pthread_cancel(pthread_self());
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  EXPECT(read(fd, block, 64) < 0);
  pthread_cleanup_pop(0);
  return nothing;
}
static void a_cancelled_thread_cleans_up_with_its_own_mask(void) {
  signal(SIGUSR1, note_it);
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
  sigfillset(&mask_of_clean_up);
  pthread_t thread;
  void *how;
  EXPECT(pthread_create(&thread, NULL, read_cancelled, NULL) == 0);
  EXPECT(pthread_join(thread, &how) == 0 && how == PTHREAD_CANCELED);
  for (int number = 1; number < 32; ++number) EXPECT(!sigismember(&mask_of_clean_up, number));
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"every_signal_ends_a_read", every_signal_ends_a_read},
      {"a_cancelled_thread_cleans_up_with_its_own_mask",
       a_cancelled_thread_cleans_up_with_its_own_mask},
      {"calls_from_a_handler", calls_from_a_handler},
      {"forks_under_a_handler", forks_under_a_handler},
      {"jumps_from_a_handler", jumps_from_a_handler},
      {"jumps_out_of_an_open", jumps_out_of_an_open},
      {"handlers_change_under_a_storm", handlers_change_under_a_storm},
      {"threads_fork_at_once", threads_fork_at_once},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
