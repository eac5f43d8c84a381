// starved WHAT DEVICE: calls on a client while there is no memory. Each is made again
// and again, and of its requests for memory none is met, then the first, the first two,
// and so on until they suffice. It does what it should or answers ENOMEM, and all is
// well when there is memory again. Prints "kept" when it was so.
#include "../threads/promises.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum { kPlenty = 1 << 30 };
static int met = kPlenty;  // so many requests from here on
static int refused;

// libsoxr does not look whether it got what it asked for.
static int asks_for_soxr(const void *caller) {
  Dl_info where;
  return dladdr(caller, &where) != 0 && where.dli_fname != NULL &&
         strstr(where.dli_fname, "libsoxr") != NULL;
}

static int meets(const void *caller) {
  if (__atomic_load_n(&met, __ATOMIC_SEQ_CST) == kPlenty || asks_for_soxr(caller)) return 1;
  if (__atomic_sub_fetch(&met, 1, __ATOMIC_SEQ_CST) >= 0) return 1;
  __atomic_add_fetch(&refused, 1, __ATOMIC_SEQ_CST);
  errno = ENOMEM;
  return 0;
}

// In the stead of libc's, for everybody.
#define MET(request) (meets(__builtin_return_address(0)) ? (request) : NULL)
void *malloc(size_t bytes) { return MET(__libc_malloc(bytes)); }
void *calloc(size_t count, size_t bytes) { return MET(__libc_calloc(count, bytes)); }
void *realloc(void *block, size_t bytes) { return MET(__libc_realloc(block, bytes)); }
void *memalign(size_t alignment, size_t bytes) { return MET(__libc_memalign(alignment, bytes)); }
void *aligned_alloc(size_t alignment, size_t bytes) {
  return MET(__libc_memalign(alignment, bytes));
}
int posix_memalign(void **block, size_t alignment, size_t bytes) {
  *block = MET(__libc_memalign(alignment, bytes));
  return *block != NULL ? 0 : ENOMEM;
}

static int access_mode = O_WRONLY;
static long result;
static int result_errno;

// One call, of whose requests so many are met.
#define STARVED(requests, call)                         \
  do {                                                  \
    errno = 0;                                          \
    __atomic_store_n(&met, requests, __ATOMIC_SEQ_CST); \
    result = (long)(call);                              \
    result_errno = errno;                               \
    __atomic_store_n(&met, kPlenty, __ATOMIC_SEQ_CST);  \
  } while (0)

static int done(void) { return result >= 0 || (result == -1 && result_errno == ENOMEM); }

static void pause_ms(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

static int set(unsigned long request, int value) { return ioctl(fd, request, &value); }

// A side that somebody forgot is free a moment later.
static void opens(void) {
  for (int round = 0; (fd = open(device, access_mode)) < 0 && errno == EBUSY && round < 300;
       ++round) {
    pause_ms(10);
  }
  EXPECT(fd >= 0);
}
// Another rate, so that all is needed that a conversion needs.
static void opens_to_convert(void) {
  opens();
  EXPECT(set(SNDCTL_DSP_CHANNELS, 6) == 0 && set(SNDCTL_DSP_SPEED, 44100) == 0);
}

static void closes(int requests) {
  opens_to_convert();
  EXPECT(write(fd, block, 4096) > 0);
  STARVED(requests, close(fd));
  EXPECT(done() && (result == 0 || close(fd) == 0 || errno == EBADF));
}

static void replaces(int requests) {
  opens_to_convert();
  EXPECT(write(fd, block, 4096) > 0);
  const int null = open("/dev/null", O_WRONLY);
  STARVED(requests, dup2(null, fd));
  EXPECT(done() && close(null) == 0);
  EXPECT(result < 0 || write(fd, block, sizeof block) == sizeof block);
  EXPECT(close(fd) == 0);
}

static void dups(int requests) {
  opens();
  STARVED(requests, dup(fd));
  EXPECT(done());
  const int first = (int)result;
  STARVED(requests, dup2(fd, 40));
  EXPECT(done());
  const int second = (int)result;
  STARVED(requests, fcntl(fd, F_DUPFD, 50));
  EXPECT(done());
  const int all[] = {first, second, (int)result, fd};
  for (int i = 0; i < 4; ++i)
    EXPECT(all[i] < 0 || (write(all[i], block, 64) == 64 && close(all[i]) == 0));
}

static void loses(int requests) {
  opens_to_convert();
  EXPECT(write(fd, block, 4096) > 0);
  EXPECT(syscall(SYS_close, fd) == 0);
  STARVED(requests, open("/dev/null", O_WRONLY));
  EXPECT(result == fd && write(fd, block, sizeof block) == sizeof block && close(fd) == 0);
}

static void asks_and_plays(int requests) {
  opens();
  int channels = 64, rate = 44100;
  audio_buf_info info;
  struct pollfd entry = {fd, POLLOUT, 0};
  STARVED(requests, ioctl(fd, SNDCTL_DSP_CHANNELS, &channels));
  EXPECT(done());
  STARVED(requests, ioctl(fd, SNDCTL_DSP_SPEED, &rate));
  EXPECT(done());
  STARVED(requests, poll(&entry, 1, 20));
  EXPECT(done());
  STARVED(requests, ioctl(fd, SNDCTL_DSP_GETOSPACE, &info));
  EXPECT(done());
  STARVED(requests, write(fd, block, 16384));
  EXPECT(done());
  STARVED(requests, ioctl(fd, SNDCTL_DSP_RESET, NULL));
  EXPECT(done());
  EXPECT(write(fd, block, 16384) == 16384 && close(fd) == 0);
}

static void maps(int requests) {
  opens();
  audio_buf_info info;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETOSPACE, &info) == 0);
  const size_t bytes = (size_t)info.fragstotal * (size_t)info.fragsize;
  STARVED(requests, mmap(NULL, bytes, PROT_WRITE, MAP_SHARED, fd, 0));
  void *const buffer = (void *)result;
  EXPECT(buffer != MAP_FAILED || result_errno == ENOMEM);
  EXPECT(buffer == MAP_FAILED || munmap(buffer, bytes) == 0);
  EXPECT(write(fd, block, 64) == 64 && close(fd) == 0);
}

