// unasked WHAT DEVICE: signals that the kernel sends for writes which are not the
// program's. Prints "kept" when it met none of them.
#include "hardship.h"

#include <sys/mman.h>
#include <sys/socket.h>

static const char *device;
static volatile sig_atomic_t handled, code, value;

static void handler(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  ++handled;
  code = info->si_code;
  value = info->si_value.sival_int;
}

static void handle(int number) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
  EXPECT(sigaction(number, &action, NULL) == 0);
}

// Standard error leads to where nobody reads.
static void close_the_pipe(void) {
  int ends[2];
  EXPECT(pipe(ends) == 0 && dup2(ends[1], 2) == 2);
  close(ends[0]);
  close(ends[1]);
}

static void close_the_socket(void) {
  int ends[2];
  EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && dup2(ends[1], 2) == 2);
  close(ends[0]);
  close(ends[1]);
}

// Each call writes a line or more to the log.
static void use(void) {
  const int fd = open(device, O_RDONLY | O_NONBLOCK);
  if (fd < 0) EXPECT(errno == ENOENT);  // no engine
  if (fd < 0) return;
  int rate = 44100;
  EXPECT(ioctl(fd, SNDCTL_DSP_SPEED, &rate) == 0 && rate == 44100);
  audio_buf_info space;
  EXPECT(ioctl(fd, SNDCTL_DSP_GETISPACE, &space) == 0);
  EXPECT(ioctl(fd, SNDCTL_DSP_RESET, NULL) == 0);
  EXPECT(close(fd) == 0);
}

static void with_a_closed_pipe(void) {
  close_the_pipe();
  use();
}

static void with_a_closed_socket(void) {
  close_the_socket();
  use();
}

static void with_a_handler(void) {
  handle(SIGPIPE);
  close_the_pipe();
  use();
  EXPECT(handled == 0);
  // And the program's own write brings it as ever.
  EXPECT(write(2, "x", 1) == -1 && errno == EPIPE);
  EXPECT(handled == 1);
}

static int is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE);
}

static void block(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(how, &set, NULL);
}

static void while_it_is_blocked(void) {
  handle(SIGPIPE);
  close_the_pipe();
  block(SIG_BLOCK);
  use();
  EXPECT(!is_pending());
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  EXPECT(sigismember(&mask, SIGPIPE));
  block(SIG_UNBLOCK);
  EXPECT(handled == 0);
}

// One of the program's own waits: it is neither lost nor doubled.
static void while_one_is_pending(int of_the_process) {
  handle(SIGPIPE);
  close_the_pipe();
  block(SIG_BLOCK);
  const union sigval seven = {.sival_int = 7};
  if (of_the_process) {
    EXPECT(sigqueue(getpid(), SIGPIPE, seven) == 0);
  } else {
    EXPECT(pthread_sigqueue(pthread_self(), SIGPIPE, seven) == 0);
  }
  use();
  EXPECT(is_pending() && handled == 0);
  block(SIG_UNBLOCK);
  EXPECT(handled == 1);
  EXPECT(code == SI_QUEUE && value == 7);
}

static void while_one_of_the_thread_is_pending(void) { while_one_is_pending(0); }
static void while_one_of_the_process_is_pending(void) { while_one_is_pending(1); }

static int clean(int result) {
  return result >= 0 || errno == EFBIG || errno == ENOSPC || errno == EAGAIN;
}

// Standard output is a pipe, which has no size.
static void with_files_that_may_not_grow(void) {
  handle(SIGXFSZ);
  const char *names[] = {"/dev/sndstat", "/dev/mixer", device, "/dev/dsp"};
  for (size_t i = 0; i < LENGTH(names); ++i) {
    const int fd = open(names[i], i == 3 ? O_WRONLY : O_RDONLY);
    EXPECT(clean(fd));
    EXPECT(handled == 0);
    if (fd < 0) continue;
    if (i == 0) {
      char text[64];
      EXPECT(read(fd, text, sizeof text) > 0);
    }
    if (i == 2) {
      int channels = 64, rate = 192000;
      EXPECT(clean(ioctl(fd, SNDCTL_DSP_CHANNELS, &channels)));
      EXPECT(clean(ioctl(fd, SNDCTL_DSP_SPEED, &rate)));
      EXPECT(clean(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0));
    }
    EXPECT(close(fd) == 0);
    EXPECT(handled == 0);
  }
}

int main(int count, char **words) {
  const struct promise promises[] = {
      {"with_a_closed_pipe", with_a_closed_pipe},
      {"with_a_closed_socket", with_a_closed_socket},
      {"with_a_handler", with_a_handler},
      {"while_it_is_blocked", while_it_is_blocked},
      {"while_one_of_the_thread_is_pending", while_one_of_the_thread_is_pending},
      {"while_one_of_the_process_is_pending", while_one_of_the_process_is_pending},
      {"with_files_that_may_not_grow", with_files_that_may_not_grow},
  };
  if (count < 3) return 2;
  device = words[2];
  return keep(promises, LENGTH(promises), words[1]);
}
