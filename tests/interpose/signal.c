// signal FILE: handlers are installed as ever, with a device open.
#include "show.h"

#include <signal.h>
#include <sys/time.h>

sighandler_t __sysv_signal(int, sighandler_t);

static volatile sig_atomic_t handled;
static void handle(int number) { handled = number; }

// Is a read from an empty pipe interrupted, or does it go on until it has a byte?
static long reading(int pipes[2]) {
  char byte;
  const struct itimerval soon = {{0, 0}, {0, 20000}};
  handled = 0;
  setitimer(ITIMER_REAL, &soon, NULL);
  if (fork() == 0) {
    usleep(200000);
    write(pipes[1], "x", 1);
    _exit(0);
  }
  const long result = read(pipes[0], &byte, 1);
  const int error = errno;
  if (result < 0) read(pipes[0], &byte, 1);
  errno = error;
  return result;
}

int main(int count, char **words) {
  (void)count;
  SHOW(open(words[1], O_WRONLY));
  int pipes[2];
  pipe(pipes);
  struct sigaction action = {.sa_handler = handle}, before;
  signal(SIGCHLD, SIG_IGN);

  SHOW(sigaction(SIGALRM, &action, NULL));
  SHOW(reading(pipes));
  SHOW(handled);
  action.sa_flags = SA_RESTART;
  SHOW(sigaction(SIGALRM, &action, &before));
  SHOW(before.sa_handler == handle);
  SHOW(reading(pipes));
  SHOW(handled);
  SHOW(signal(SIGALRM, handle) == handle);
  SHOW(reading(pipes));
  SHOW(siginterrupt(SIGALRM, 1));
  SHOW(reading(pipes));
  SHOW(__sysv_signal(SIGALRM, handle) == handle);
  SHOW(reading(pipes));
  SHOW(signal(SIGALRM, SIG_DFL) == SIG_DFL);
  SHOW(sigset(SIGALRM, handle) == SIG_DFL);
  SHOW(sigset(SIGALRM, SIG_HOLD) == handle);
  SHOW(sigset(SIGALRM, handle) == SIG_HOLD);
  SHOW(sigaction(SIGKILL, &action, NULL));
  SHOW(sigaction(1000, &action, NULL));
  return 0;
}
