// signal FILE: handlers are installed as ever, with a device open.
#include "show.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

sighandler_t __sysv_signal(int, sighandler_t);
sighandler_t sysv_signal(int, sighandler_t);
sighandler_t bsd_signal(int, sighandler_t);
int __sigaction(int, const struct sigaction *, struct sigaction *);

static volatile sig_atomic_t *handled;  // shared with children
static void handle(int number) { *handled = number; }
static void handle_other(int number) { *handled = 100 + number; }

static siginfo_t handled_info;
static sigset_t handled_mask;
static void handle_info(int number, siginfo_t *info, void *context) {
  *handled = number;
  handled_info = *info;
  handled_mask = ((ucontext_t *)context)->uc_sigmask;
}

static int sleeps(pid_t process) {
  char path[32], state = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  FILE *stat = fopen(path, "r");
  if (stat == NULL || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) state = 0;
  if (stat != NULL) fclose(stat);
  return state == 'S';
}

// Is a read from an empty pipe interrupted, or does it go on until it has a byte?
static long reading(int pipes[2]) {
  char byte;
  *handled = 0;
  const pid_t reader = getpid();
  if (fork() == 0) {
    for (int asleep = 0; asleep < 3; usleep(1000)) asleep = sleeps(reader) ? asleep + 1 : 0;
    kill(reader, SIGALRM);
    while (*handled == 0) usleep(1000);
    write(pipes[1], "x", 1);
    _exit(0);
  }
  const long result = read(pipes[0], &byte, 1);
  const int error = errno;
  if (result < 0) read(pipes[0], &byte, 1);
  errno = error;
  return result;
}

// What is installed is what is told, with its flags and its mask.
static void installing(void) {
  struct sigaction action = {.sa_sigaction = handle_info, .sa_flags = SA_SIGINFO | SA_ONSTACK}, before;
  sigaddset(&action.sa_mask, SIGUSR2);
  SHOW(sigaction(SIGUSR1, &action, NULL));
  SHOW(sigaction(SIGUSR1, NULL, &before));
  SHOW(before.sa_sigaction == handle_info);
  SHOW(before.sa_flags & (SA_SIGINFO | SA_ONSTACK | SA_RESTART));
  SHOW(sigismember(&before.sa_mask, SIGUSR2) * 10 + sigismember(&before.sa_mask, SIGALRM));
  SHOW(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77}));
  SHOW(*handled);
  SHOW(handled_info.si_code == SI_QUEUE && handled_info.si_pid == getpid());
  SHOW(handled_info.si_value.sival_int);
  SHOW(sigismember(&handled_mask, SIGUSR1));

  SHOW((void *)signal(SIGUSR1, handle) == (void *)handle_info);
  SHOW(__sigaction(SIGUSR1, NULL, &before));
  SHOW(before.sa_handler == handle);
  SHOW(before.sa_flags & (SA_SIGINFO | SA_ONSTACK | SA_RESTART));
  SHOW(bsd_signal(SIGUSR1, handle_other) == handle);
  SHOW(raise(SIGUSR1));
  SHOW(*handled);
  SHOW(ssignal(SIGUSR1, SIG_IGN) == handle_other);
  SHOW(raise(SIGUSR1));
  SHOW(sysv_signal(SIGUSR1, handle) == SIG_IGN);
  SHOW(raise(SIGUSR1));
  SHOW(*handled);
  SHOW(signal(SIGUSR1, handle) == SIG_DFL);

  // Put back as it was found.
  SHOW(sigaction(SIGUSR1, &action, &before));
  SHOW(sigaction(SIGUSR1, &before, NULL));
  SHOW(signal(SIGUSR1, SIG_DFL) == handle);
  SHOW(sigaction(SIGUSR1, NULL, (struct sigaction *)NULL));
  SHOW(signal(-1, handle) == SIG_ERR);
  SHOW(signal(65, handle) == SIG_ERR);
}

// A child of vfork() changes its own handlers and not its parent's.
static void installing_in_a_child(void) {
  struct sigaction before;
  int status = 0;
  SHOW(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
  SHOW(signal(SIGUSR1, handle) == SIG_DFL);
  const pid_t child = vfork();
  if (child == 0) {
    signal(SIGUSR1, SIG_DFL);
    _exit(signal(SIGUSR1, handle_other) == SIG_DFL ? 7 : 8);
  }
  SHOW(waitpid(child, &status, 0) == child);
  SHOW(WEXITSTATUS(status));
  SHOW(sigaction(SIGUSR1, NULL, &before));
  SHOW(before.sa_handler == handle);
  SHOW(raise(SIGUSR1));
  SHOW(*handled);
  // exec leaves none.
  SHOW(system("kill -USR1 $$") & 127);
}

int main(int count, char **words) {
  (void)count;
  SHOW(open(words[1], O_WRONLY));
  handled = mmap(NULL, sizeof *handled, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int pipes[2];
  pipe(pipes);
  struct sigaction action = {.sa_handler = handle}, before;
  signal(SIGCHLD, SIG_IGN);

  SHOW(sigaction(SIGALRM, &action, NULL));
  SHOW(reading(pipes));
  SHOW(*handled);
  action.sa_flags = SA_RESTART;
  SHOW(sigaction(SIGALRM, &action, &before));
  SHOW(before.sa_handler == handle);
  SHOW(reading(pipes));
  SHOW(*handled);
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
  installing();
  installing_in_a_child();
  return 0;
}
