// pointers FILE WHICH: names, sets or buffers that lead nowhere, while no device is in use
// and while FILE is open. Prints what each call gave.
#include "../interpose/show.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>

static size_t page_bytes;
static const char *file;
static char which;  // 'n', 's' or 'b'

// A page with nothing behind it.
static char *page_before_a_hole(void) {
  char *page = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + page_bytes, page_bytes);
  return page;
}

static void *page_of(int protection) {
  return mmap(NULL, page_bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// The text as the last bytes of a page, with its end or without.
static char *at_the_end(const char *text, int ended) {
  const size_t bytes = strlen(text) + (size_t)ended;
  char *page = page_before_a_hole();
  return memcpy(page + page_bytes - bytes, text, bytes);
}

static void show_names(const char *what, const char *volatile name) {
  struct stat status;
  struct statx more;
  char target[64];
  printf("a name: %s\n", what);
  SHOW(open(name, O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
  SHOW(open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) < 0 ? -1 : 0);
  SHOW(openat(AT_FDCWD, name, O_RDONLY | O_NONBLOCK) < 0 ? -1 : 0);
  SHOW(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600) < 0 ? -1 : 0);
  SHOW(stat(name, &status));
  SHOW(lstat(name, &status));
  SHOW(fstatat(AT_FDCWD, name, &status, AT_SYMLINK_NOFOLLOW));
  SHOW(statx(AT_FDCWD, name, 0, STATX_TYPE, &more));
  SHOW(access(name, F_OK));
  SHOW(faccessat(AT_FDCWD, name, R_OK, 0));
  SHOW(readlink(name, target, sizeof target));
  SHOW(readlinkat(AT_FDCWD, name, target, sizeof target));
  SHOW(chdir(name));
  SHOW(mkdir(name, 0700));
  SHOW(unlink(name));
  SHOW(rename(name, "/nonexistent/new"));
  SHOW(rename("/nonexistent/old", name));
  SHOW(link("/nonexistent/old", name));
  SHOW(symlink(name, "/nonexistent/new"));
  SHOW(chmod(name, 0600));
  SHOW(truncate(name, 0));
}

static void show_sets(const char *what, void *volatile set, int fd) {
  const struct timespec soon = {0, 0};
  struct timeval now = {0, 0};
  printf("a set: %s\n", what);
  SHOW(poll(set, 1, 0));
  SHOW(ppoll(set, 1, &soon, NULL));
  SHOW(poll(set, 1, -1));
  SHOW(poll(set, 300, 0));
  SHOW(poll(set, 0, 0));
  SHOW(select(fd + 1, set, NULL, NULL, &now));
  SHOW(select(fd + 1, NULL, set, NULL, &now));
  SHOW(select(fd + 1, NULL, NULL, set, &now));
  SHOW(pselect(fd + 1, set, NULL, NULL, &soon, NULL));
  SHOW(select(0, set, set, set, &now));
}

static void show_buffers(const char *what, void *volatile buffer) {
  struct stat good;
  const int epoll = epoll_create1(0);
  printf("a buffer: %s\n", what);
  SHOW(stat(file, buffer));
  SHOW(lstat(file, buffer));
  SHOW(fstatat(AT_FDCWD, file, buffer, 0));
  SHOW(statx(AT_FDCWD, file, 0, STATX_TYPE, buffer));
  SHOW(readlink(file, buffer, 64));
  SHOW(readlink("/proc/self/exe", buffer, 64));
  SHOW(stat("/dev/zero", buffer));
  SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, 0, buffer));
  SHOW(epoll_wait(epoll, buffer, 1, 0));
  SHOW(stat(file, &good));
  close(epoll);
}

// Of a set the kernel reads what was asked and writes what it found; an entry that is
// sound comes before one that is not.
static void show_parts(int fd) {
  struct pollfd *entries = (struct pollfd *)(page_before_a_hole() + page_bytes) - 1;
  entries->fd = fd;
  entries->events = POLLIN | POLLOUT;
  SHOW(poll(entries, 2, 0));
  struct pollfd *readable = page_of(PROT_READ | PROT_WRITE);
  readable->fd = fd;
  readable->events = POLLIN | POLLOUT;
  mprotect(readable, page_bytes, PROT_READ);
  SHOW(poll(readable, 1, 0));
  fd_set *set = page_of(PROT_READ | PROT_WRITE);
  FD_SET(fd, set);
  mprotect(set, page_bytes, PROT_READ);
  struct timeval now = {0, 0};
  SHOW(select(fd + 1, set, NULL, NULL, &now));
}

static void show_ends_of_names(void) {
  const char *const texts[] = {
      "/", "/dev", "/dev/", "/dev/dsp", "dsp", "mixer", "/dev/fd/", "/dev/oss/oss_audioloop0/server", "x",
  };
  show_names("none", NULL);
  for (size_t i = 0; i < LENGTH(texts); ++i) show_names("runs into nothing", at_the_end(texts[i], 0));
  SHOW(access(at_the_end(file, 1), F_OK));
  SHOW(access(at_the_end("/etc/hostname", 1), F_OK));
  SHOW(access(at_the_end("/nonexistent/dsp", 1), F_OK));
  SHOW(access(at_the_end("", 1), F_OK));
}

static void show_all(int fd) {
  const struct {
    const char *what;
    void *pointer;
  } wild[] = {
      {"null and a little", (void *)8},
      {"null and more", (void *)65536},
      {"null and much", (void *)(1 << 20)},
      {"nothing is there", page_before_a_hole() + page_bytes},
      {"nobody may look", page_of(PROT_NONE)},
      {"the last page of a program", (void *)0x7ffffffff000},
      {"neither half", (void *)0x0123456789abc000},
      {"the kernel's half", (void *)0xffff888000000000},
      {"the end of all", (void *)-8L},
  };
  for (size_t i = 0; i < LENGTH(wild); ++i) {
    if (which == 'n') show_names(wild[i].what, wild[i].pointer);
    if (which == 's') show_sets(wild[i].what, wild[i].pointer, fd);
    if (which == 'b') show_buffers(wild[i].what, wild[i].pointer);
  }
  if (which == 'n') show_ends_of_names();
  if (which == 's') show_sets("none", NULL, fd);
  if (which == 'b') show_buffers("may only be read", page_of(PROT_READ));
}

int main(int count, char **words) {
  if (count < 3) return 2;
  file = words[1];
  which = *words[2];
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  show_all(0);
  const int fd = (int)SHOW(open(file, O_RDONLY | O_NONBLOCK));
  show_all(fd);
  if (which == 's') show_parts(fd);
  SHOW(close(fd));
  return 0;
}