static void again_and_again(void (*call)(int requests)) {
  for (int requests = 0; requests == 0 || refused > 0; ++requests) {
    refused = 0;
    call(requests);
    EXPECT(requests < 1000);
  }
}

static void close_it(void) { again_and_again(closes); }
static void dup_and_replace_it(void) {
  again_and_again(dups);
  again_and_again(replaces);
}
static void lose_it(void) { again_and_again(loses); }
static void ask_play_and_map(void) {
  again_and_again(asks_and_plays);
  again_and_again(maps);
}

static void leave_it_open(void) {
  for (int requests = 0; requests < 30; ++requests) {
    const pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
      opens_to_convert();
      EXPECT(write(fd, block, 4096) > 0);
      met = requests;
      exit(0);
    }
    int status = -1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
}

// Reads what comes now; whether that was something, or there was no memory for it.
static int hears(int most) {
  const ssize_t got = read(fd, block, (size_t)most);
  EXPECT(got > 0 || (got == -1 && (errno == ENOMEM || errno == EAGAIN)));
  return got > 0;
}

// Of a server that plays. What is not to be had is what the conversion in the timer's
// thread needs while poll waits.
static void opens_to_record(int rate) {
  access_mode = O_RDONLY;
  opens();
  EXPECT(set(SNDCTL_DSP_SETFMT, 0x1000) == 0);  // AFMT_S32_LE
  EXPECT(set(SNDCTL_DSP_CHANNELS, 64) == 0 && set(SNDCTL_DSP_SPEED, rate) == 0);
  // The conversion itself has what it needs.
  for (int i = 0; i < 20; ++i) EXPECT(read(fd, block, sizeof block) == sizeof block);
  EXPECT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}
static void polls_and_hears(int rounds) {
  struct pollfd entry = {fd, POLLIN, 0};
  for (int round = 0; round < rounds; ++round) {
    EXPECT(poll(&entry, 1, 50) >= 0 || errno == ENOMEM);
    if (entry.revents != 0) hears(4096);
  }
}
static void hears_well(void) {
  struct pollfd entry = {fd, POLLIN, 0};
  for (int heard = 0; heard < 20;) {
    EXPECT(poll(&entry, 1, 5000) == 1);
    heard += hears(sizeof block);
  }
  EXPECT(close(fd) == 0);
}

static void poll_without_memory(void) {
  for (int requests = 0; requests < 20; requests += 1 + requests / 2) {
    opens_to_record(44100);
    __atomic_store_n(&met, requests, __ATOMIC_SEQ_CST);
    polls_and_hears(5);
    __atomic_store_n(&met, kPlenty, __ATOMIC_SEQ_CST);
    hears_well();
  }
}

static void poll_at_a_limit(void) {
  opens_to_record(96000);  // more in a buffer than an arena of libc's has in reserve
  FILE *const sizes = fopen("/proc/self/statm", "r");
  long pages = 0;
  EXPECT(sizes != NULL && fscanf(sizes, "%ld", &pages) == 1 && fclose(sizes) == 0);
  struct rlimit limit;
  EXPECT(getrlimit(RLIMIT_AS, &limit) == 0);
  limit.rlim_cur = (rlim_t)pages * 4096 + (256 << 10);
  EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
  polls_and_hears(30);
  limit.rlim_cur = limit.rlim_max;
  EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
  hears_well();
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"close", close_it},
      {"dup_and_replace", dup_and_replace_it},
      {"lose", lose_it},
      {"ask_play_and_map", ask_play_and_map},
      {"leave_open", leave_it_open},
      {"poll", poll_without_memory},
      {"poll_at_a_limit", poll_at_a_limit},
  };
  return keep(promises, sizeof promises / sizeof *promises, count, words);
}
