// memory WHAT DEVICE: a handler that comes upon a request for memory of the program,
// whose one lock is held then: what the handler calls must not ask for memory, nor
// wait for a thread that does. Prints "kept" when all is as promised, else what is not.
#include "promises.h"

#include <sys/syscall.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

// An allocator as simple as may be, in the stead of libc's for everybody.
static pthread_mutex_t heap = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static __thread int interrupted;  // how many of the next requests are

static void enter(void) {
  if (pthread_mutex_lock(&heap) == EDEADLK) {
    static const char complaint[] = "a handler's call asks for memory\n";
    syscall(SYS_write, STDOUT_FILENO, complaint, sizeof complaint - 1);
    _exit(1);
  }
  if (interrupted > 0) {
    --interrupted;
    raise(SIGUSR1);
  }
}
static void *leave(void *block) {
  pthread_mutex_unlock(&heap);
  return block;
}

void *malloc(size_t bytes) {
  enter();
  return leave(__libc_malloc(bytes));
}
void *calloc(size_t count, size_t bytes) {
  enter();
  return leave(__libc_calloc(count, bytes));
}
void *realloc(void *present, size_t bytes) {
  enter();
  return leave(__libc_realloc(present, bytes));
}
void *memalign(size_t alignment, size_t bytes) {
  enter();
  return leave(__libc_memalign(alignment, bytes));
}
void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void **block, size_t alignment, size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block != NULL ? 0 : ENOMEM;
}
void free(void *block) {
  enter();
  __libc_free(block);
  leave(NULL);
}

static int access_mode = O_WRONLY, in_mid_stream;
static volatile sig_atomic_t handled, failed;

static void opens(void) {
  fd = open(device, access_mode);
  if (fd < 0) failed = __LINE__;
}
static void closes(int number) {
  (void)number;
  if (close(fd) != 0) failed = __LINE__;
  ++handled;
}
static void closes_one_of_two(int number) {
  (void)number;
  if (dup2(fd, fd + 1) != fd + 1 || close(fd) != 0 || close(fd + 1) != 0) failed = __LINE__;
  ++handled;
}
static void closes_and_opens(int number) {
  closes(number);
  opens();
}
static void plays_and_closes(int number) {
  audio_buf_info info;
  int delay;
  struct pollfd entry = {fd, POLLOUT, 0};
  if (ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) != 0 || poll(&entry, 1, 0) < 0) failed = __LINE__;
  if (write(fd, block, 64) != 64 || ioctl(fd, SNDCTL_DSP_GETODELAY, &delay) != 0) failed = __LINE__;
  closes(number);
}
static void stops_and_closes(int number) {
  if (ioctl(fd, SNDCTL_DSP_RESET, NULL) != 0) failed = __LINE__;
  closes(number);
}

static void *opens_elsewhere(void *nothing) {
  opens();
  return nothing;
}

// The handler's is the first call on the device in this thread.
static void opens_in_a_thread(void) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, opens_elsewhere, NULL) == 0);
  pthread_join(thread, NULL);
  EXPECT(!failed && fd >= 0);
}

static void storm(void (*handler)(int), int flags, int leaves_open) {
  EXPECT(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler, .sa_flags = flags}, NULL) ==
         0);
  opens_in_a_thread();
  for (int round = 0; round < 100; ++round) {
    const int before = handled;
    if (access_mode == O_WRONLY && (in_mid_stream || round % 3 == 2)) {
      EXPECT(write(fd, block, 4096) == 4096);
    }
    void *volatile room = NULL;
    if (round % 2 == 0) interrupted = 1;
    EXPECT((room = malloc(16 + 100 * (size_t)round)) != NULL);
    if (round % 2 == 1) interrupted = 1;
    free(room);
    if (failed) printf("line %d, not kept, in the handler: %s\n", failed, strerrorname_np(errno));
    EXPECT(handled == before + 1 && !failed);
    if (!leaves_open) opens();
    EXPECT(!failed);
  }
  EXPECT(close(fd) == 0);
}

static void close_in_a_handler(void) { storm(closes, 0, 0); }
static void close_in_a_restarting_handler(void) { storm(closes, SA_RESTART, 0); }
static void close_dups_in_a_handler(void) { storm(closes_one_of_two, 0, 0); }
static void close_and_open_in_a_handler(void) { storm(closes_and_opens, 0, 1); }
static void play_and_close_in_a_handler(void) {
  in_mid_stream = 1;
  storm(plays_and_closes, 0, 0);
}
static void stop_and_close_in_a_handler(void) { storm(stops_and_closes, 0, 0); }
static void close_a_reader_in_a_handler(void) {
  access_mode = O_RDONLY;
  storm(closes, 0, 0);
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"close_in_a_handler", close_in_a_handler},
      {"close_in_a_restarting_handler", close_in_a_restarting_handler},
      {"close_dups_in_a_handler", close_dups_in_a_handler},
      {"close_a_reader_in_a_handler", close_a_reader_in_a_handler},
      {"close_and_open_in_a_handler", close_and_open_in_a_handler},
      {"play_and_close_in_a_handler", play_and_close_in_a_handler},
      {"stop_and_close_in_a_handler", stop_and_close_in_a_handler},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
