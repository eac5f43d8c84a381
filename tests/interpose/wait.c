// wait FILE: every way to wait, on a file that can be written to and not read.
#include "show.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

static int fd;

static void polls(void) {
  volatile nfds_t two = 2;  // not foreseen by the compiler: fortified calls check it
  struct pollfd entries[2] = {{fd, POLLIN | POLLOUT, 0}, {-1, POLLIN, 0}};
  const struct timespec now = {0, 0}, never = {0, -1};
  sigset_t none;
  sigemptyset(&none);
  SHOW(poll(entries, two, 20000));
  SHOW(entries[0].revents);
  SHOW(entries[0].events);
  SHOW(ppoll(entries, two, &now, &none));
  SHOW(entries[0].revents);
  SHOW(ppoll(entries, two, NULL, &none));
  SHOW(ppoll(entries, two, &never, NULL));
  entries[0].events = POLLIN;
  SHOW(poll(entries, two, 20));
  SHOW(entries[0].events);
  entries[0].events = POLLRDNORM | POLLWRNORM;
  SHOW(poll(entries, two, 0));
  SHOW(entries[0].revents);
  entries[1].fd = 999;
  SHOW(poll(entries, two, 20));
  SHOW(entries[1].revents);
  SHOW(poll(NULL, 0, 1));
}

static void selects(void) {
  volatile int number = fd;
  fd_set reading, writing;
  struct timeval minute = {60, 0}, moment = {0, 20000}, wrong = {0, -1};
  const struct timespec now = {0, 0};
  FD_ZERO(&reading);
  FD_ZERO(&writing);
  FD_SET(number, &reading);
  FD_SET(number, &writing);
  SHOW(select(fd + 1, &reading, &writing, NULL, &minute));
  SHOW(!!FD_ISSET(number, &reading) * 10 + !!FD_ISSET(number, &writing));
  SHOW(minute.tv_sec < 60 && minute.tv_sec >= 54);
  FD_SET(number, &reading);
  SHOW(pselect(fd + 1, &reading, &writing, NULL, &now, NULL));
  SHOW(!!FD_ISSET(number, &reading) * 10 + !!FD_ISSET(number, &writing));
  FD_SET(number, &reading);
  SHOW(select(fd + 1, &reading, NULL, NULL, &moment));
  SHOW(!!FD_ISSET(number, &reading));
  SHOW(moment.tv_usec);
  // A select() that fails leaves its sets alone.
  FD_SET(number, &reading);
  FD_SET(900, &reading);
  SHOW(select(901, &reading, &writing, NULL, NULL));
  SHOW(!!FD_ISSET(number, &reading) * 10 + !!FD_ISSET(900, &reading));
  SHOW(select(fd + 1, &reading, NULL, NULL, &wrong));
  SHOW(select(-1, &reading, NULL, NULL, &minute));
  // Sets longer than FD_SETSIZE.
  struct rlimit most = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &most);
  const int high = dup2(fd, 2000);
  unsigned long many[4096 / 8 / sizeof(long)] = {0};
  many[2000 / (8 * sizeof(long))] |= 1UL << 2000 % (8 * sizeof(long));
  SHOW(high);
  SHOW(select(2001, (fd_set *)many, NULL, NULL, &(struct timeval){0, 0}));
  many[2000 / (8 * sizeof(long))] |= 1UL << 2000 % (8 * sizeof(long));
  SHOW(select(2001, NULL, (fd_set *)many, NULL, &(struct timeval){0, 0}));
  close(high);
}

static void nothing(int number) { (void)number; }

// No more descriptors are looked at than there can be, whatever the count; and a time that
// is as good as for ever can be interrupted.
static struct {
  fd_set set;
  volatile long behind[64];
} around;
static void *change(void *unused) {
  usleep(50000);
  around.behind[40] = 77;
  return unused;
}
static void long_selects(void) {
  struct timeval moment = {0, 300000}, ages = {INT_MAX, 0};
  pthread_t thread;
  FD_ZERO(&around.set);
  FD_SET(fd, &around.set);
  pthread_create(&thread, NULL, change, NULL);
  SHOW(select(4096, &around.set, NULL, NULL, &moment));
  pthread_join(thread, NULL);
  SHOW(around.behind[40]);
  const struct sigaction interrupting = {.sa_handler = nothing};
  sigaction(SIGALRM, &interrupting, NULL);
  FD_SET(fd, &around.set);
  alarm(1);
  SHOW(select(fd + 1, &around.set, NULL, NULL, &ages));
  signal(SIGALRM, SIG_DFL);
}

static void epolls(void) {
  const int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u64 = 1}, got[4] = {0};
  const struct timespec now = {0, 0}, wrong = {0, -1};
  SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, 999, &event));
  SHOW(epoll_ctl(set, EPOLL_CTL_ADD, fd, NULL));
  SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fd, (struct epoll_event *)16));
  SHOW(epoll_wait(set, got, 4, 20000));
  SHOW(got[0].events);
  SHOW(got[0].data.u64);
  SHOW(epoll_pwait(set, got, 4, 0, NULL));
  SHOW(epoll_pwait2(set, got, 4, NULL, NULL));
  SHOW(epoll_pwait2(set, got, 4, &now, NULL));
  SHOW(epoll_pwait2(set, got, 4, &wrong, NULL));
  SHOW(epoll_wait(set, got, 0, 0));
  event.events = EPOLLIN;
  SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
  SHOW(epoll_wait(set, got, 4, 20));
  event.events = EPOLLOUT | EPOLLONESHOT;
  SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
  SHOW(epoll_wait(set, got, 4, 20000));
  SHOW(epoll_wait(set, got, 4, 20));
  event.events = EPOLLOUT | EPOLLET;
  SHOW(epoll_ctl(set, EPOLL_CTL_MOD, fd, &event));
  SHOW(epoll_wait(set, got, 4, 20000));
  SHOW(epoll_wait(set, got, 4, 20));
  SHOW(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
  SHOW(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
  SHOW(epoll_wait(set, got, 4, 0));
  close(set);
}

int main(int count, char **words) {
  (void)count;
  fd = open(words[1], O_WRONLY | O_NONBLOCK);
  SHOW(fd >= 0 ? 0 : -1);
  polls();
  long_selects();
  selects();
  epolls();
  return 0;
}
