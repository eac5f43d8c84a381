// loading DEVICE OTHER: forks while another thread opens DEVICE, the first device of
// the process, and is stopped for a moment in one request after the other for
// memory; the child then opens OTHER. Prints "ready" and "kept".
#include "../threads/promises.h"

#include <semaphore.h>
#include <sys/wait.h>
#include <time.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);

static __thread long requests_left;
static sem_t stopped;
static int has_stopped;

static void count_request(void) {
  if (requests_left == 0 || --requests_left > 0) return;
  has_stopped = 1;
  sem_post(&stopped);
  const struct timespec moment = {0, 100000000};
  nanosleep(&moment, NULL);
}

// In the stead of libc's, for everybody.
void *malloc(size_t bytes) {
  count_request();
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  count_request();
  return __libc_calloc(count, bytes);
}

static void *opens_first(void *requests) {
  requests_left = (long)requests;
  fd = open(device, O_RDONLY);
  requests_left = 0;
  EXPECT(fd >= 0);
  sem_post(&stopped);
  return NULL;
}

// Whether the thread came to its request. In a process that knows no device yet.
static int forks_at(long request, const char *other) {
  sem_init(&stopped, 0, 0);
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, opens_first, (void *)request) == 0);
  while (sem_wait(&stopped) != 0) {
  }
  const pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    alarm(5);
    const int opened = open(other, O_RDWR);
    int level = 0;
    if (opened < 0) _exit(2);
    _exit(ioctl(opened, SOUND_MIXER_READ_PCM, &level) == 0 ? 0 : 3);
  }
  int status = -1;
  EXPECT(waitpid(child, &status, 0) == child);
  if (status != 0) {
    printf("forked at request %ld: the child's status is %#x\n", request, status);
    exit(1);
  }
  pthread_join(thread, NULL);
  EXPECT(close(fd) == 0);
  return has_stopped;
}

int main(int count, char **words) {
  if (count < 3) return 2;
  device = words[1];
  puts("ready");
  for (long request = 1, stops = 1; stops; request += 1 + request / 4) {
    fflush(stdout);
    const pid_t runner = fork();
    EXPECT(runner >= 0);
    if (runner == 0) return forks_at(request, words[2]) ? 0 : 10;
    int status = -1;
    EXPECT(waitpid(runner, &status, 0) == runner && WIFEXITED(status));
    if (WEXITSTATUS(status) == 1) return 1;
    EXPECT(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 10);
    stops = WEXITSTATUS(status) == 0;
    EXPECT(stops || request > 16);
  }
  puts("kept");
  return 0;
}
