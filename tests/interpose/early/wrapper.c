// Gives the kernel a handler of its own for each of the program's, as the run-time
// library of a sanitizer does.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>

typedef int Install(int, const struct sigaction *, struct sigaction *);

static struct sigaction programs[NSIG];

static void stand_in(int number, siginfo_t *info, void *context) {
  programs[number].sa_sigaction(number, info, context);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
  Install *const install = (Install *)dlsym(RTLD_NEXT, "sigaction");
  struct sigaction kernels, replaced;
  const struct sigaction *given = action;
  if (action != NULL && action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
    kernels = *action;
    kernels.sa_sigaction = stand_in;
    kernels.sa_flags |= SA_SIGINFO;
    given = &kernels;
  }
  const int result = install(number, given, &replaced);
  if (result != 0) return result;
  if (before != NULL) {
    *before = replaced.sa_sigaction == stand_in ? programs[number] : replaced;
  }
  if (given == &kernels) programs[number] = *action;
  return result;
}
