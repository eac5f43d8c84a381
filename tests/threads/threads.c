// threads WHAT DEVICE: threads on a device. Prints "kept" when all is as promised, else
// what is not.
#include "promises.h"

#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static void pause_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static void set(unsigned long request, int value) { EXPECT(ioctl(fd, request, &value) == 0); }

static ssize_t result;
static int result_errno;

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

static void *write_until_closed(void *nothing) {
  (void)nothing;
  long took = 0;
  do {
    result = write(fd, block, sizeof block);
    if (result > 0) took += result;
  } while (result == sizeof block);
  printf("took %ld\n", took);
  return NULL;
}

// DEVICE is a client with a server that reads.
static void close_while_writing(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  pthread_t writer;
  EXPECT(pthread_create(&writer, NULL, write_until_closed, NULL) == 0);
  pause_ms(700);
  EXPECT(close(fd) == 0);
  pthread_join(writer, NULL);
}

static void close_it(int number) {
  (void)number;
  EXPECT(close(fd) == 0);
}

// DEVICE is a client with a server that reads. The handler interrupts the write.
static void close_in_a_handler_while_writing(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  signal(SIGALRM, close_it);
  ualarm(700000, 0);
  write_until_closed(NULL);
}

static void *ask_for_busy(void *nothing) {
  (void)nothing;
  while (!quit) EXPECT(open(device, O_RDONLY) == -1 && errno == EBUSY);
  return NULL;
}

// DEVICE is a server. A child has no descriptor of an open that fails in its parent.
static void fork_while_opens_fail(void) {
  EXPECT((fd = open(device, O_RDONLY)) >= 0);
  pthread_t asking[2];
  for (int i = 0; i < 2; ++i) EXPECT(pthread_create(&asking[i], NULL, ask_for_busy, NULL) == 0);
  for (int round = 0; round < 2000; ++round) {
    const pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
      for (int number = fd + 1; number < fd + 8; ++number) {
        if (fcntl(number, F_GETFD) >= 0) _exit(number);
      }
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
  quit = 1;
  for (int i = 0; i < 2; ++i) pthread_join(asking[i], NULL);
}

static void play_blocks(char content, int count) {
  memset(block, content, sizeof block);
  for (int i = 0; i < count; ++i) EXPECT(write(fd, block, 4096) == 4096);
}

// DEVICE is a client with a server that reads. The child begins the stream, and no file of
// the program takes what is played, whatever its number.
static void begin_in_a_copy(void) {
  enum { kFiles = 6, kFileBytes = 4 << 20 };
  int files[kFiles];
  for (int i = 0; i < kFiles; ++i)
    EXPECT((files[i] = memfd_create("own", 0)) >= 0 && ftruncate(files[i], kFileBytes) == 0);
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  const pid_t child = _Fork();
  EXPECT(child >= 0);
  if (child == 0) {
    play_blocks('a', 20);
    _exit(0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  play_blocks('b', 20);
  play_blocks('c', 20);
  EXPECT(close(fd) == 0);
  for (int i = 0; i < kFiles; ++i) EXPECT(lseek(files[i], 0, SEEK_DATA) == -1 && errno == ENXIO);
}

// DEVICE is a client with a server that reads. A call that fails ends no stream.
static void replace_it_in_vain(void) {
  EXPECT((fd = open(device, O_WRONLY)) >= 0);
  play_blocks('a', 20);
  EXPECT(dup2(-1, fd) == -1 && errno == EBADF);
  EXPECT(dup2(777, fd) == -1 && errno == EBADF);
  EXPECT(dup3(2, fd, O_APPEND) == -1 && errno == EINVAL);
  EXPECT(close_range((unsigned)fd, ~0U, 8) == -1 && errno == EINVAL);
  EXPECT(close_range(~0U, (unsigned)fd, 0) == -1 && errno == EINVAL);
  play_blocks('b', 20);
  play_blocks('c', 20);
  EXPECT(close(fd) == 0);
}

// What the child is told to do before it opens DEVICE, a client with a server that reads.
static void spawn_a_player(void (*before)(posix_spawn_file_actions_t *)) {
  static char *const words[] = {"sh", "-c", "head -c 81920 /dev/zero | tr '\\0' a", NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  before(&actions);
  EXPECT(posix_spawn_file_actions_addopen(&actions, 1, device, O_WRONLY, 0) == 0);
  pid_t child;
  EXPECT((errno = posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ)) == 0);
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  posix_spawn_file_actions_destroy(&actions);
}
static void open_a_file(posix_spawn_file_actions_t *actions) {
  EXPECT(posix_spawn_file_actions_addopen(actions, 3, "/dev/null", O_RDWR, 0) == 0);
}
static void copy_the_errors(posix_spawn_file_actions_t *actions) {
  EXPECT(posix_spawn_file_actions_adddup2(actions, 2, 3) == 0);
}
static void close_one(posix_spawn_file_actions_t *actions) {
  EXPECT(posix_spawn_file_actions_addclose(actions, 3) == 0);
}
static void close_the_rest(posix_spawn_file_actions_t *actions) {
  EXPECT(posix_spawn_file_actions_addclosefrom_np(actions, 3) == 0);
}
static void spawn_after_an_open(void) { spawn_a_player(open_a_file); }
static void spawn_after_a_dup2(void) { spawn_a_player(copy_the_errors); }
static void spawn_after_a_close(void) { spawn_a_player(close_one); }
static void spawn_after_a_closefrom(void) { spawn_a_player(close_the_rest); }

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

static void *ask(void *nothing) {
  (void)nothing;
  while (!quit) {
    count_info now;
    EXPECT(ioctl(fd, SNDCTL_DSP_GETOPTR, &now) == 0);
  }
  return NULL;
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
  const struct promise promises[] = {
      {"close_while_reading", close_while_reading},
      {"cancel_a_read", cancel_a_read},
      {"cancel_a_write", cancel_a_write},
      {"close_while_writing", close_while_writing},
      {"close_in_a_handler_while_writing", close_in_a_handler_while_writing},
      {"fork_while_opens_fail", fork_while_opens_fail},
      {"begin_in_a_copy", begin_in_a_copy},
      {"replace_it_in_vain", replace_it_in_vain},
      {"spawn_after_an_open", spawn_after_an_open},
      {"spawn_after_a_dup2", spawn_after_a_dup2},
      {"spawn_after_a_close", spawn_after_a_close},
      {"spawn_after_a_closefrom", spawn_after_a_closefrom},
      {"small_stack", small_stack},
      {"blocked_signals", blocked_signals},
      {"real_time", real_time},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
