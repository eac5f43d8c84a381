// numbers FILE FOLDER: a device's number was closed by a system call that no
// library sees, and comes back from each call that makes descriptors.
#include "show.h"

#include <mqueue.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

int pidfd_open(pid_t process, unsigned flags);
int pidfd_getfd(int process, int fd, unsigned flags);

static const char *file;

// Opens the device, loses it, and leaves its number to the next call.
static int lose(void) {
  const int fd = open(file, O_WRONLY);
  syscall(SYS_close, fd);
  return fd;
}

// Nothing of what this makes is a character device of ours.
static void look(const char *what, int fd) {
  struct stat status;
  const int seen = fd >= 0 ? fstat(fd, &status) : -1;
  printf("%s: %s\n", what,
         fd < 0      ? strerrorname_np(errno)
         : seen != 0 ? strerrorname_np(errno)
         : S_ISCHR(status.st_mode) && status.st_rdev >> 8 == 14 ? "a device"
                                                                : "something else");
  if (fd >= 0) close(fd);
}

#define LOOK(call)       \
  do {                   \
    lose();              \
    look(#call, (call)); \
  } while (0)

#define LOOK_PAIR(call)                   \
  do {                                    \
    int pair[2] = {-1, -1};               \
    lose();                               \
    const int result = (call);            \
    look(#call, result == 0 ? pair[0] : -1); \
    look(#call, result == 0 ? pair[1] : -1); \
  } while (0)

static int made(int (*function)(char *)) {
  char path[256];
  snprintf(path, sizeof path, "made-XXXXXX");
  const int fd = function(path);
  unlink(path);
  return fd;
}
static int flags(char *path) { return mkostemp(path, O_CLOEXEC); }
static int suffix(char *path) {
  strcat(path, ".tmp");
  return mkstemps(path, 4);
}
static int both(char *path) {
  strcat(path, ".tmp");
  return mkostemps(path, 4, O_CLOEXEC);
}
#ifndef __USE_FILE_OFFSET64
static int flags64(char *path) { return mkostemp64(path, O_CLOEXEC); }
static int suffix64(char *path) {
  strcat(path, ".tmp");
  return mkstemps64(path, 4);
}
static int both64(char *path) {
  strcat(path, ".tmp");
  return mkostemps64(path, 4, O_CLOEXEC);
}
#endif

int main(int count, char **words) {
  (void)count;
  file = words[1];
  if (chdir(words[2]) != 0) return 1;
  sigset_t signals;
  sigemptyset(&signals);

  LOOK(open("/dev/zero", O_RDONLY));
  LOOK(openat(AT_FDCWD, "/dev/zero", O_RDONLY));
  LOOK(creat("made", 0600));
  LOOK(dup(0));
  LOOK(fcntl(0, F_DUPFD, 0));
  LOOK(socket(AF_UNIX, SOCK_STREAM, 0));
  LOOK_PAIR(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  LOOK_PAIR(pipe(pair));
  LOOK_PAIR(pipe2(pair, O_CLOEXEC));
  LOOK(eventfd(0, 0));
  LOOK(epoll_create(1));
  LOOK(epoll_create1(0));
  LOOK(timerfd_create(CLOCK_MONOTONIC, 0));
  LOOK(signalfd(-1, &signals, 0));
  LOOK(inotify_init());
  LOOK(inotify_init1(0));
  LOOK(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
  LOOK(memfd_create("made", 0));
  LOOK(shm_open("/ossloop-made", O_CREAT | O_RDWR, 0600));
  shm_unlink("/ossloop-made");
  LOOK(mq_open("/ossloop-made", O_CREAT | O_RDWR, 0600, NULL));
  mq_unlink("/ossloop-made");
  LOOK(mq_open("/ossloop-not-made", O_RDWR));
  LOOK(made(mkstemp));
  LOOK(made(flags));
  LOOK(made(suffix));
  LOOK(made(both));
#ifndef __USE_FILE_OFFSET64
  LOOK(made(mkstemp64));
  LOOK(made(flags64));
  LOOK(made(suffix64));
  LOOK(made(both64));
#endif
  LOOK(fileno(tmpfile()));
  LOOK(fileno(popen("true", "r")));
#ifndef __USE_FILE_OFFSET64
  LOOK(fileno(tmpfile64()));
#endif
  LOOK(posix_openpt(O_RDWR | O_NOCTTY));
  LOOK(getpt());
  LOOK_PAIR(openpty(&pair[0], &pair[1], NULL, NULL, NULL));
  LOOK(pidfd_open(getpid(), 0));
  LOOK(open_by_handle_at(AT_FDCWD, NULL, O_RDONLY));

  const int process = pidfd_open(getpid(), 0);
  LOOK(pidfd_getfd(process, 0, 0));

  struct sockaddr_un name = {AF_UNIX, "made-socket"};
  const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
  unlink(name.sun_path);
  bind(listening, (struct sockaddr *)&name, sizeof name);
  listen(listening, 2);
  for (int i = 0; i < 2; ++i) {
    const int other = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(other, (struct sockaddr *)&name, sizeof name);
  }
  LOOK(accept(listening, NULL, NULL));
  LOOK(accept4(listening, NULL, NULL, SOCK_CLOEXEC));

  // The lost opens hold nothing: the device is free.
  const int fd = open(file, O_WRONLY);
  printf("free again: %s\n", fd >= 0 ? "yes" : strerrorname_np(errno));
  return 0;
}
