// stacks HOW FILES DEVICE: calls with paths in threads of little stack. FILES is a folder
// with a file "dsp", a link "mixer" to it, a link "loop" to the folder itself and a link
// "lost" to nothing; the program goes there.
//   depth      prints how many bytes of stack each call wrote
//   KIB        prints what each gave in a thread of so many KiB
//   device KIB the same of calls about DEVICE, a server, from the first one on
#include "hardship.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

// None of the calls changes anything, whoever makes them.
static const char *const names[] = {
    "/etc/hostname",
    "dsp",
    "./dsp",
    "mixer",
    "loop/loop/dsp",
    "loop/mixer",
    "lost/dsp",
    "/nonexistent/dsp",
    "/nonexistent/mixer",
    "/etc/hostname/dsp",
    "lost",
    "/proc/self/root/tmp/dsp",
};
static const char *path;

static long try_open(void) {
  const int fd = open(path, O_RDONLY);
  if (fd >= 0) close(fd);
  return fd < 0 ? fd : 0;
}
static long try_openat(void) {
  const int fd = openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
  if (fd >= 0) close(fd);
  return fd < 0 ? fd : 0;
}
static long try_fopen(void) {
  FILE *file = fopen(path, "r");
  return file == NULL ? -1 : fclose(file);
}
static long try_opendir(void) {
  DIR *folder = opendir(path);
  return folder == NULL ? -1 : closedir(folder);
}
static struct stat status;
static long try_stat(void) { return stat(path, &status); }
static long try_lstat(void) { return lstat(path, &status); }
static long try_fstatat(void) { return fstatat(AT_FDCWD, path, &status, 0); }
static struct statx more;
static long try_statx(void) { return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &more); }
static long try_access(void) { return access(path, R_OK); }
static long try_faccessat(void) { return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS); }
static char target[4096];
static long try_readlink(void) { return readlink(path, target, sizeof target); }
static long try_getxattr(void) { return getxattr(path, "user.x", target, sizeof target); }
static long try_statfs(void) {
  static struct statfs system;
  return statfs(path, &system);
}
static long try_truncate(void) { return truncate(path, -1); }
static long try_rename(void) { return rename(path, "/nonexistent/mixer"); }
static long try_link(void) { return link(path, "/nonexistent/dsp"); }
static long try_rmdir(void) { return rmdir(path); }

static const struct call {
  const char *name;
  long (*run)(void);
} calls[] = {
    {"open", try_open},           {"openat", try_openat},     {"fopen", try_fopen},
    {"opendir", try_opendir},     {"stat", try_stat},         {"lstat", try_lstat},
    {"fstatat", try_fstatat},     {"statx", try_statx},       {"access", try_access},
    {"faccessat", try_faccessat}, {"readlink", try_readlink}, {"getxattr", try_getxattr},
    {"statfs", try_statfs},       {"truncate", try_truncate}, {"rename", try_rename},
    {"link", try_link},           {"rmdir", try_rmdir},
};

static const struct call *now;
static long result;
static int error;

static void *run(void *nothing) {
  errno = 0;
  result = now->run();
  error = errno;
  return nothing;
}

static void print(void) {
  printf("%s(\"%s\") = %ld", now->name, path, result);
  if (result < 0) printf(" %s", strerrorname_np(error));
}

static void in_thread_of(const pthread_attr_t *attributes) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, attributes, run, NULL) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
}

static void each_in_thread_of(size_t kib, const char *const *paths, size_t count) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  EXPECT(pthread_attr_setstacksize(&attributes, kib << 10) == 0);
  for (size_t i = 0; i < LENGTH(calls) * count; ++i) {
    now = calls + i / count;
    path = paths[i % count];
    printf("in a thread of %zu KiB: ", kib);
    fflush(stdout);
    in_thread_of(&attributes);
    print();
    putchar('\n');
  }
}

// The stack is painted before and looked at after.
static size_t depth(void) {
  enum { kBytes = 256 << 10, kPaint = 0xA5 };
  static unsigned char *stack;
  if (stack == NULL) {
    stack = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(stack != MAP_FAILED);
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  EXPECT(pthread_attr_setstack(&attributes, stack, kBytes) == 0);
  // The first time is for what is done once.
  for (int round = 0; round < 2; ++round) {
    memset(stack, kPaint, kBytes);
    in_thread_of(&attributes);
  }
  size_t untouched = 0;
  while (stack[untouched] == kPaint) ++untouched;
  return kBytes - untouched;
}

int main(int count, char **words) {
  if (count < 4) return 2;
  EXPECT(chdir(words[2]) == 0);
  const char *const device[] = {words[3]};
  if (strcmp(words[1], "depth") == 0) {
    for (size_t i = 0; i < LENGTH(calls) * LENGTH(names); ++i) {
      now = calls + i / LENGTH(names);
      path = names[i % LENGTH(names)];
      const size_t bytes = depth();
      print();
      printf(": %zu\n", bytes);
    }
  } else if (count > 4) {
    each_in_thread_of((size_t)atoi(words[4]), device, 1);
  } else {
    each_in_thread_of((size_t)atoi(words[1]), names, LENGTH(names));
  }
  return 0;
}
