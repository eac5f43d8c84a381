// handler_forms WHAT DEVICE: every form of signal handler, and every way to leave one. Prints
// "kept" when all is as promised, else what is not.
#include "device_handlers.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

struct kind {
  int number, flags;
};
static const struct kind plain_kinds[] = {
    {SIGUSR1, 0},
    {SIGUSR1, SA_RESTART},
    {SIGUSR1, SA_SIGINFO | SA_RESTART},
    {SIGUSR1, SA_SIGINFO | SA_ONSTACK},
    {SIGUSR1, SA_NODEFER | SA_ONSTACK},
    {SIGUSR1, SA_RESETHAND},
    {0, SA_RESTART},
    {3, SA_SIGINFO | SA_ONSTACK},
    {5, SA_RESETHAND | SA_SIGINFO},
};
enum { KINDS = sizeof plain_kinds / sizeof *plain_kinds };

// The last ones are real-time signals.
static struct kind kind_of(int i) {
  struct kind kind = plain_kinds[i % KINDS];
  if (i % KINDS >= 6) kind.number += SIGRTMIN;
  return kind;
}

static void (*handle)(int);
static void inform(int number, siginfo_t *info, void *context) {
  EXPECT(info->si_signo == number && context != NULL);
  handle(number);
}
static void install(struct kind kind, void (*wanted)(int)) {
  handle = wanted;
  struct sigaction action = {.sa_flags = kind.flags}, told;
  if (kind.flags & SA_SIGINFO) {
    action.sa_sigaction = inform;
  } else {
    action.sa_handler = wanted;
  }
  EXPECT(sigaction(kind.number, &action, NULL) == 0);
  EXPECT(sigaction(kind.number, NULL, &told) == 0);
  EXPECT(told.sa_handler == action.sa_handler && (told.sa_flags & kind.flags) == kind.flags);
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
  } kernels;
  EXPECT(syscall(SYS_rt_sigaction, kind.number, NULL, &kernels, sizeof kernels.mask) == 0);
  EXPECT(kernels.handler == action.sa_handler);
}

// Fires in the calling thread.
static timer_t timer_of(int number) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
  event._sigev_un._tid = gettid();
  EXPECT(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  return timer;
}
static void fire(timer_t timer, long after_us) {
  const struct itimerspec once = {{0, 0}, {0, after_us * 1000}};
  EXPECT(timer_settime(timer, 0, &once, NULL) == 0);
}

static void use_and_close(int number) {
  handler(number);
  EXPECT(close(fd) == 0 || errno == EBADF);
}

static void every_form_of_handler_may_use_the_device(void) {
  EXPECT((other_fd = open("/dev/null", O_WRONLY)) >= 0);
  static char stack[1 << 16];
  const stack_t other_stack = {.ss_sp = stack, .ss_size = sizeof stack};
  EXPECT(sigaltstack(&other_stack, NULL) == 0);
  for (int i = 0; i < KINDS; ++i) {
    const timer_t timer = timer_of(kind_of(i).number);
    for (int round = 0; round < 30; ++round) {
      EXPECT((fd = open(device, O_WRONLY)) >= 0);
      const int seen = handled;
      install(kind_of(i), round % 10 == 9 ? use_and_close : handler);
      fire(timer, 20 + 90 * round);
      while (handled == seen) {
        audio_buf_info info;
        const ssize_t wrote = write(fd, block, round % 2 == 0 ? 64 : sizeof block);
        EXPECT(wrote > 0 || errno == EINTR || errno == EBADF);
        EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0 || errno == EBADF);
      }
      EXPECT(handled == seen + 1);
      EXPECT(close(fd) == 0 || errno == EBADF);
    }
    timer_delete(timer);
  }
}

static void every_form_of_handler_may_jump_away(void) {
  static char stack[1 << 16];
  const stack_t other_stack = {.ss_sp = stack, .ss_size = sizeof stack};
  EXPECT(sigaltstack(&other_stack, NULL) == 0);
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  for (volatile int i = 0; i < KINDS; ++i) {
    const timer_t timer = timer_of(kind_of(i).number);
    for (volatile int round = 0; round < 30; ++round) {
      install(kind_of(i), jump);
      const volatile int seen = jumped;
      if (sigsetjmp(place, 1) == 0) {
        may_jump = 1;
        fire(timer, 20 + 90 * round);
        for (;;) {
          audio_buf_info info;
          EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
          EXPECT(write(fd, block, round % 2 == 0 ? 64 : sizeof block) > 0);
        }
      }
      may_jump = 0;
      EXPECT(jumped == seen + 1);
      EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
      EXPECT(write(fd, block, 64) == 64);
    }
    timer_delete(timer);
  }
  EXPECT(close(fd) == 0);
}

static void end_the_thread(int number) {
  (void)number;
  pthread_exit(block);
}

static void *use_until_ended(void *argument) {
  const int round = (int)(long)argument;
  fire(timer_of(kind_of(round).number), 20 + 40 * (round % 60));
  for (;;) {
    audio_buf_info info;
    if (round % 3 == 0) EXPECT(write(fd, block, sizeof block) > 0);
    if (round % 3 == 1) EXPECT(write(fd, block, 64) > 0);
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
    int duplicate = dup(fd);
    EXPECT(duplicate >= 0 && close(duplicate) == 0);
  }
  return NULL;
}

static void every_form_of_handler_may_end_its_thread(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  for (int round = 0; round < 30 * KINDS; ++round) {
    struct kind kind = kind_of(round);
    kind.flags &= ~SA_ONSTACK;
    install(kind, end_the_thread);
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, use_until_ended, (void *)(long)round) == 0);
    void *how;
    EXPECT(pthread_join(thread, &how) == 0 && how == block);
    audio_buf_info info;
    EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  }
  EXPECT(close(fd) == 0);
}

// The program that it becomes goes on with the descriptor.
static void become_a_player(int number) {
  (void)number;
  char descriptor[16];
  sprintf(descriptor, "%d", fd);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execl("/proc/self/exe", "handler_forms", "go_on_with", descriptor, NULL);
}

static void go_on_with(void) {
  fd = atoi(device);
  audio_buf_info info;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  EXPECT(write(fd, block, 64) == 64 && close(fd) == 0);
}

static void every_form_of_handler_may_become_another_program(void) {
  for (int round = 0; round < 8 * KINDS; ++round) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      EXPECT(dup2(open("/dev/null", O_WRONLY), 1) == 1);
      EXPECT((fd = open(device, O_WRONLY)) >= 0);
      struct kind kind = kind_of(round);
      kind.flags &= ~SA_ONSTACK;
      install(kind, become_a_player);
      fire(timer_of(kind.number), 20 + 400 * round);
      for (;;) EXPECT(write(fd, block, round % 2 == 0 ? 64 : sizeof block) > 0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"every_form_of_handler_may_use_the_device", every_form_of_handler_may_use_the_device},
      {"every_form_of_handler_may_jump_away", every_form_of_handler_may_jump_away},
      {"every_form_of_handler_may_end_its_thread", every_form_of_handler_may_end_its_thread},
      {"every_form_of_handler_may_become_another_program",
       every_form_of_handler_may_become_another_program},
      {"go_on_with", go_on_with},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
